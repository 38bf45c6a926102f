//! A signed artifact: what was signed, the signature over it, and who signed.
//!
//! A [`Signed`] is made once and shared, as `Arc<Signed>`, by every place in which it is kept. It
//! cannot be cloned: a run of a thousand images has one envelope and not a thousand.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::certificate;
use crate::dsse::{self, Envelope, IN_TOTO};
use crate::image::Image;
use crate::key::{Certificate, PublicKey};
use crate::payload::Payload;
use crate::run::Run;

mod log_entry;

pub use log_entry::{Further, LogEntry, StoredProof, timestamp_in};

#[cfg(test)]
mod tests;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Artifact {
    /// The run itself.
    Run {
        /// [`Run::short_key`].
        short_key: String,
    },
    /// An image that the run built, or that somebody named.
    Image(Image),
    /// A file that somebody named.
    File,
}

impl Artifact {
    /// The run itself.
    pub fn of_run(run: &Run<'_>) -> Self {
        let short_key = run.short_key();
        Self::Run { short_key }
    }

    /// What names the artifact within its run, in annotations: `taskrun-UID`, or the first twelve
    /// digits of an image's digest.
    pub fn short_key(&self) -> &str {
        match self {
            Self::Run { short_key } => short_key,
            Self::Image(image) => image.short_key(),
            Self::File => "file",
        }
    }
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Whoever has the private half of this key.
    Key(PublicKey),
    /// Whom a certificate names, which was issued for this signature or for a while.
    Certificate {
        /// The certificate of the key that signed.
        leaf: Certificate,
        /// PEM blocks of the certificates up to the root, as the authority gave them; may be empty.
        chain: String,
    },
}

impl Identity {
    /// The key with which the signature is verified.
    pub fn public_key(&self) -> &PublicKey {
        match self {
            Self::Key(key) => key,
            Self::Certificate { leaf, .. } => leaf.public_key(),
        }
    }

    /// Whether its certificate, if it has one, has not ended, so that logs and authorities can be shown it.
    pub fn is_current(&self, now: Timestamp) -> bool {
        match self {
            Self::Key(_) => true,
            Self::Certificate { leaf, .. } => certificate::is_current(leaf, now),
        }
    }

    /// The `keyid` in envelopes, see [`PublicKey::key_id`].
    pub fn key_id(&self) -> String {
        self.public_key().key_id()
    }

    /// PEM of the certificate, for annotations; empty for a plain key.
    pub fn certificate_pem(&self) -> String {
        match self {
            Self::Key(_) => String::new(),
            Self::Certificate { leaf, .. } => leaf.to_pem(),
        }
    }

    /// PEM of the chain, for annotations; empty for a plain key.
    pub fn chain_pem(&self) -> &str {
        match self {
            Self::Key(_) => "",
            Self::Certificate { chain, .. } => chain,
        }
    }
}

/// A signature as a signer makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// ASN.1 DER for ECDSA, raw bytes for the other algorithms.
    pub bytes: Vec<u8>,
    /// Who made it.
    pub identity: Arc<Identity>,
    /// Whether the signer would make the same bytes again.
    pub repeatability: Repeatability,
}

/// Whether a signer makes the same signature of the same message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeatability {
    /// The same bytes (RFC 6979, RFC 8032, PKCS#1 v1.5): a signature that is lost is made again.
    Repeatable,
    /// Other bytes every time: a signature is kept until all stores have it.
    Unique,
}

/// A signature as stores write it.
#[derive(Debug, PartialEq, Eq)]
pub enum SignatureForm {
    /// In an envelope, together with the payload: statements.
    Envelope(Envelope),
    /// By itself, over the payload's bytes: every other format.
    Detached(Vec<u8>),
}

/// What a timestamp is of: cosign looks for one of the signature, and beside an attestation under a tag for
/// one of the whole envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamped {
    /// The signature itself.
    Signature,
    /// The envelope, byte by byte as it is stored.
    Envelope,
}

impl Stamped {
    /// The timestamp in an annotation of a layer, as the member that a run keeps it in; none if it cannot be read.
    pub fn kept(self, annotation: &str) -> Option<(String, Value)> {
        let timestamp = timestamp_in(annotation)?;
        match self {
            Self::Signature => {
                let timestamps = [&timestamp].into_iter();
                let material = log_entry::material(std::iter::empty(), timestamps);
                material.into_iter().next()
            }
            Self::Envelope => Some(log_entry::of_envelope(&timestamp)),
        }
    }
}

/// An artifact with its payload and signature.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub artifact: Artifact,
    /// What was said about it.
    pub payload: Payload,
    /// The signature over the payload.
    pub signature: SignatureForm,
    /// Who signed.
    pub identity: Arc<Identity>,
    /// Whether the signer would make the same signature again.
    pub repeatability: Repeatability,
    /// Where a transparency log has it, if one does; set once.
    pub entry: OnceLock<LogEntry>,
    /// When the signature was made according to a timestamp authority: its response (RFC 3161, DER),
    /// checked; set once.
    pub timestamp: OnceLock<Vec<u8>>,
    /// The same of the envelope.
    pub envelope_timestamp: OnceLock<Vec<u8>>,
    /// What further logs and authorities say, where several were asked for; set once, when all have.
    pub further: OnceLock<Further>,
}

/// The bytes that a signer has to sign for a payload: its [`pae`](dsse::pae) if it is a statement,
/// else the payload's own.
pub fn message(payload: &Payload) -> Cow<'_, [u8]> {
    if payload.format.is_statement() {
        Cow::Owned(dsse::pae(IN_TOTO, &payload.bytes))
    } else {
        Cow::Borrowed(&payload.bytes)
    }
}

