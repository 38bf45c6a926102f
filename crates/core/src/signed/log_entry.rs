//! What vouches for a signature: its entry in a transparency log, and when it was made according to an
//! authority. Both are in one form everywhere: that of `verificationMaterial` in a Sigstore bundle. A run
//! keeps the timestamp of an envelope beside them, for which bundles have no place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::json::strict;
use crate::timestamp;
use crate::tlog::{Entry, parse_bundled};

/// Most bytes of what a run keeps of one signature.
const LONGEST: usize = 128 << 10;

/// The entry of a transparency log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Where the entry can be read.
    pub url: String,
    /// The entry itself, checked.
    pub entry: Entry,
}

/// What logs and authorities say besides the first of each, which alone has a place under tags and on runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Further {
    /// Entries of other logs, checked.
    pub entries: Vec<LogEntry>,
    /// Responses of other authorities about the signature (RFC 3161, DER), checked.
    pub timestamps: Vec<Vec<u8>>,
}

impl Further {
    /// How many bytes it has, about.
    pub(super) fn size(&self) -> usize {
        let entries = self.entries.iter().map(LogEntry::size);
        let timestamps = self.timestamps.iter().map(Vec::len);
        entries.sum::<usize>() + timestamps.sum::<usize>()
    }
}

/// The member with the timestamp of an envelope in what a run keeps; the others are those of a bundle.
const OF_ENVELOPE: &str = "envelopeTimestamp";

/// An entry and timestamps that a run keeps. Whoever may edit the run may have written them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StoredProof {
    /// The entry.
    pub entry: Option<Entry>,
    /// The response of the timestamp authority about the signature.
    pub timestamp: Option<Vec<u8>>,
    /// Its response about the envelope.
    pub envelope_timestamp: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default)]
    tlog_entries: Vec<&'a RawValue>,
    #[serde(default)]
    timestamp_verification_data: WireTimestamps,
    #[serde(default)]
    envelope_timestamp: Option<WireTimestamp>,
}

#[derive(Deserialize, Default)]
struct WireTimestamps {
    #[serde(default, rename = "rfc3161Timestamps")]
    rfc3161_timestamps: Vec<WireTimestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTimestamp {
    signed_timestamp: String,
}

impl LogEntry {
    /// How many bytes it has, about.
    pub(super) fn size(&self) -> usize {
        let proof = &self.entry.proof;
        self.entry.body.len() + proof.checkpoint.len() + proof.nodes.len() * 32
    }
}

/// The members of `verificationMaterial` that entries and timestamps make up.
pub(super) fn material<'m>(
    entries: impl Iterator<Item = &'m LogEntry>,
    timestamps: impl Iterator<Item = &'m Vec<u8>>,
) -> Map<String, Value> {
    let entries: Vec<Value> = entries.map(|one| one.entry.to_bundle()).collect();
    let timestamps: Vec<Value> = timestamps.map(|one| wire(one)).collect();
    let mut material = Map::new();
    if !entries.is_empty() {
        material.insert("tlogEntries".to_owned(), json!(entries));
    }
    if !timestamps.is_empty() {
        let timestamps = json!({ "rfc3161Timestamps": timestamps });
        material.insert("timestampVerificationData".to_owned(), timestamps);
    }
    material
}

/// The member that a timestamp of an envelope makes up.
pub(super) fn of_envelope(timestamp: &[u8]) -> (String, Value) {
    (OF_ENVELOPE.to_owned(), wire(timestamp))
}

fn wire(timestamp: &[u8]) -> Value {
    json!({ "signedTimestamp": STANDARD.encode(timestamp) })
}

/// A timestamp as cosign reads it in the annotation `dev.sigstore.cosign/rfc3161timestamp` of a layer and
/// in a file of its own.
pub(super) fn timestamp_text(timestamp: &[u8]) -> String {
    json!({ "SignedRFC3161Timestamp": STANDARD.encode(timestamp) }).to_string()
}

/// The timestamp in such an annotation, unchecked; none if it cannot be read.
pub fn timestamp_in(annotation: &str) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Annotation {
        #[serde(rename = "SignedRFC3161Timestamp")]
        timestamp: String,
    }
    let text = Some(annotation).filter(|text| text.len() <= LONGEST)?;
    let read: Annotation = serde_json::from_str(strict(text.as_bytes()).ok()?).ok()?;
    decoded(&read.timestamp)
}

/// A timestamp in base64; none if it is longer than any.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let timestamp = STANDARD.decode(text).ok();
    timestamp.filter(|timestamp| timestamp.len() <= timestamp::LONGEST)
}

impl StoredProof {
    /// What is in the annotation of a run; nothing of it is checked, and what cannot be read is not there.
    pub fn read(text: &str) -> Self {
        if text.len() > LONGEST {
            return Self::default();
        }
        let wire = strict(text.as_bytes()).ok();
        let wire = wire.and_then(|text| serde_json::from_str::<Wire<'_>>(text).ok());
        let Some(wire) = wire else {
            return Self::default();
        };
        let entry = match wire.tlog_entries.as_slice() {
            [entry] => parse_bundled(entry.get().as_bytes()).ok(),
            _ => None,
        };
        let timestamp = match wire
            .timestamp_verification_data
            .rfc3161_timestamps
            .as_slice()
        {
            [one] => decoded(&one.signed_timestamp),
            _ => None,
        };
        let of_envelope = wire.envelope_timestamp;
        Self {
            entry,
            timestamp,
            envelope_timestamp: of_envelope.and_then(|one| decoded(&one.signed_timestamp)),
        }
    }
}
