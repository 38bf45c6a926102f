//! Entries in the form of Sigstore's bundles, `TransparencyLogEntry` of `sigstore_rekor.proto`: what a log
//! of version 2 responds with, and what a run keeps of its entries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::entry::{Entry, Promise, Proof};
use super::merkle::Hash;
use super::proposal::Kind;
use super::response::{MalformedResponse, proof};
use crate::json::strict;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    #[serde(default)]
    log_index: Number,
    log_id: WireId,
    kind_version: WireKind,
    #[serde(default)]
    integrated_time: Option<String>,
    #[serde(default)]
    inclusion_promise: Option<WirePromise>,
    inclusion_proof: WireProof,
    canonicalized_body: String,
}

/// A number as JSON of protobuf has it: in quotes. Zero may be left out.
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Number(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireId {
    key_id: String,
}

#[derive(Deserialize)]
struct WireKind {
    kind: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePromise {
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProof {
    #[serde(default)]
    log_index: Number,
    tree_size: Number,
    root_hash: String,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: WireCheckpoint,
}

#[derive(Deserialize)]
struct WireCheckpoint {
    envelope: String,
}

/// The entry in JSON. Nothing in it is checked, see [`Entry::check`] and [`Entry::check_v2`].
pub fn parse_bundled(text: &[u8]) -> Result<Entry, MalformedResponse> {
    let text = strict(text).map_err(|_| MalformedResponse("it is not JSON"))?;
    let wire: WireEntry = serde_json::from_str(text)
        .map_err(|_| MalformedResponse("it is not an entry with an inclusion proof"))?;
    let kind = Kind::of(&wire.kind_version.kind, &wire.kind_version.version);
    let kind = kind.ok_or(MalformedResponse("the entry is of another kind"))?;
    let body = STANDARD.decode(&wire.canonicalized_body);
    let body = body.map_err(|_| MalformedResponse("the body of the entry is not base64"))?;
    let log_id = hash(&wire.log_id.key_id).ok_or(MalformedResponse("the log ID is not a hash"))?;
    let promise = wire.inclusion_promise.map(|promise| {
        let signature = STANDARD.decode(promise.signed_entry_timestamp).ok()?;
        let time = wire.integrated_time.as_deref()?.parse().ok()?;
        Some(Promise { time, signature })
    });
    let promise = match promise {
        None => None,
        Some(promise) => Some(promise.ok_or(MalformedResponse(
            "the promise of the log is not base64, or has no time",
        ))?),
    };
    Ok(Entry {
        kind,
        body,
        log_id,
        index: wire.log_index.read()?,
        promise,
        proof: wire.inclusion_proof.read()?,
    })
}

impl Number {
    fn read(&self) -> Result<u64, MalformedResponse> {
        let is_number = self.0.bytes().all(|byte| byte.is_ascii_digit());
        match &*self.0 {
            "" => Ok(0),
            digits if is_number => digits
                .parse()
                .map_err(|_| MalformedResponse("a number in it is too large")),
            _ => Err(MalformedResponse("a number in it is none")),
        }
    }
}

impl WireProof {
    fn read(self) -> Result<Proof, MalformedResponse> {
        let numbers = (self.log_index.read()?, self.tree_size.read()?);
        let nodes = self.hashes.iter().map(|text| hash(text));
        proof(
            numbers,
            hash(&self.root_hash),
            nodes,
            self.checkpoint.envelope,
        )
    }
}

fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}
