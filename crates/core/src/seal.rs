//! The seal: a signature over the mark of a run, which makes the mark evidence.
//!
//! Anybody who may create a run may mark it as signed, and who may patch it can pretend in
//! `managedFields` to be any program. A mark is therefore believed for its seal: the signing key
//! signs kind, namespace, name and uid of the run together with the mark. A seal holds for one run
//! and one outcome, whatever is stored where, and can be checked without reading anything else.
//!
//! The signed text is DSSE's encoding of a type of its own, so that no seal can be taken for an
//! attestation or an image signature, nor the other way round.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::annotation;
use crate::dsse;
use crate::json::{Json, Object};
use crate::key::PublicKey;
use crate::run::{Kind, Metadata};

/// What is signed.
const PAYLOAD_TYPE: &str = "application/vnd.windlass.seal+json";
/// Longest annotation that is read. The signature of an RSA key of 16,384 bits takes 2,732 letters.
const LONGEST: usize = 4096;

/// Why a run's seal is no evidence for its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// There is no seal.
    #[error("the mark has no seal")]
    Missing,
    /// It cannot be read.
    #[error("the seal is not a key's fingerprint and a signature in base64")]
    Malformed,
    /// None of the given keys made it.
    #[error("the seal was made with another key")]
    UnknownKey,
    /// The key did not sign this mark of this run.
    #[error("the seal is for another run or another mark")]
    Mismatch,
}

/// The bytes that are signed to seal the mark of a run.
///
/// ```
/// use windlass_core::annotation::{SEAL, SIGNED};
/// use windlass_core::key::PrivateKey;
/// use windlass_core::run::{Kind, TaskRun};
/// use windlass_core::seal;
///
/// let key = PrivateKey::generate_p256(&[7; 32])?;
/// let run = r#"{"metadata":{"name":"build","uid":"u-1"}}"#;
/// let run = TaskRun::parse(run.as_bytes())?;
/// let signature = key.sign(&seal::message(Kind::Task, &run.metadata, "true"))?;
/// let sealed = seal::annotation(&key.public_key().key_id(), &signature);
///
/// let marked = format!(
///     r#"{{"metadata":{{"name":"build","uid":"u-1","annotations":{{"{SIGNED}":"true","{SEAL}":"{sealed}"}}}}}}"#
/// );
/// let marked = TaskRun::parse(marked.as_bytes())?;
/// assert_eq!(seal::verify(Kind::Task, &marked.metadata, [key.public_key()]), Ok(()));
/// assert!(seal::verify(Kind::Pipeline, &marked.metadata, [key.public_key()]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn message(kind: Kind, metadata: &Metadata<'_>, mark: &str) -> Vec<u8> {
    let text = Object::default()
        .with("kind", kind.name())
        .with("namespace", &*metadata.namespace)
        .with("name", &*metadata.name)
        .with("uid", &*metadata.uid)
        .with("signed", mark);
    dsse::pae(PAYLOAD_TYPE, Json::from(text).to_compact().as_bytes())
}

/// The value of the annotation [`SEAL`](annotation::SEAL): the fingerprint of the key, and the
/// signature.
pub fn annotation(key_id: &str, signature: &[u8]) -> String {
    format!("{key_id} {}", STANDARD.encode(signature))
}

/// Checks the seal of a run against the mark that it carries. At most one signature is verified.
pub fn verify<'k>(
    kind: Kind,
    metadata: &Metadata<'_>,
    keys: impl IntoIterator<Item = &'k PublicKey>,
) -> Result<(), SealError> {
    let seal = metadata.annotation(annotation::SEAL);
    let (Some(seal), Some(mark)) = (seal, metadata.annotation(annotation::SIGNED)) else {
        return Err(SealError::Missing);
    };
    let parts = (seal.len() <= LONGEST).then(|| seal.split_once(' '));
    let (key_id, signature) = parts.flatten().ok_or(SealError::Malformed)?;
    let signature = STANDARD.decode(signature);
    let signature = signature.map_err(|_| SealError::Malformed)?;
    let key = keys.into_iter().find(|key| key.key_id() == key_id);
    let key = key.ok_or(SealError::UnknownKey)?;
    match key.verify(&message(kind, metadata, mark), &signature) {
        Ok(_) => Ok(()),
        Err(_) => Err(SealError::Mismatch),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::key::PrivateKey;
    use crate::run::Run;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::generate_p256(&[seed; 32]).unwrap()
    }

    /// What becomes of the seal of a run once the run is changed.
    fn checked(
        change: impl FnOnce(&mut serde_json::Value),
        keys: &[PrivateKey],
    ) -> Result<(), SealError> {
        let mut run = json!({
            "kind": "TaskRun",
            "metadata": { "namespace": "a", "name": "n", "uid": "u", "annotations": {} },
        });
        let text = run.to_string();
        let read = Run::parse(text.as_bytes()).unwrap();
        let key = key(7);
        let signature = key
            .sign(&message(Kind::Task, read.metadata(), "true"))
            .unwrap();
        run["metadata"]["annotations"] = json!({
            annotation::SIGNED: "true",
            annotation::SEAL: annotation(&key.public_key().key_id(), &signature),
        });
        change(&mut run);
        let text = run.to_string();
        let read = Run::parse(text.as_bytes()).unwrap();
        let keys = keys.iter().map(PrivateKey::public_key);
        verify(read.kind(), read.metadata(), keys)
    }

    #[test]
    fn a_seal_is_for_one_mark_of_one_run() {
        let keys = [key(9), key(7)];
        assert_eq!(checked(|_| {}, &keys), Ok(()));
        for (pointer, value) in [
            ("/kind", "PipelineRun"),
            ("/metadata/namespace", "b"),
            ("/metadata/name", "m"),
            ("/metadata/uid", "v"),
            ("/metadata/annotations/chains.tekton.dev~1signed", "failed"),
        ] {
            let change =
                |run: &mut serde_json::Value| *run.pointer_mut(pointer).unwrap() = json!(value);
            assert_eq!(
                checked(change, &keys),
                Err(SealError::Mismatch),
                "{pointer}"
            );
        }
    }

    #[test]
    fn what_is_no_seal_of_a_known_key_is_told_apart() {
        let sealed_as = |text: serde_json::Value| {
            checked(
                |run| run["metadata"]["annotations"][annotation::SEAL] = text,
                &[key(7)],
            )
        };
        assert_eq!(checked(|_| {}, &[key(9)]), Err(SealError::UnknownKey));
        for text in ["", "x", "SHA256:x %", &"x ".repeat(4000)] {
            assert_eq!(
                sealed_as(json!(text)),
                Err(SealError::Malformed),
                "{text:.20}"
            );
        }
        let own = key(7).public_key().key_id();
        assert_eq!(
            sealed_as(json!(format!("{own} MEUC"))),
            Err(SealError::Mismatch)
        );
        let unsealed = |run: &mut serde_json::Value| {
            run["metadata"]["annotations"] = json!({ annotation::SIGNED: "true" });
        };
        assert_eq!(checked(unsealed, &[key(7)]), Err(SealError::Missing));
    }

    #[test]
    fn a_seal_is_never_an_attestation() {
        let run = Run::parse(br#"{"kind":"TaskRun"}"#).unwrap();
        let message = message(Kind::Task, run.metadata(), "true");
        assert!(message.starts_with(b"DSSEv1 34 application/vnd.windlass.seal+json "));
    }
}
