//! The seal: a signature over the mark of a run, which makes the mark evidence.
//!
//! Anybody who may create a run may mark it as signed, and who may patch it can pretend in
//! `managedFields` to be any program. A mark is therefore believed for its seal: the signing key
//! signs kind, namespace, name and uid of the run together with the mark, and the digest of what it
//! signed of the run. A seal holds for one run, one outcome and one payload, whatever is stored
//! where, and can be checked without reading anything else.
//!
//! The signed text is DSSE's encoding of a type of its own, so that no seal can be taken for an
//! attestation or an image signature, nor the other way round.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::annotation;
use crate::dsse;
use crate::image::is_lower_hex;
use crate::json::{Json, Object};
use crate::key::PublicKey;
use crate::recent::Recent;
use crate::run::{Kind, Metadata};

/// What is signed.
const PAYLOAD_TYPE: &str = "application/vnd.windlass.seal+json";
/// How a digest begins, before its 64 digits.
const DIGEST: &str = "sha256:";
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
    #[error("the seal is not a key's fingerprint, a signature in base64, a uid and a digest")]
    Malformed,
    /// None of the given keys made it.
    #[error("the seal was made with another key")]
    UnknownKey,
    /// The key did not sign this mark of this run.
    #[error("the seal is for another run or another mark")]
    Mismatch,
}

/// What a seal that holds says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal<'r> {
    /// [`payload_digest`] of the payload of the run; none if the outcome is that there is none.
    pub payload: Option<&'r str>,
}

impl Seal<'_> {
    /// Whether this is what was signed of the run.
    pub fn is_of(&self, payload: &[u8]) -> bool {
        self.payload == Some(&payload_digest(payload))
    }
}

/// How seals name the payload of a run: `sha256:` and 64 hexadecimal digits.
pub fn payload_digest(payload: &[u8]) -> String {
    let mut digest = DIGEST.to_owned();
    for byte in Sha256::digest(payload) {
        // a string takes everything
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// The bytes that are signed to seal the mark of a run, and the digest of its payload if it was signed.
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
/// let payload = seal::payload_digest(b"what was signed");
/// let signature = key.sign(&seal::message(Kind::Task, &run.metadata, "true", Some(&payload)))?;
/// let sealed = seal::annotation(&key.public_key().key_id(), &signature, "u-1", Some(&payload));
///
/// let marked = format!(
///     r#"{{"metadata":{{"name":"build","uid":"u-1","annotations":{{"{SIGNED}":"true","{SEAL}":"{sealed}"}}}}}}"#
/// );
/// let marked = TaskRun::parse(marked.as_bytes())?;
/// let seal = seal::verify(Kind::Task, &marked.metadata, [key.public_key()])?;
/// assert!(seal.is_of(b"what was signed"));
/// assert!(seal::verify(Kind::Pipeline, &marked.metadata, [key.public_key()]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn message(kind: Kind, metadata: &Metadata<'_>, mark: &str, payload: Option<&str>) -> Vec<u8> {
    let text = Object::default()
        .with("kind", kind.name())
        .with("namespace", &*metadata.namespace)
        .with("name", &*metadata.name)
        .with("uid", &*metadata.uid)
        .with("signed", mark)
        .with_some("payload", payload.unwrap_or_default());
    dsse::pae(PAYLOAD_TYPE, Json::from(text).to_compact().as_bytes())
}

/// The value of the annotation [`SEAL`](annotation::SEAL): the fingerprint of the key, the signature,
/// the uid of the run, and the digest of the payload that was signed.
pub fn annotation(key_id: &str, signature: &[u8], uid: &str, payload: Option<&str>) -> String {
    let signature = STANDARD.encode(signature);
    let payload = payload.map(|payload| format!(" {payload}"));
    format!("{key_id} {signature} {uid}{}", payload.unwrap_or_default())
}

/// Whether this looks like a seal of the run with this uid. Nothing is verified; but a run gets its uid
/// when it is created, so nobody can create it with such an annotation.
pub fn names(seal: &str, uid: &str) -> bool {
    !uid.is_empty() && Parts::of(seal).is_some_and(|parts| parts.uid == uid)
}

/// Seals that are known to hold, by what [`digest`] says of each.
pub type Known = Recent<[u8; 32], 16_384>;

/// What a seal is known by: one mark of one run, and the seal itself.
pub fn digest(kind: Kind, metadata: &Metadata<'_>, mark: &str, seal: &str) -> [u8; 32] {
    // the encoding states its own length, so that nothing can move from one part into the other; what
    // was signed is in the seal
    let message = message(kind, metadata, mark, None);
    Sha256::new()
        .chain_update(message)
        .chain_update(seal)
        .finalize()
        .into()
}

/// Checks the seal of a run against the mark that it carries. At most one signature is verified.
pub fn verify<'r, 'k>(
    kind: Kind,
    metadata: &'r Metadata<'_>,
    keys: impl IntoIterator<Item = &'k PublicKey>,
) -> Result<Seal<'r>, SealError> {
    verify_unless_known(kind, metadata, keys, None)
}

