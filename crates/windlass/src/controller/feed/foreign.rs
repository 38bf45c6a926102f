//! Namespaces of other replicas, as a watch asks the API server to leave them out.
//!
//! Kubernetes 1.36 (alpha, feature gate `ShardedListAndWatch`, KEP-5866) takes a `shardSelector`: ranges
//! of the 64-bit FNV-1a hash of the namespace. Where the gate is off, it is ignored, and everything is
//! filtered on our side in any case. The busiest namespaces that are others' are left out, and all others
//! are asked for, so that a namespace that nobody has seen yet is shown.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Most namespaces that are counted.
const COUNTED: usize = 1024;
/// Most namespaces that are left out: each takes about 100 bytes of the address.
const LEFT_OUT: usize = 32;
/// What the ranges are of.
const FIELD: &str = "object.metadata.namespace";

/// How many objects of each namespace were dropped.
#[derive(Debug, Default, Clone)]
pub(crate) struct Foreign(HashMap<String, u64>);

impl Foreign {
    /// Counts an object that is not ours.
    pub(super) fn count(&mut self, namespace: &str) {
        if let Some(count) = self.0.get_mut(namespace) {
            *count += 1;
        } else if self.0.len() < COUNTED {
            self.0.insert(namespace.to_owned(), 1);
        }
    }

    /// A selector of everything but the busiest of those that are still others'; empty if there are none.
    pub(super) fn selector(&self, is_foreign: impl Fn(&str) -> bool) -> String {
        let foreign = self.0.iter().filter(|(namespace, _)| is_foreign(namespace));
        let mut busiest: Vec<(&String, &u64)> = foreign.collect();
        busiest.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let names = busiest.iter().take(LEFT_OUT);
        let mut hashes: Vec<u64> = names.map(|(namespace, _)| hash(namespace)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.is_empty() {
            return String::new();
        }
        all_but(&hashes)
    }
}

/// The ranges between these hashes, which are in order.
fn all_but(hashes: &[u64]) -> String {
    let mut selector = String::new();
    let mut start = 0_u128;
    let ends = hashes.iter().map(|hash| u128::from(*hash));
    for end in ends.chain([1 << 64]) {
        if start < end {
            let or = if selector.is_empty() { "" } else { " || " };
            // a String takes everything
            let _ = write!(
                selector,
                "{or}shardRange({FIELD}, '{start:#018x}', '{end:#018x}')"
            );
        }
        start = end + 1;
    }
    selector
}

/// FNV-1a with 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_namespaces_of_others_are_left_out_and_every_other_hash_is_asked_for() {
        let mut foreign = Foreign::default();
        assert_eq!(foreign.selector(|_| true), "");
        foreign.count("team-a");
        // as kube-apiserver 1.36.3 takes it
        let without_team_a = "shardRange(object.metadata.namespace, '0x0000000000000000', \
             '0xde90a3717d1252d6') || shardRange(object.metadata.namespace, \
             '0xde90a3717d1252d7', '0x10000000000000000')";
        assert_eq!(foreign.selector(|_| true), without_team_a);
        assert_eq!(foreign.selector(|namespace| namespace != "team-a"), "");
        for number in 0..2000 {
            foreign.count(&format!("team-{number}"));
            foreign.count("team-a");
        }
        assert_eq!(foreign.0.len(), COUNTED);
        let selector = foreign.selector(|_| true);
        assert_eq!(selector.matches("shardRange").count(), LEFT_OUT + 1);
        assert!(selector.contains("0xde90a3717d1252d6") && selector.len() < 4000);
    }

    #[test]
    fn no_range_is_empty_whatever_the_hashes_are() {
        let range = |start, end| format!("shardRange({FIELD}, '{start}', '{end}')");
        let middle = range("0x0000000000000001", "0x0000000000000005");
        assert_eq!(
            all_but(&[0, 5, 6, u64::MAX]),
            format!(
                "{middle} || {}",
                range("0x0000000000000007", "0xffffffffffffffff")
            )
        );
    }
}
