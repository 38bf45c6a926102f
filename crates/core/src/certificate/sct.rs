//! Signed certificate timestamps (RFC 6962, section 3): the promise of a log that it publishes a
//! certificate. Fulcio puts them into its certificates, or gives one beside the certificate.

use jiff::Timestamp;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier};
use pkcs8::der::{Tag, Tagged as _};
use sha2::{Digest as _, Sha256};

use super::der::Details;
use crate::key::{Certificate, PublicKey, Scheme};

/// The extension with the timestamps of a certificate.
const LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
/// Most timestamps that are looked at.
const MOST: usize = 8;
/// How far the clock of a log may be ahead, in seconds.
const AHEAD: i64 = 60;

/// Why there is no promise of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SctError {
    /// There is none.
    #[error("it comes with no timestamp of a certificate transparency log")]
    Missing,
    /// It cannot be read.
    #[error("the timestamp of its certificate transparency log is malformed")]
    Malformed,
    /// It is of none of the logs that are trusted.
    #[error("its timestamp is of a certificate transparency log whose key is not the given one")]
    OtherLog,
    /// The log did not sign it for this certificate.
    #[error("the timestamp of its certificate transparency log is for another certificate")]
    Mismatch,
    /// It is from the future.
    #[error("the timestamp of its certificate transparency log is from the future")]
    Future,
}

/// A timestamp of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sct {
    log: [u8; 32],
    /// Milliseconds since 1970.
    time: u64,
    extensions: Vec<u8>,
    signature: Vec<u8>,
}

