//! An entry as it is handed out: with the promise of the log, its proof and a checkpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::kms::material::{Hash, Material, Padding};
use crate::kms::{Kind, MaterialError};
use crate::random::hex;

use super::options::Quirk;
use super::state::State;
use super::tree;

/// What the log calls itself, and its tree.
pub(super) const NAME: &str = "rekor.sandbox";
const TREE: u64 = 0x5eed;
/// How far in the future a wrong time is, in seconds.
const AHEAD: u64 = 86_400;

/// The identifier of an entry: that of the tree, and its leaf.
pub(super) fn uuid(body: &str) -> String {
    format!("{TREE:016x}{}", hex(&tree::leaf(body.as_bytes())))
}

/// The entry with this number as JSON, or the lie that a test wants; none if there is no such entry.
pub(super) fn entry(
    state: &State,
    index: usize,
    lie: Option<Quirk>,
) -> Result<Option<Value>, MaterialError> {
    let index = if lie == Some(Quirk::OtherEntry) {
        0
    } else {
        index
    };
    let leaves = state.leaves().clone();
    let Some(leaf) = leaves.get(index) else {
        return Ok(None);
    };
    let key = state.key();
    let time = match lie {
        Some(Quirk::Future) => leaf.time + AHEAD,
        _ => leaf.time,
    };
    let log_id = match lie {
        Some(Quirk::OtherLogId) => hex(&Sha256::digest(b"another log")),
        _ => hex(&Sha256::digest(key.der())),
    };
    let body = STANDARD.encode(&leaf.body);
    let promised_index = match lie {
        Some(Quirk::OtherPromise) => index + 1,
        _ => index,
    };
    let promised = json!({
        "body": body, "integratedTime": time, "logID": log_id, "logIndex": promised_index,
    });
    let promise = sign(&key, promised.to_string().as_bytes())?;
    let mut verification = json!({ "signedEntryTimestamp": STANDARD.encode(promise) });
    if lie != Some(Quirk::NoProof) {
        let bodies = leaves.iter().map(|leaf| tree::leaf(leaf.body.as_bytes()));
        let name = format!("{NAME} - {TREE}");
        let proof = Proof::make((&key, &name), index, &bodies.collect::<Vec<_>>(), lie)?;
        let nodes: Vec<_> = proof.nodes.iter().map(|node| hex(node)).collect();
        verification["inclusionProof"] = json!({
            "logIndex": index, "treeSize": proof.size, "rootHash": hex(&proof.root),
            "hashes": nodes, "checkpoint": proof.checkpoint,
        });
    }
    Ok(Some(json!({ uuid(&leaf.body): {
        "body": body,
        "integratedTime": time,
        "logID": log_id,
        "logIndex": index,
        "verification": verification,
    }})))
}

/// Where an entry is in the tree, or the lie that a test wants.
pub(super) struct Proof {
    pub(super) root: tree::Hash,
    pub(super) size: usize,
    pub(super) nodes: Vec<tree::Hash>,
    pub(super) checkpoint: String,
}

impl Proof {
    pub(super) fn make(
        (key, name): (&Material, &str),
        index: usize,
        leaves: &[tree::Hash],
        lie: Option<Quirk>,
    ) -> Result<Self, MaterialError> {
        let (root, size) = (tree::root(leaves), leaves.len());
        let checkpoint = match lie {
            Some(Quirk::OtherSigner) => {
                checkpoint((&Material::generate(Kind::P256)?, name), size, &root)?
            }
            Some(Quirk::OtherTree) => {
                checkpoint((key, name), size + 1, &tree::leaf(b"another tree"))?
            }
            Some(Quirk::OtherOrigin) => checkpoint((key, "another.sandbox"), size, &root)?,
            _ => checkpoint((key, name), size, &root)?,
        };
        let root = match lie {
            Some(Quirk::OtherRoot) => tree::leaf(b"another root"),
            _ => root,
        };
        Ok(Self {
            root,
            size,
            nodes: tree::proof(index, leaves),
            checkpoint,
        })
    }
}

/// Size and root of a tree, signed under a name.
pub(super) fn checkpoint(
    (key, name): (&Material, &str),
    size: usize,
    root: &tree::Hash,
) -> Result<String, MaterialError> {
    let text = format!("{name}\n{size}\n{}\n", STANDARD.encode(root));
    let signature = sign(key, text.as_bytes())?;
    let hint = Sha256::digest(key.der());
    let line = STANDARD.encode([&hint[..4], &signature].concat());
    // the key of a log has one name, whatever its trees are called
    let signer = name.split(' ').next().unwrap_or(name);
    Ok(format!("{text}\n\u{2014} {signer} {line}\n"))
}

fn sign(key: &Material, message: &[u8]) -> Result<Vec<u8>, MaterialError> {
    let digest = Sha256::digest(message);
    let signature = key.sign(Hash::Sha256, Padding::EcdsaDer, &digest);
    signature.ok_or(MaterialError)
}