/// The same, where no signature is verified for a seal that is known to hold. One that is found to
/// hold becomes known. The key has to be among the given ones in either case.
pub fn verify_unless_known<'r, 'k>(
    kind: Kind,
    metadata: &'r Metadata<'_>,
    keys: impl IntoIterator<Item = &'k PublicKey>,
    known: Option<&Known>,
) -> Result<Seal<'r>, SealError> {
    Carried::by(metadata)?.verify(kind, metadata, keys, known)
}

/// The parts of a seal.
struct Parts<'r> {
    key_id: &'r str,
    signature: Vec<u8>,
    uid: &'r str,
    payload: Option<&'r str>,
}

impl<'r> Parts<'r> {
    fn of(seal: &'r str) -> Option<Self> {
        if seal.len() > LONGEST {
            return None;
        }
        let mut words = seal.split(' ');
        let (key_id, signature, uid) = (words.next()?, words.next()?, words.next()?);
        let payload = words.next();
        let is_digest = |word: &str| {
            let hex = word.strip_prefix(DIGEST).unwrap_or_default();
            hex.len() == 64 && hex.bytes().all(is_lower_hex)
        };
        let is_whole = words.next().is_none() && payload.is_none_or(is_digest);
        let signature = STANDARD.decode(signature).ok()?;
        (is_whole && !signature.is_empty()).then_some(Self {
            key_id,
            signature,
            uid,
            payload,
        })
    }
}

/// The mark and the seal that a run carries.
struct Carried<'r> {
    mark: &'r str,
    seal: &'r str,
    parts: Parts<'r>,
}

impl<'r> Carried<'r> {
    fn by(metadata: &'r Metadata<'_>) -> Result<Self, SealError> {
        let seal = metadata.annotation(annotation::SEAL);
        let (Some(seal), Some(mark)) = (seal, metadata.annotation(annotation::SIGNED)) else {
            return Err(SealError::Missing);
        };
        let parts = Parts::of(seal).ok_or(SealError::Malformed)?;
        Ok(Self { mark, seal, parts })
    }

