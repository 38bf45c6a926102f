//! An entry: what a log says that it has, and the checks that make it evidence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::checkpoint::{self, Checkpoint, CheckpointError};
use super::merkle::{self, Hash};
use super::proposal::{Kind, Proposal};
use crate::hex;
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
    /// What a log of version 1 promised. One of version 2 proves, and promises nothing.
    pub promise: Option<Promise>,
    /// Where it is in the tree.
    pub proof: Proof,
}

/// The word of a log for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// When it was added, in seconds since 1970, according to the log.
    pub time: i64,
    /// The signature of the log over the entry, its number and this time.
    pub signature: Vec<u8>,
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
    /// Checks that this is the entry of what was proposed, in the log of version 1 with this key. Every
    /// check is of the log's own word; that the word is the same for everybody takes a monitor.
    pub fn check(
        &self,
        proposal: &Proposal,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<(), EntryError> {
        self.check_promise(proposal, key, now)?;
        let checkpoint = self.proof.checked(&self.body)?;
        checkpoint.check(key).map_err(EntryError::Checkpoint)
    }

    /// The same by the promise of the log alone, which is all that comes with a layer under a tag.
    pub fn check_promise(
        &self,
        proposal: &Proposal,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<(), EntryError> {
        self.check_body(proposal)?;
        if self.log_id != log_id(key) {
            return Err(EntryError::LogId);
        }
        let promise = self.promise.as_ref().ok_or(EntryError::Promise)?;
        let promised = self.promised(promise.time);
        if key.verify(promised.as_bytes(), &promise.signature).is_err() {
            return Err(EntryError::Promise);
        }
        if promise.time > now.as_second().saturating_add(AHEAD) {
            return Err(EntryError::Time);
        }
        Ok(())
    }

    /// The same for the log of version 2 with this key, which calls itself `origin`.
    pub fn check_v2(
        &self,
        proposal: &Proposal,
        key: &PublicKey,
        origin: &str,
    ) -> Result<(), EntryError> {
        self.check_body(proposal)?;
        let id = checkpoint::key_id(key, origin);
        // the number in the log is the one in its tree: that is what the proof is of
        if self.log_id != id || self.index != self.proof.index {
            return Err(EntryError::LogId);
        }
        let checkpoint = self.proof.checked(&self.body)?;
        let checked = checkpoint.check_named(key, origin);
        checked.map_err(EntryError::Checkpoint)
    }

    fn check_body(&self, proposal: &Proposal) -> Result<(), EntryError> {
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        if self.kind != proposal.kind || body.as_ref() != Some(&proposal.body) {
            return Err(EntryError::Other);
        }
        Ok(())
    }

    /// What the promise is a signature over (RFC 8785).
    fn promised(&self, time: i64) -> String {
        let body = STANDARD.encode(&self.body);
        let (id, index) = (hex::digits(&self.log_id), self.index);
        format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#)
    }

    /// The entry as cosign reads it in the annotation `dev.sigstore.cosign/bundle` of a layer; nothing
    /// without a promise, which is all that cosign looks for there.
    pub fn to_annotation(&self) -> Option<String> {
        let promise = self.promise.as_ref()?;
        let promised = self.promised(promise.time);
        let signature = STANDARD.encode(&promise.signature);
        Some(format!(
            r#"{{"SignedEntryTimestamp":"{signature}","Payload":{promised}}}"#
        ))
    }

    /// The entry as one of `tlogEntries` in a Sigstore bundle.
    pub fn to_bundle(&self) -> Value {
        let proof = &self.proof;
        let nodes: Vec<String> = proof
            .nodes
            .iter()
            .map(|node| STANDARD.encode(node))
            .collect();
        let mut entry = json!({
            "logIndex": self.index.to_string(),
            "logId": { "keyId": STANDARD.encode(self.log_id) },
            "kindVersion": { "kind": self.kind.name(), "version": self.kind.version() },
            "inclusionProof": {
                "logIndex": proof.index.to_string(),
                "rootHash": STANDARD.encode(proof.root),
                "treeSize": proof.size.to_string(),
                "hashes": nodes,
                "checkpoint": { "envelope": proof.checkpoint },
            },
            "canonicalizedBody": STANDARD.encode(&self.body),
        });
        if let Some(promise) = &self.promise {
            entry["integratedTime"] = json!(promise.time.to_string());
            let signature = STANDARD.encode(&promise.signature);
            entry["inclusionPromise"] = json!({ "signedEntryTimestamp": signature });
        }
        entry
    }
}

impl Proof {
    /// The checkpoint, once the proof leads from a body to its root. Its signature is not checked.
    fn checked(&self, body: &[u8]) -> Result<Checkpoint<'_>, EntryError> {
        let leaf: Hash = merkle::leaf(body);
        if merkle::root(self.index, self.size, leaf, &self.nodes) != Some(self.root) {
            return Err(EntryError::Inclusion);
        }
        let checkpoint = Checkpoint::parse(&self.checkpoint).map_err(EntryError::Checkpoint)?;
        if (checkpoint.size, checkpoint.root) != (self.size, self.root) {
            return Err(EntryError::Tree);
        }
        Ok(checkpoint)
    }
}

/// What names a log of version 1 with this key.
fn log_id(key: &PublicKey) -> [u8; 32] {
    Sha256::digest(key.der()).into()
}
