//! The tree of the entries, straight from its definition (RFC 6962, section 2.1): slow and plain.

use sha2::{Digest as _, Sha256};

pub(super) type Hash = [u8; 32];

/// The leaf of an entry.
pub(super) fn leaf(body: &[u8]) -> Hash {
    hash(&[&[0], body])
}

/// The root over these leaves.
pub(super) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash(&[]),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = split(leaves);
            hash(&[&[1], &root(left), &root(right)])
        }
    }
}

/// The nodes that lead from a leaf to the root, the lowest first.
pub(super) fn proof(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = split(leaves);
    let (mut nodes, other) = match index.checked_sub(left.len()) {
        None => (proof(index, left), root(right)),
        Some(index) => (proof(index, right), root(left)),
    };
    nodes.push(other);
    nodes
}

fn split(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    leaves.split_at(leaves.len().next_power_of_two() / 2)
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
