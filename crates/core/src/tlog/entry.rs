//! An entry: what a log says that it has, and the checks that make it evidence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::checkpoint::{Checkpoint, CheckpointError};
use super::merkle::{self, Hash};
use super::proposal::{Kind, Proposal, hex};
use crate::key::PublicKey;

/// How far the clock of a log may be ahead of ours, in seconds.
const AHEAD: i64 = 600;

/// An entry of a log, as the log gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub kind: Kind,
    /// What is in the tree: the canonical JSON of the entry.
    pub body: Vec<u8>,
    /// SHA-256 of the key of the log, DER.
    pub log_id: [u8; 32],
    /// Its number in the log.
    pub index: u64,
    /// When it was added, in seconds since 1970, according to the log.
    pub time: i64,
    /// The signature of the log over all of that.
    pub promise: Vec<u8>,
    /// Where it is in the tree.
    pub proof: Proof,
}

/// Where an entry is in the tree of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its number in the tree, which need not be the one in the log.
    pub index: u64,
    /// Leaves of the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: [u8; 32],
    /// The nodes next to the way from the leaf to the root.
    pub nodes: Vec<[u8; 32]>,
    /// The root and the size as the log signed them.
    pub checkpoint: String,
}

/// Which check an entry does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// It is about something else.
    #[error("it is the entry of another signature")]
    Other,
    /// It is of a log with another key.
    #[error("it is of another log: its log ID is not that of the public key")]
    LogId,
    /// The log did not sign it.
    #[error("its signed entry timestamp was not made with the public key of the log")]
    Promise,
    /// It was added later than now.
    #[error("it has a time in the future")]
    Time,
    /// It is not in the tree.
    #[error("its inclusion proof does not lead to the root of the tree")]
    Inclusion,
    /// The tree is not the one that the log signed.
    #[error("its inclusion proof is for another tree than the checkpoint")]
    Tree,
    /// The checkpoint is no good.
    #[error("the checkpoint of its inclusion proof is not valid: {0}")]
    Checkpoint(CheckpointError),
}

impl Entry {
    /// Checks that this is the entry of what was proposed, in the log with this key. Every check is of
    /// the log's own word; that the word is the same for everybody takes a monitor.
    pub fn check(
        &self,
        proposal: &Proposal,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<(), EntryError> {
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        if self.kind != proposal.kind || body.as_ref() != Some(&proposal.body) {
            return Err(EntryError::Other);
        }
        if self.log_id != log_id(key) {
            return Err(EntryError::LogId);
        }
        if key
            .verify(self.promised().as_bytes(), &self.promise)
            .is_err()
        {
            return Err(EntryError::Promise);
        }
        if self.time > now.as_second().saturating_add(AHEAD) {
            return Err(EntryError::Time);
        }
        self.proof.check(&self.body, key)
    }

    /// What the promise is a signature over (RFC 8785).
    fn promised(&self) -> String {
        let (body, time) = (STANDARD.encode(&self.body), self.time);
        let (id, index) = (hex(&self.log_id), self.index);
        format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#)
    }

    /// The entry as cosign reads it in the annotation `dev.sigstore.cosign/bundle` of a layer.
    pub fn to_annotation(&self) -> String {
        let promise = STANDARD.encode(&self.promise);
        let promised = self.promised();
        format!(r#"{{"SignedEntryTimestamp":"{promise}","Payload":{promised}}}"#)
    }

    /// The entry as one of `tlogEntries` in a Sigstore bundle.
    pub fn to_bundle(&self) -> Value {
        let proof = &self.proof;
        let nodes: Vec<String> = proof
            .nodes
            .iter()
            .map(|node| STANDARD.encode(node))
            .collect();
        json!({
            "logIndex": self.index.to_string(),
            "logId": { "keyId": STANDARD.encode(self.log_id) },
            "kindVersion": { "kind": self.kind.name(), "version": self.kind.version() },
            "integratedTime": self.time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(&self.promise) },
            "inclusionProof": {
                "logIndex": proof.index.to_string(),
                "rootHash": STANDARD.encode(proof.root),
                "treeSize": proof.size.to_string(),
                "hashes": nodes,
                "checkpoint": { "envelope": proof.checkpoint },
            },
            "canonicalizedBody": STANDARD.encode(&self.body),
        })
    }
}

impl Proof {
    fn check(&self, body: &[u8], key: &PublicKey) -> Result<(), EntryError> {
        let leaf: Hash = merkle::leaf(body);
        if merkle::root(self.index, self.size, leaf, &self.nodes) != Some(self.root) {
            return Err(EntryError::Inclusion);
        }
        let checkpoint = Checkpoint::parse(&self.checkpoint).map_err(EntryError::Checkpoint)?;
        checkpoint.check(key).map_err(EntryError::Checkpoint)?;
        if (checkpoint.size, checkpoint.root) != (self.size, self.root) {
            return Err(EntryError::Tree);
        }
        Ok(())
    }
}

/// What names a log with this key.
fn log_id(key: &PublicKey) -> [u8; 32] {
    Sha256::digest(key.der()).into()
}