impl Signed {
    /// Puts a payload and the signature over its [`message`] together.
    pub fn new(artifact: Artifact, payload: Payload, signature: Signature) -> Self {
        let Signature {
            bytes,
            identity,
            repeatability,
        } = signature;
        let signature = if payload.format.is_statement() {
            let keyid = identity.key_id();
            let envelope = Envelope::with_signature(IN_TOTO, &payload.bytes, keyid, &bytes);
            SignatureForm::Envelope(envelope)
        } else {
            SignatureForm::Detached(bytes)
        };
        Self {
            artifact,
            payload,
            signature,
            identity,
            repeatability,
            entry: OnceLock::new(),
            timestamp: OnceLock::new(),
            envelope_timestamp: OnceLock::new(),
            further: OnceLock::new(),
        }
    }

    /// Takes up a signature that was stored earlier, as [`Self::signature_text`] gave it. None if
    /// `identity` did not sign this payload with it: nothing that was stored is believed.
    pub fn restore(
        artifact: &Artifact,
        payload: &Payload,
        stored: &[u8],
        identity: &Arc<Identity>,
        repeatability: Repeatability,
    ) -> Option<Self> {
        let bytes = if payload.format.is_statement() {
            let envelope = Envelope::from_json(stored).ok()?;
            let [signature] = envelope.signatures.as_slice() else {
                return None;
            };
            signature.decode()?
        } else {
            stored.to_vec()
        };
        let signature = Signature {
            bytes,
            identity: Arc::clone(identity),
            repeatability,
        };
        let signed = Self::checked(artifact, payload, signature)?;
        // whatever else is in what was stored is not ours
        (*signed.signature_text() == *stored).then_some(signed)
    }

    /// The same of a signature by itself.
    pub fn checked(artifact: &Artifact, payload: &Payload, signature: Signature) -> Option<Self> {
        let signed = Self::new(artifact.clone(), payload.clone(), signature);
        let key = signed.identity.public_key();
        let is_theirs = match &signed.signature {
            SignatureForm::Envelope(envelope) => envelope.verify(key).is_ok(),
            SignatureForm::Detached(bytes) => key.verify(&payload.bytes, bytes).is_ok(),
        };
        is_theirs.then_some(signed)
    }

    /// The signature as stores write it: the JSON of the envelope, or the bytes of the signature.
    pub fn signature_text(&self) -> Cow<'_, [u8]> {
        match &self.signature {
            SignatureForm::Envelope(envelope) => Cow::Owned(envelope.to_json().into_bytes()),
            SignatureForm::Detached(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// The signature itself; none if it is not base64.
    pub fn signature_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match &self.signature {
            SignatureForm::Envelope(envelope) => {
                let first = envelope.signatures.first()?;
                first.decode().map(Cow::Owned)
            }
            SignatureForm::Detached(bytes) => Some(Cow::Borrowed(bytes)),
        }
    }

    /// The bytes that a timestamp is of; none if the signature is not base64, or there is no envelope.
    pub fn stamped_bytes(&self, what: Stamped) -> Option<Cow<'_, [u8]>> {
        match what {
            Stamped::Signature => self.signature_bytes(),
            Stamped::Envelope => self.envelope().map(|_| self.signature_text()),
        }
    }

    /// Where the timestamp of this is kept.
    pub fn timestamp_of(&self, what: Stamped) -> &OnceLock<Vec<u8>> {
        match what {
            Stamped::Signature => &self.timestamp,
            Stamped::Envelope => &self.envelope_timestamp,
        }
    }

    /// The entries of all logs that have it.
    pub fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        let further = self.further.get().map(|further| &further.entries);
        self.entry
            .get()
            .into_iter()
            .chain(further.into_iter().flatten())
    }

    /// The timestamps of the signature by all authorities that were asked.
    pub fn timestamps(&self) -> impl Iterator<Item = &Vec<u8>> {
        let further = self.further.get().map(|further| &further.timestamps);
        self.timestamp
            .get()
            .into_iter()
            .chain(further.into_iter().flatten())
    }

    /// What vouches for the signature, as members of `verificationMaterial` in a bundle; may be empty.
    pub fn proof(&self) -> Map<String, Value> {
        log_entry::material(self.entries(), self.timestamps())
    }

    /// The same with the timestamp of the envelope, which no bundle has: what a run keeps, and
    /// [`StoredProof`] reads.
    pub fn stored_proof(&self) -> Map<String, Value> {
        let mut proof = self.proof();
        let timestamp = self.envelope_timestamp.get();
        proof.extend(timestamp.map(|timestamp| log_entry::of_envelope(timestamp)));
        proof
    }

    /// How many bytes that has, about.
    pub fn proof_size(&self) -> usize {
        let timestamps = [&self.timestamp, &self.envelope_timestamp];
        let sizes = timestamps.map(|timestamp| timestamp.get().map_or(0, Vec::len));
        let further = self.further.get().map_or(0, Further::size);
        self.entry.get().map_or(0, LogEntry::size) + sizes.iter().sum::<usize>() + further
    }

    /// A timestamp as cosign reads it, in an annotation of a layer or in a file.
    pub fn timestamp_text(&self, what: Stamped) -> Option<String> {
        let timestamp = self.timestamp_of(what).get();
        timestamp.map(|timestamp| log_entry::timestamp_text(timestamp))
    }

    /// The envelope, if the payload is a statement.
    pub fn envelope(&self) -> Option<&Envelope> {
        match &self.signature {
            SignatureForm::Envelope(envelope) => Some(envelope),
            SignatureForm::Detached(_) => None,
        }
    }
}
