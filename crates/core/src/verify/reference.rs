//! The repository that an image signature names. It is signed, and no part of what the signature is
//! about: a signature of the same digest in another repository has another one.

use serde::Deserialize;

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

/// The `docker-reference` of an image signature's payload; none if it names none.
pub fn docker_reference(payload: &[u8]) -> Option<String> {
    let read = serde_json::from_slice::<Payload>(payload).ok()?;
    let reference = read.critical.identity.docker_reference;
    (!reference.is_empty()).then_some(reference)
}