impl Sct {
    /// One that is not in its certificate.
    pub fn new(log: [u8; 32], time: u64, extensions: Vec<u8>, signed: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(signed);
        let signature = signature(&mut bytes)?;
        let rest = bytes.0.is_empty();
        rest.then_some(Self {
            log,
            time,
            extensions,
            signature,
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let (version, log) = (bytes.number(1)?, bytes.take(32)?.try_into().ok()?);
        let time = bytes.number(8)?;
        let length = bytes.length(2)?;
        let extensions = bytes.take(length)?.to_vec();
        let signature = signature(&mut bytes)?;
        (version == 0 && bytes.0.is_empty()).then_some(Self {
            log,
            time,
            extensions,
            signature,
        })
    }

    /// Checks that one of these logs signed it over an entry.
    fn check(&self, entry: &[u8], logs: &[PublicKey], now: Timestamp) -> Result<(), SctError> {
        let is_it = |key: &&PublicKey| *Sha256::digest(key.der()) == self.log;
        let key = logs.iter().find(is_it).ok_or(SctError::OtherLog)?;
        let time = self.time.to_be_bytes();
        let length = u16::try_from(self.extensions.len()).map_err(|_| SctError::Malformed)?;
        // version 1, a certificate's timestamp
        let signed = [
            &[0, 0],
            &time[..],
            entry,
            &length.to_be_bytes(),
            &self.extensions,
        ]
        .concat();
        let scheme = key.verify(&signed, &self.signature);
        let is_theirs = matches!(
            scheme,
            Ok(Scheme::EcdsaSha256 | Scheme::RsaSha256 | Scheme::Ed25519)
        );
        if !is_theirs {
            return Err(SctError::Mismatch);
        }
        let seconds = i64::try_from(self.time / 1000).map_err(|_| SctError::Future)?;
        if seconds > now.as_second().saturating_add(AHEAD) {
            return Err(SctError::Future);
        }
        Ok(())
    }
}

/// Whether a certificate has timestamps in it.
pub fn is_embedded(leaf: &Certificate) -> bool {
    Details::of(leaf).is_ok_and(|details| details.extension(LIST).is_some())
}

/// Checks the timestamps in a certificate that `issuer` issued: one of these logs has to have promised
/// to publish it.
pub fn check_embedded(
    leaf: &Certificate,
    issuer: &Certificate,
    logs: &[PublicKey],
    now: Timestamp,
) -> Result<(), SctError> {
    let details = Details::of(leaf).map_err(|_| SctError::Malformed)?;
    let list = details.extension(LIST).ok_or(SctError::Missing)?;
    let stamps = list_of(list).ok_or(SctError::Malformed)?;
    let entry = entry_without_list(&details, issuer).ok_or(SctError::Malformed)?;
    let mut reason = SctError::Missing;
    for stamp in &stamps {
        match stamp.check(&entry, logs, now) {
            Ok(()) => return Ok(()),
            Err(error) => reason = error,
        }
    }
    Err(reason)
}

/// Checks a timestamp that came beside a certificate.
pub fn check_detached(
    leaf: &Certificate,
    stamp: &Sct,
    logs: &[PublicKey],
    now: Timestamp,
) -> Result<(), SctError> {
    let der = leaf.der();
    let length = length_of(der).ok_or(SctError::Malformed)?;
    let entry = [&[0, 0], &length[..], der].concat();
    stamp.check(&entry, logs, now)
}

/// What a log signs of a certificate that has timestamps in it: the signed part without them, and the
/// key that issues it.
fn entry_without_list(details: &Details<'_>, issuer: &Certificate) -> Option<Vec<u8>> {
    let kept = details.extensions.iter().filter(|one| one.id != LIST);
    let kept = kept.map(|one| one.whole).collect::<Vec<_>>().concat();
    let extensions = wrap(0xa3, &wrap(0x30, &kept)?)?;
    let tbs = wrap(0x30, &[details.head, &extensions].concat())?;
    let issuer = Sha256::digest(issuer.public_key().der());
    let length = length_of(&tbs)?;
    Some([&[0, 1], &issuer[..], &length, &tbs].concat())
}

/// The timestamps in the value of the extension.
fn list_of(value: &[u8]) -> Option<Vec<Sct>> {
    let inner = AnyRef::from_der(value).ok()?;
    inner.tag().assert_eq(Tag::OctetString).ok()?;
    let mut bytes = Bytes(inner.value());
    let whole = bytes.length(2)?;
    if whole != bytes.0.len() {
        return None;
    }
    let mut stamps = Vec::new();
    while !bytes.0.is_empty() && stamps.len() < MOST {
        let length = bytes.length(2)?;
        stamps.push(Sct::read(bytes.take(length)?)?);
    }
    Some(stamps)
}

/// A signature with its algorithm (RFC 5246, section 4.7), of those that logs use.
fn signature(bytes: &mut Bytes<'_>) -> Option<Vec<u8>> {
    let (hash, algorithm) = (bytes.number(1)?, bytes.number(1)?);
    let length = bytes.length(2)?;
    let signature = bytes.take(length)?.to_vec();
    // SHA-256 with RSA or ECDSA; Ed25519 has no hash
    matches!((hash, algorithm), (4, 1 | 3) | (8, 7)).then_some(signature)
}

/// The length of a certificate in three bytes.
fn length_of(der: &[u8]) -> Option<[u8; 3]> {
    let [first, rest @ ..] = u32::try_from(der.len()).ok()?.to_be_bytes();
    (first == 0).then_some(rest)
}

/// DER with this tag.
fn wrap(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let mut der = vec![tag];
    let length = u32::try_from(content.len()).ok()?.to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let digits = length.get(zeros..)?;
    match digits {
        [] => der.push(0),
        [short] if *short < 0x80 => der.push(*short),
        digits => {
            der.push(0x80 | u8::try_from(digits.len()).ok()?);
            der.extend(digits);
        }
    }
    der.extend(content);
    Some(der)
}

/// Bytes that are taken from the front.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number in this many bytes.
    fn number(&mut self, count: usize) -> Option<u64> {
        let digits = self.take(count)?.iter();
        Some(digits.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length(&mut self, count: usize) -> Option<usize> {
        usize::try_from(self.number(count)?).ok()
    }
}
