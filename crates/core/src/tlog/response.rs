//! What Rekor responds with: one entry, under its identifier. Source: Rekor's `openapi.yaml`, version 1.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::entry::{Entry, Promise, Proof};
use super::merkle::{Hash, MOST_NODES};
use super::proposal::Kind;
use crate::json::strict;

/// The parameter that names an entry by its number.
const INDEX: &str = "logIndex=";
/// Digits of an identifier, without and with that of its tree.
const UUID: [usize; 2] = [64, 80];

/// A response has another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the response is malformed: {0}")]
pub struct MalformedResponse(pub(super) &'static str);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    body: String,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: Option<WireVerification>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVerification {
    signed_entry_timestamp: Option<String>,
    inclusion_proof: Option<WireProof>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProof {
    log_index: u64,
    tree_size: u64,
    root_hash: String,
    hashes: Vec<String>,
    checkpoint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBody {
    kind: String,
    api_version: String,
}

/// The entry in a response. Nothing in it is checked, see [`Entry::check`].
pub fn parse(response: &[u8]) -> Result<Entry, MalformedResponse> {
    let malformed = |_| MalformedResponse("it is not an entry of Rekor");
    let text = strict(response).map_err(|_| MalformedResponse("it is not JSON"))?;
    let entries: BTreeMap<String, WireEntry> = serde_json::from_str(text).map_err(malformed)?;
    let mut entries = entries.into_values();
    let (Some(entry), None) = (entries.next(), entries.next()) else {
        return Err(MalformedResponse("it does not have exactly one entry"));
    };
    let verification = entry.verification;
    let verification = verification.ok_or(MalformedResponse("the entry has no verification"))?;
    let promise = verification.signed_entry_timestamp;
    let promise = promise.and_then(|text| STANDARD.decode(text).ok());
    let promise = promise.ok_or(MalformedResponse("the entry has no signed entry timestamp"))?;
    let proof = verification.inclusion_proof;
    let proof = proof.ok_or(MalformedResponse("the entry has no inclusion proof"))?;
    let body = STANDARD.decode(entry.body);
    let body = body.map_err(|_| MalformedResponse("the body of the entry is not base64"))?;
    let log_id = hash(&entry.log_id).ok_or(MalformedResponse("the log ID is not a hash"))?;
    Ok(Entry {
        kind: kind(&body)?,
        body,
        log_id,
        index: entry.log_index,
        promise: Some(Promise {
            time: entry.integrated_time,
            signature: promise,
        }),
        proof: proof.read()?,
    })
}

impl WireProof {
    fn read(self) -> Result<Proof, MalformedResponse> {
        let numbers = (self.log_index, self.tree_size);
        let nodes = self.hashes.iter().map(|text| hash(text));
        proof(numbers, hash(&self.root_hash), nodes, self.checkpoint)
    }
}

/// A proof of its number in the tree and the size of that, and of its hashes, none of which may be
/// something else.
pub(super) fn proof(
    (index, size): (u64, u64),
    root: Option<Hash>,
    nodes: impl ExactSizeIterator<Item = Option<Hash>>,
    checkpoint: String,
) -> Result<Proof, MalformedResponse> {
    const NO_HASH: MalformedResponse = MalformedResponse("the inclusion proof is not of hashes");
    if nodes.len() > MOST_NODES {
        return Err(MalformedResponse("the inclusion proof is too long"));
    }
    Ok(Proof {
        index,
        size,
        root: root.ok_or(NO_HASH)?,
        nodes: nodes.collect::<Option<_>>().ok_or(NO_HASH)?,
        checkpoint,
    })
}

fn kind(body: &[u8]) -> Result<Kind, MalformedResponse> {
    let body: Option<WireBody> = serde_json::from_slice(body).ok();
    let kind = body.and_then(|body| Kind::of(&body.kind, &body.api_version));
    // what is of version 2 is in another log
    let kind = kind.filter(|kind| *kind != Kind::HashedRekordV2);
    kind.ok_or(MalformedResponse("the entry is of another kind"))
}

/// A hash in hexadecimal digits.
fn hash(digits: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// The number of an entry in the URL under which it can be read.
///
/// ```
/// let url = "https://rekor.example/api/v1/log/entries?logIndex=7";
/// assert_eq!(windlass_core::tlog::index_in_url(url), Some(7));
/// ```
pub fn index_in_url(url: &str) -> Option<u64> {
    let (_, query) = url.rsplit_once('?')?;
    let digits = query.strip_prefix(INDEX)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// The identifier at the end of the path to an entry.
pub fn uuid_in_location(path: &str) -> Option<&str> {
    let uuid = path.rsplit('/').next()?;
    let is_uuid = UUID.contains(&uuid.len()) && uuid.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_uuid.then_some(uuid)
}
