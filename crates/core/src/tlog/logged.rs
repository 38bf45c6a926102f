//! What the entry of a signature by a key has to be, where the signature came with the entry and was not made here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::proposal::{Kind, Proposal};
use super::{propose, propose_v2};
use crate::dsse::pae;
use crate::key::PublicKey;
use crate::signed::Identity;

/// Something signed with a key.
#[derive(Debug, Clone, Copy)]
pub enum Logged<'a> {
    /// Some bytes.
    Message(&'a [u8]),
    /// The payload of an envelope, and its type.
    Payload {
        /// `payloadType`.
        kind: &'a str,
        /// The bytes.
        content: &'a [u8],
    },
}

impl Logged<'_> {
    /// What the signature is over.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Self::Message(message) => message.to_vec(),
            Self::Payload { kind, content } => pae(kind, content),
        }
    }

    /// What an entry with this body has to be an entry of, for [`super::Entry::check`]; none if the key did not sign
    /// this, or a log makes no such entry of it. Of an envelope as a whole, whose text is gone, the hash is taken
    /// from the body, and of `intoto` the identifier of the key too: payload and signature are not.
    pub fn proposal(
        &self,
        (kind, body): (Kind, &[u8]),
        key: &PublicKey,
        signature: &[u8],
    ) -> Option<Proposal> {
        let message = self.message();
        let scheme = key.verify(&message, signature).ok()?;
        let identity = Identity::Key(key.clone());
        match (kind, self) {
            (Kind::Dsse, Self::Payload { content, .. }) => {
                let body: Value = serde_json::from_slice(body).ok()?;
                let envelope = &body["spec"]["envelopeHash"];
                let spec = propose::dsse(envelope, content, signature, &identity);
                Some(Proposal::new(kind, &json!({}), &spec))
            }
            (Kind::Intoto, Self::Payload { kind: of, content }) => {
                let body: Value = serde_json::from_slice(body).ok()?;
                let logged = &body["spec"]["content"];
                let key_id = logged["envelope"]["signatures"][0].get("keyid");
                let as_logged = (&logged["hash"], key_id);
                let spec = propose::intoto(as_logged, (of, content), signature, &identity);
                Some(Proposal::new(kind, &json!({}), &spec))
            }
            (Kind::HashedRekord, Self::Message(_)) => {
                let hash = propose::hash(scheme, &message).ok()?;
                let spec = propose::hashed(hash, signature, &identity);
                Some(Proposal::new(kind, &spec, &spec))
            }
            (Kind::HashedRekordV2, _) => {
                let details = key.details(scheme)?;
                let (algorithm, digest) = propose_v2::hash(scheme, &message);
                let digest = STANDARD.encode(digest);
                let signature = propose_v2::signature(signature, &identity, details);
                let spec = propose_v2::logged(algorithm, &digest, &signature);
                Some(Proposal::of_v2(kind, &json!({}), &spec))
            }
            (Kind::Dsse | Kind::Intoto, Self::Message(_))
            | (Kind::HashedRekord, Self::Payload { .. }) => None,
        }
    }
}
