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
use sha2::{Digest as _, Sha256};

use crate::annotation;
use crate::dsse;
use crate::json::{Json, Object};
use crate::key::PublicKey;
use crate::recent::Recent;
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

/// Seals that are known to hold, by what [`digest`] says of each.
pub type Known = Recent<[u8; 32], 16_384>;

/// What a seal is known by: one mark of one run, and the seal itself.
pub fn digest(kind: Kind, metadata: &Metadata<'_>, mark: &str, seal: &str) -> [u8; 32] {
    // the encoding states its own length, so that nothing can move from one part into the other
    let message = message(kind, metadata, mark);
    Sha256::new()
        .chain_update(message)
        .chain_update(seal)
        .finalize()
        .into()
}

/// Checks the seal of a run against the mark that it carries. At most one signature is verified.
pub fn verify<'k>(
    kind: Kind,
    metadata: &Metadata<'_>,
    keys: impl IntoIterator<Item = &'k PublicKey>,
) -> Result<(), SealError> {
    Carried::by(metadata)?.verify(kind, metadata, keys, None)
}

/// The same, where no signature is verified for a seal that is known to hold. One that is found to
/// hold becomes known. The key has to be among the given ones in either case.
pub fn verify_unless_known<'k>(
    kind: Kind,
    metadata: &Metadata<'_>,
    keys: impl IntoIterator<Item = &'k PublicKey>,
    known: &Known,
) -> Result<(), SealError> {
    Carried::by(metadata)?.verify(kind, metadata, keys, Some(known))
}

/// The mark and the seal that a run carries.
struct Carried<'r> {
    mark: &'r str,
    seal: &'r str,
    key_id: &'r str,
    signature: &'r str,
}

impl<'r> Carried<'r> {
    fn by(metadata: &'r Metadata<'_>) -> Result<Self, SealError> {
        let seal = metadata.annotation(annotation::SEAL);
        let (Some(seal), Some(mark)) = (seal, metadata.annotation(annotation::SIGNED)) else {
            return Err(SealError::Missing);
        };
        let parts = (seal.len() <= LONGEST).then(|| seal.split_once(' '));
        let (key_id, signature) = parts.flatten().ok_or(SealError::Malformed)?;
        Ok(Self {
            mark,
            seal,
            key_id,
            signature,
        })
    }

    fn verify<'k>(
        &self,
        kind: Kind,
        metadata: &Metadata<'_>,
        keys: impl IntoIterator<Item = &'k PublicKey>,
        known: Option<&Known>,
    ) -> Result<(), SealError> {
        let signature = STANDARD.decode(self.signature);
        let signature = signature.map_err(|_| SealError::Malformed)?;
        let key = keys.into_iter().find(|key| key.key_id() == self.key_id);
        let key = key.ok_or(SealError::UnknownKey)?;
        let known = known.map(|known| (known, digest(kind, metadata, self.mark, self.seal)));
        if known.is_some_and(|(known, digest)| known.has(&digest)) {
            return Ok(());
        }
        key.verify(&message(kind, metadata, self.mark), &signature)
            .map_err(|_| SealError::Mismatch)?;
        if let Some((known, digest)) = known {
            known.add(digest);
        }
        Ok(())
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
    fn a_known_seal_holds_for_its_mark_of_its_run_and_its_key_alone() {
        let run = |mark: &str, uid: &str, seal: &str| {
            json!({ "kind": "TaskRun", "metadata": { "name": "n", "uid": uid, "annotations": {
                annotation::SIGNED: mark, annotation::SEAL: seal,
            } } })
            .to_string()
        };
        // not one that a signature would be found to hold for
        let key_id = key(7).public_key().key_id();
        let seal = format!("{key_id} {}", STANDARD.encode("made here"));
        let known = Known::default();
        let judge = |text: &str, keys: &[PrivateKey]| {
            let run = Run::parse(text.as_bytes()).unwrap();
            let keys = keys.iter().map(PrivateKey::public_key);
            verify_unless_known(run.kind(), run.metadata(), keys, &known)
        };
        let (own, other) = (run("true", "u", &seal), format!("{seal}AA=="));
        assert_eq!(judge(&own, &[key(7)]), Err(SealError::Mismatch));
        let read = Run::parse(own.as_bytes()).unwrap();
        known.add(digest(read.kind(), read.metadata(), "true", &seal));
        assert_eq!(judge(&own, &[key(7)]), Ok(()));
        assert_eq!(judge(&own, &[key(9)]), Err(SealError::UnknownKey));
        for changed in [
            run("failed", "u", &seal),
            run("true", "v", &seal),
            run("true", "u", &other),
        ] {
            assert!(judge(&changed, &[key(7)]).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_seal_that_holds_is_known_from_then_on() {
        let run = Run::parse(br#"{"kind":"TaskRun","metadata":{"uid":"u"}}"#).unwrap();
        let signature = key(7).sign(&message(Kind::Task, run.metadata(), "true"));
        let seal = annotation(&key(7).public_key().key_id(), &signature.unwrap());
        let text = json!({ "kind": "TaskRun", "metadata": { "uid": "u", "annotations": {
            annotation::SIGNED: "true", annotation::SEAL: seal,
        } } })
        .to_string();
        let run = Run::parse(text.as_bytes()).unwrap();
        let known = Known::default();
        let digest = digest(Kind::Task, run.metadata(), "true", &seal);
        assert!(!known.has(&digest));
        let verified =
            verify_unless_known(Kind::Task, run.metadata(), [key(7).public_key()], &known);
        assert_eq!(verified, Ok(()));
        assert!(known.has(&digest));
    }

    #[test]
    fn a_seal_is_never_an_attestation() {
        let run = Run::parse(br#"{"kind":"TaskRun"}"#).unwrap();
        let message = message(Kind::Task, run.metadata(), "true");
        assert!(message.starts_with(b"DSSEv1 34 application/vnd.windlass.seal+json "));
    }
}