    fn verify<'k>(
        &self,
        kind: Kind,
        metadata: &Metadata<'_>,
        keys: impl IntoIterator<Item = &'k PublicKey>,
        known: Option<&Known>,
    ) -> Result<Seal<'r>, SealError> {
        let Parts {
            key_id,
            signature,
            uid,
            payload,
        } = &self.parts;
        if **uid != *metadata.uid {
            return Err(SealError::Mismatch);
        }
        let seal = Seal { payload: *payload };
        let key = keys.into_iter().find(|key| key.key_id() == *key_id);
        let key = key.ok_or(SealError::UnknownKey)?;
        let known = known.map(|known| (known, digest(kind, metadata, self.mark, self.seal)));
        if known.is_some_and(|(known, digest)| known.has(&digest)) {
            return Ok(seal);
        }
        key.verify(&message(kind, metadata, self.mark, *payload), signature)
            .map_err(|_| SealError::Mismatch)?;
        if let Some((known, digest)) = known {
            known.add(digest);
        }
        Ok(seal)
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
        let payload = payload_digest(b"signed");
        let mut run = json!({
            "kind": "TaskRun",
            "metadata": { "namespace": "a", "name": "n", "uid": "u", "annotations": {} },
        });
        let text = run.to_string();
        let read = Run::parse(text.as_bytes()).unwrap();
        let key = key(7);
        let signature = key
            .sign(&message(
                Kind::Task,
                read.metadata(),
                "true",
                Some(&payload),
            ))
            .unwrap();
        run["metadata"]["annotations"] = json!({
            annotation::SIGNED: "true",
            annotation::SEAL: annotation(&key.public_key().key_id(), &signature, "u", Some(&payload)),
        });
        change(&mut run);
        let text = run.to_string();
        let read = Run::parse(text.as_bytes()).unwrap();
        let keys = keys.iter().map(PrivateKey::public_key);
        let seal = verify(read.kind(), read.metadata(), keys)?;
        assert!(seal.is_of(b"signed") && !seal.is_of(b"other"));
        Ok(())
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
    fn a_seal_is_for_the_payload_that_was_signed() {
        let change = |to: fn(&str) -> String| {
            checked(
                |run| {
                    let seal = &mut run["metadata"]["annotations"][annotation::SEAL];
                    *seal = json!(to(seal.as_str().unwrap()));
                },
                &[key(7)],
            )
        };
        let without = |seal: &str| seal.rsplit_once(' ').unwrap().0.to_owned();
        assert_eq!(change(without), Err(SealError::Mismatch));
        let other = |seal: &str| {
            let digest = payload_digest(b"other");
            format!("{} {digest}", seal.rsplit_once(' ').unwrap().0)
        };
        assert_eq!(change(other), Err(SealError::Mismatch));
        for damage in [
            |seal: &str| seal.replace("sha256:", "sha512:"),
            |seal: &str| format!("{seal}0"),
            |seal: &str| format!("{seal} "),
        ] {
            assert_eq!(change(damage), Err(SealError::Malformed));
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
        for text in ["", "x", "SHA256:x MEUC", "SHA256:x % u", &"x ".repeat(4000)] {
            assert_eq!(
                sealed_as(json!(text)),
                Err(SealError::Malformed),
                "{text:.20}"
            );
        }
        let own = key(7).public_key().key_id();
        assert_eq!(
            sealed_as(json!(format!("{own} MEUC u"))),
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
        let seal = annotation(&key_id, b"made here", "u", None);
        let known = Known::default();
        let judge = |text: &str, keys: &[PrivateKey]| {
            let run = Run::parse(text.as_bytes()).unwrap();
            let keys = keys.iter().map(PrivateKey::public_key);
            verify_unless_known(run.kind(), run.metadata(), keys, Some(&known)).map(drop)
        };
        let other = annotation(&key_id, b"made there", "u", None);
        let own = run("true", "u", &seal);
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
        let signature = key(7).sign(&message(Kind::Task, run.metadata(), "true", None));
        let seal = annotation(
            &key(7).public_key().key_id(),
            &signature.unwrap(),
            "u",
            None,
        );
        let text = json!({ "kind": "TaskRun", "metadata": { "uid": "u", "annotations": {
            annotation::SIGNED: "true", annotation::SEAL: seal,
        } } })
        .to_string();
        let run = Run::parse(text.as_bytes()).unwrap();
        let known = Known::default();
        let digest = digest(Kind::Task, run.metadata(), "true", &seal);
        assert!(!known.has(&digest));
        let verified = verify_unless_known(
            Kind::Task,
            run.metadata(),
            [key(7).public_key()],
            Some(&known),
        );
        assert_eq!(verified, Ok(Seal { payload: None }));
        assert!(known.has(&digest));
    }

    #[test]
    fn a_seal_names_the_run_by_its_uid() {
        let seal = annotation("SHA256:x", b"signature", "u-1", None);
        assert!(names(&seal, "u-1"));
        assert!(!names(&seal, "u-2"));
        for text in ["", "x", "SHA256:x u-1", "SHA256:x % u-1"] {
            assert!(!names(text, "u-1"), "{text}");
        }
        let nameless = annotation("SHA256:x", b"signature", "", None);
        assert!(!names(&nameless, ""));
    }

    #[test]
    fn a_seal_is_never_an_attestation() {
        let run = Run::parse(br#"{"kind":"TaskRun"}"#).unwrap();
        let message = message(Kind::Task, run.metadata(), "true", None);
        assert!(message.starts_with(b"DSSEv1 34 application/vnd.windlass.seal+json "));
    }
}
