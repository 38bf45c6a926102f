//! The seal: a signature over the mark of a run, which makes the mark evidence.
//!
//! Anybody who may create a run may mark it as signed, and who may patch it can pretend in
//! `managedFields` to be any program. A mark is therefore believed for its seal: the signing key
//! signs kind, namespace, name and uid of the run together with the mark, and the digest of what it
//! signed of the run. A seal holds for one run, one outcome and one payload, whatever is stored
//! where, and can be checked without reading anything else.
//!
//! A signer without a key of its own has one for some minutes, with a certificate that names it. Its
//! seals have the certificate in them: they are believed if the authority is one that is known, whom
//! the certificate names is the signer, and the key made the seal. When the certificate was valid does
//! not matter, as its key is gone: it never was anywhere but in the memory of the signer.
//!
//! The signed text is DSSE's encoding of a type of its own, so that no seal can be taken for an
//! attestation or an image signature, nor the other way round.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::annotation;
use crate::certificate::Authority;
use crate::dsse;
use crate::hex;
use crate::image::is_lower_hex;
use crate::json::{Json, Object};
use crate::key::{Certificate, PublicKey};
use crate::recent::Recent;
use crate::run::{Kind, Metadata};
use crate::signed::Identity;

/// What is signed.
const PAYLOAD_TYPE: &str = "application/vnd.windlass.seal+json";
/// How a digest begins, before its 64 digits.
const DIGEST: &str = "sha256:";
/// How a certificate begins, before its base64.
const CERTIFICATE: &str = "cert:";
/// Longest annotation that is read. The signature of an RSA key of 16,384 bits takes 2,732 letters, and
/// the largest certificate 4,096.
const LONGEST: usize = 6144;
/// Largest certificate of a signer that fits into a seal, as DER.
pub const LARGEST_CERTIFICATE: usize = 3072;

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
    format!("{DIGEST}{}", hex::digits(&Sha256::digest(payload)))
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

/// The same of whoever signs. A certificate is added, since its key is used for some minutes only.
pub fn annotation_by(
    identity: &Identity,
    signature: &[u8],
    uid: &str,
    payload: Option<&str>,
) -> String {
    let seal = annotation(&identity.key_id(), signature, uid, payload);
    match identity {
        Identity::Key(_) => seal,
        Identity::Certificate { leaf, .. } => {
            format!("{seal} {CERTIFICATE}{}", STANDARD.encode(leaf.der()))
        }
    }
}

/// Whether this looks like a seal of the run with this uid. Nothing is verified; but a run gets its uid
/// when it is created, so nobody can create it with such an annotation.
pub fn names(seal: &str, uid: &str) -> bool {
    !uid.is_empty() && Parts::of(seal).is_some_and(|parts| parts.uid == uid)
}

/// The certificate in the seal of a run, if it has one. Nothing is verified: whoever is to be believed to
/// have issued it is what [`verify_by`] takes.
pub fn certificate(metadata: &Metadata<'_>) -> Option<Certificate> {
    let seal = metadata.annotation(annotation::SEAL)?;
    Certificate::from_der(Parts::of(seal)?.certificate?).ok()
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
    verify_by(kind, metadata, keys, [], known)
}

/// The same, where a seal may also be by a key that one of these authorities certified for the identity
/// it is known for.
pub fn verify_by<'r, 'k>(
    kind: Kind,
    metadata: &'r Metadata<'_>,
    keys: impl IntoIterator<Item = &'k PublicKey>,
    authorities: impl IntoIterator<Item = &'k Authority>,
    known: Option<&Known>,
) -> Result<Seal<'r>, SealError> {
    let carried = Carried::by(metadata)?;
    carried.verify(kind, metadata, (keys, authorities), known)
}

/// The parts of a seal.
struct Parts<'r> {
    key_id: &'r str,
    signature: Vec<u8>,
    uid: &'r str,
    payload: Option<&'r str>,
    /// The certificate of the key, DER.
    certificate: Option<Vec<u8>>,
}

impl<'r> Parts<'r> {
    fn of(seal: &'r str) -> Option<Self> {
        if seal.len() > LONGEST {
            return None;
        }
        let mut words = seal.split(' ').peekable();
        let (key_id, signature, uid) = (words.next()?, words.next()?, words.next()?);
        let is_certificate = |word: &&str| word.starts_with(CERTIFICATE);
        let payload = words.next_if(|word| !is_certificate(word));
        let certificate = match words.next_if(is_certificate) {
            Some(word) => Some(STANDARD.decode(word.strip_prefix(CERTIFICATE)?).ok()?),
            None => None,
        };
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
            certificate,
        })
    }

    /// The key of the certificate, if one of these authorities issued it. For a seal that is known to
    /// hold that is known too, and only whom it names is compared.
    fn certified<'k>(
        &self,
        authorities: impl IntoIterator<Item = &'k Authority>,
        is_known: impl Fn() -> bool,
    ) -> Option<PublicKey> {
        let leaf = Certificate::from_der(self.certificate.clone()?).ok()?;
        if leaf.public_key().key_id() != self.key_id {
            return None;
        }
        let is_known = is_known();
        let mut authorities = authorities.into_iter();
        let is_theirs = |authority: &Authority| {
            if is_known {
                authority.is_named_by(&leaf)
            } else {
                authority.has_issued(&leaf)
            }
        };
        let is_certified = authorities.any(is_theirs);
        is_certified.then(|| leaf.public_key().clone())
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
        (keys, authorities): (
            impl IntoIterator<Item = &'k PublicKey>,
            impl IntoIterator<Item = &'k Authority>,
        ),
        known: Option<&Known>,
    ) -> Result<Seal<'r>, SealError> {
        let Parts {
            key_id,
            signature,
            uid,
            payload,
            ..
        } = &self.parts;
        if **uid != *metadata.uid {
            return Err(SealError::Mismatch);
        }
        let seal = Seal { payload: *payload };
        let known = known.map(|known| (known, digest(kind, metadata, self.mark, self.seal)));
        let is_known = || known.is_some_and(|(known, digest)| known.has(&digest));
        let given = keys.into_iter().find(|key| key.key_id() == *key_id);
        let certified = match given {
            Some(_) => None,
            None => self.parts.certified(authorities, is_known),
        };
        let key = given.or(certified.as_ref());
        let key = key.ok_or(SealError::UnknownKey)?;
        if is_known() {
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
mod tests;
