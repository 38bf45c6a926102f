//! The tree of a log: whether an entry is in the tree with a root. Source: RFC 6962, section 2.1, and
//! RFC 9162, section 2.1.3.2, for the check of a proof.

use sha2::{Digest as _, Sha256};

/// A node of the tree.
pub(super) type Hash = [u8; 32];

/// Most nodes of a proof: a tree has at most 2^64 leaves.
pub(super) const MOST_NODES: usize = 64;

/// The leaf of an entry with this body.
pub(super) fn leaf(body: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(body)
        .finalize()
        .into()
}

/// The node above two others.
pub(super) fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root of a tree of this size that has this leaf at this index, by a proof. None if the proof is
/// not one of a tree of this size: it has too many nodes or too few.
pub(super) fn root(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            // a node without a right sibling is its own parent
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root of these leaves, as the specification defines it.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            leaves => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                node(&naive_root(left), &naive_root(right))
            }
        }
    }

    /// The proof of a leaf, as the specification defines it.
    fn naive_proof(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() < 2 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        let (mut proof, other) = if index < left.len() {
            (naive_proof(index, left), naive_root(right))
        } else {
            (naive_proof(index - left.len(), right), naive_root(left))
        };
        proof.push(other);
        proof
    }

    /// The greatest power of two below a number.
    fn split(size: usize) -> usize {
        size.next_power_of_two() / 2
    }

    fn leaves(size: usize) -> Vec<Hash> {
        (0..size).map(|n| leaf(n.to_string().as_bytes())).collect()
    }

    #[test]
    fn every_leaf_of_every_tree_up_to_64_is_found_by_its_proof() {
        for size in 1..=64 {
            let leaves = leaves(size);
            let wanted = naive_root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = naive_proof(index, &leaves);
                let found = root(index as u64, size as u64, *leaf, &proof);
                assert_eq!(found, Some(wanted), "{index} of {size}");
            }
        }
    }

    #[test]
    fn no_leaf_is_found_at_another_place_or_in_a_tree_of_another_size() {
        for size in 1..=33 {
            let leaves = leaves(size);
            let wanted = Some(naive_root(&leaves));
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = naive_proof(index, &leaves);
                let at = |index: usize| root(index as u64, size as u64, *leaf, &proof);
                for other in (0..=size).filter(|other| *other != index) {
                    assert_ne!(at(other), wanted, "{index} as {other} of {size}");
                }
            }
        }
    }

    #[test]
    fn a_proof_with_a_node_too_many_or_too_few_or_another_one_is_none() {
        for size in 2..=33 {
            let leaves = leaves(size);
            let wanted = Some(naive_root(&leaves));
            for (index, leaf) in leaves.iter().enumerate() {
                let at = |proof: &[Hash]| root(index as u64, size as u64, *leaf, proof);
                let proof = naive_proof(index, &leaves);
                assert_eq!(at(&proof[1..]), None);
                assert_eq!(at(&[&proof[..], &[[0; 32]]].concat()), None);
                for place in 0..proof.len() {
                    let mut other = proof.clone();
                    other[place][31] ^= 1;
                    assert_ne!(at(&other), wanted, "{index} of {size}");
                }
            }
        }
    }

    #[test]
    fn the_largest_numbers_are_no_trouble() {
        let proof = [[7; 32]; MOST_NODES];
        assert!(root(0, u64::MAX, [0; 32], &proof).is_some());
        assert_eq!(root(u64::MAX, u64::MAX, [0; 32], &proof), None);
        assert_eq!(root(0, 0, [0; 32], &[]), None);
    }

    /// The tree of RFC 6962's own test data in its reference implementation: one empty leaf.
    #[test]
    fn the_leaf_of_nothing_is_that_of_the_specification() {
        let wanted = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(crate::hex::digits(&leaf(b"")), wanted);
    }
}
