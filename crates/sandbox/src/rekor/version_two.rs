//! Version 2 of the interface, on the same tree: hashes only, an entry with its proof and without a time, and
//! the tree as tiles. What is there already is refused with its number (HTTP 409), as rekor-tiles does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::body::{Body, json as response, whole};
use crate::exchange::Server as _;
use crate::kms::MaterialError;

use super::entry::{NAME, Proof, checkpoint};
use super::options::Quirk;
use super::proposal;
use super::state::State;
use super::tree;

/// The number of an entry that is there already.
const INDEX: HeaderName = HeaderName::from_static("x-log-index");
/// Nodes of a tile.
const WIDTH: usize = 256;

impl State {
    /// Adds an entry.
    pub(super) fn propose_v2(&self, proposal: &[u8], lie: Option<Quirk>) -> Response<Body> {
        let proposal: Value = serde_json::from_slice(proposal).unwrap_or_default();
        let body = match proposal::body_v2(&proposal) {
            Ok(body) => body,
            Err(why) => return self.refusal(StatusCode::BAD_REQUEST, why),
        };
        let (index, is_new) = self.add(body);
        if is_new {
            return match self.entry_v2(index, lie) {
                Ok(entry) => response(StatusCode::CREATED, &entry),
                Err(_) => self.refusal(StatusCode::INTERNAL_SERVER_ERROR, "no signature"),
            };
        }
        let mut refusal = self.refusal(StatusCode::CONFLICT, "an equivalent entry exists");
        let told = match lie {
            Some(Quirk::OtherNumber) => 0,
            _ => index,
        };
        refusal.headers_mut().insert(INDEX, HeaderValue::from(told));
        refusal
    }

    /// An entry with its proof, or the lie that a test wants.
    fn entry_v2(&self, index: usize, lie: Option<Quirk>) -> Result<Value, MaterialError> {
        let index = match lie {
            Some(Quirk::OtherEntry) => 0,
            _ => index,
        };
        let leaves = self.leaves().clone();
        let key = self.key();
        let nodes: Vec<_> = leaves
            .iter()
            .map(|leaf| tree::leaf(leaf.body.as_bytes()))
            .collect();
        let proof = Proof::make((&key, NAME), index, &nodes, lie)?;
        let id = match lie {
            Some(Quirk::OtherLogId) => Sha256::digest(b"another log"),
            _ => Sha256::digest(key.der()),
        };
        let hashes: Vec<_> = proof
            .nodes
            .iter()
            .map(|node| STANDARD.encode(node))
            .collect();
        let body = leaves.get(index).map(|leaf| leaf.body.clone());
        let mut entry = json!({
            "logIndex": index.to_string(),
            "logId": { "keyId": STANDARD.encode(id) },
            "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
            "integratedTime": "0",
            "inclusionPromise": null,
            "canonicalizedBody": STANDARD.encode(body.unwrap_or_default()),
        });
        if lie != Some(Quirk::NoProof) {
            entry["inclusionProof"] = json!({
                "logIndex": index.to_string(),
                "rootHash": STANDARD.encode(proof.root),
                "treeSize": proof.size.to_string(),
                "hashes": hashes,
                "checkpoint": { "envelope": proof.checkpoint },
            });
        }
        Ok(entry)
    }

    /// A file of the tree: its checkpoint, or a tile.
    pub(super) fn file_v2(&self, path: &str) -> Response<Body> {
        let content = match path {
            "/checkpoint" => self.checkpoint_v2().map(Bytes::from),
            path => self.tile(path).map(Bytes::from),
        };
        match content {
            Some(content) => Response::new(whole(content)),
            None => self.refusal(StatusCode::NOT_FOUND, "there is no such file"),
        }
    }

    fn checkpoint_v2(&self) -> Option<String> {
        let nodes = self.nodes();
        checkpoint((&self.key(), NAME), nodes.len(), &tree::root(&nodes)).ok()
    }

    /// The nodes of a tile. Trees of tests have no more than 999 tiles, so paths have one group of digits.
    fn tile(&self, path: &str) -> Option<Vec<u8>> {
        let (level, place) = path.strip_prefix("/tile/")?.split_once('/')?;
        let (number, width) = match place.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (place, WIDTH),
        };
        let level: u32 = level.parse().ok()?;
        let first = number.parse::<usize>().ok()?.checked_mul(WIDTH)?;
        let below = WIDTH.checked_pow(level)?;
        let leaves = self.nodes();
        let whole = leaves.chunks_exact(below).map(tree::root);
        let nodes: Vec<_> = whole.skip(first).take(width).collect();
        (nodes.len() == width).then(|| nodes.concat())
    }

    fn nodes(&self) -> Vec<tree::Hash> {
        let leaves = self.leaves();
        leaves
            .iter()
            .map(|leaf| tree::leaf(leaf.body.as_bytes()))
            .collect()
    }
}
