//! Which runs are this replica's: a pure function of the replicas that are seen.
//!
//! Rendezvous hashing: each replica has a weight for each namespace, and the heaviest one has it. Who
//! joins takes a fair part from everybody and who leaves gives its part to everybody; nothing else
//! moves. The hash ranges of Kubernetes' `shardSelector` are not used for it: FNV-1a hardly spreads
//! names that differ in their last letter, so `team-a` to `team-z` would all be in one range.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::cluster::runs::{RunId, RunKind};

/// The runs that this replica works on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Share {
    /// It is not known yet who else is there.
    #[default]
    Unknown,
    /// None, since somebody else signs.
    Nothing,
    /// All of them.
    Everything,
    /// Its part among others.
    Part(Part),
}

/// The part of one replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// This replica.
    pub(crate) own: String,
    /// All replicas.
    pub(crate) replicas: BTreeSet<String>,
    /// Namespaces whose task runs are divided one by one.
    pub(crate) divided: BTreeSet<String>,
}

impl Share {
    /// The share of `own` among all replicas.
    pub(crate) fn among(part: Part) -> Self {
        if part.replicas.len() == 1 && part.replicas.contains(&part.own) {
            Self::Everything
        } else {
            Self::Part(part)
        }
    }

    /// Whether it is known.
    pub(crate) fn is_known(&self) -> bool {
        *self != Self::Unknown
    }

    /// Whether a run is in it.
    pub(crate) fn has(&self, id: &RunId) -> bool {
        self.has_object(id.kind, &id.namespace, &id.uid)
    }

    /// The same of a run that is not read yet.
    pub(crate) fn has_object(&self, kind: RunKind, namespace: &str, uid: &str) -> bool {
        match self {
            Self::Unknown | Self::Nothing => false,
            Self::Everything => true,
            Self::Part(part) => {
                let is_divided = kind == RunKind::Task && part.divided.contains(namespace);
                part.has(if is_divided { uid } else { namespace })
            }
        }
    }

    /// Whether the pipeline runs of a namespace are in it, and with them what they wait for.
    pub(crate) fn has_namespace(&self, namespace: &str) -> bool {
        match self {
            Self::Unknown | Self::Nothing => false,
            Self::Everything => true,
            Self::Part(part) => part.has(namespace),
        }
    }

    /// Whether any run of a namespace may be in it.
    pub(crate) fn may_have(&self, namespace: &str) -> bool {
        let is_divided = match self {
            Self::Part(part) => part.divided.contains(namespace),
            Self::Unknown | Self::Nothing | Self::Everything => false,
        };
        is_divided || self.has_namespace(namespace)
    }

    /// Whether a run may be in it that was not in the earlier one. Who joins only takes.
    pub(crate) fn may_exceed(&self, earlier: &Self) -> bool {
        let (Self::Part(now), before) = (self, earlier) else {
            return *self == Self::Everything && *earlier != Self::Everything;
        };
        match before {
            Self::Unknown | Self::Nothing => true,
            Self::Everything => false,
            Self::Part(before) => {
                now.own != before.own
                    || now.divided != before.divided
                    || !now.replicas.is_superset(&before.replicas)
            }
        }
    }

    /// The part of all namespaces that is in it, from 0 to 1.
    pub(crate) fn size(&self) -> f64 {
        match self {
            Self::Unknown | Self::Nothing => 0.0,
            Self::Everything => 1.0,
            Self::Part(part) if !part.replicas.contains(&part.own) => 0.0,
            Self::Part(part) => 1.0 / f64::from(u32::try_from(part.replicas.len()).unwrap_or(1)),
        }
    }
}

impl Part {
    fn has(&self, key: &str) -> bool {
        let heaviest = self
            .replicas
            .iter()
            .max_by_key(|replica| weight(replica, key));
        heaviest == Some(&self.own)
    }
}

/// The weight of a replica for a namespace or a uid.
fn weight(replica: &str, key: &str) -> [u8; 8] {
    let digest = Sha256::new()
        .chain_update(replica)
        .chain_update([0])
        .chain_update(key)
        .finalize();
    let mut weight = [0; 8];
    weight.copy_from_slice(&digest[..8]);
    weight
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(own: usize, replicas: usize) -> Share {
        Share::among(Part {
            own: name(own),
            replicas: (0..replicas).map(name).collect(),
            divided: BTreeSet::from(["big".to_owned()]),
        })
    }

    fn name(number: usize) -> String {
        format!("windlass-replica-{number}")
    }

    /// Which of so many replicas have a run.
    fn owners(replicas: usize, kind: RunKind, namespace: &str, uid: &str) -> Vec<usize> {
        let has = |own: &usize| share(*own, replicas).has_object(kind, namespace, uid);
        (0..replicas).filter(has).collect()
    }

    #[test]
    fn every_namespace_is_in_exactly_one_share_and_shares_are_about_even() {
        for replicas in [1, 2, 3, 5, 10] {
            let mut counts = vec![0; replicas];
            for number in 0..3000 {
                let namespace = format!("team-{number}");
                let owners = owners(replicas, RunKind::Pipeline, &namespace, "");
                let [owner] = owners[..] else {
                    panic!("{namespace}: {owners:?}");
                };
                assert!(share(owner, replicas).has_namespace(&namespace));
                counts[owner] += 1;
            }
            let even = 3000 / replicas;
            let is_even = |count: &usize| count.abs_diff(even) < even / 4;
            assert!(counts.iter().all(is_even), "{counts:?}");
        }
    }

    #[test]
    fn the_runs_of_a_namespace_stay_together_but_for_the_task_runs_of_a_divided_one() {
        for (kind, namespace, most) in [
            (RunKind::Task, "team", 1),
            (RunKind::Pipeline, "big", 1),
            (RunKind::Task, "big", 3),
        ] {
            let uids = (0..300).map(|number| format!("uid-{number}"));
            let all: Vec<Vec<usize>> = uids.map(|uid| owners(3, kind, namespace, &uid)).collect();
            assert!(all.iter().all(|owners| owners.len() == 1));
            let different: BTreeSet<&Vec<usize>> = all.iter().collect();
            assert_eq!(different.len(), most, "{kind:?} {namespace}");
        }
    }

    #[test]
    fn who_joins_takes_its_share_and_moves_nothing_between_the_others() {
        for number in 0..1000 {
            let namespace = format!("team-{number}");
            let before = owners(3, RunKind::Task, &namespace, "");
            let after = owners(4, RunKind::Task, &namespace, "");
            assert!(after == before || after == [3], "{namespace}");
        }
    }

    #[test]
    fn a_share_may_have_more_only_if_somebody_left_or_the_division_changed() {
        let (one, two, three) = (share(0, 1), share(0, 2), share(0, 3));
        for (now, earlier, exceeds) in [
            (&two, &three, true),
            (&one, &two, true),
            (&one, &Share::Nothing, true),
            (&two, &Share::Nothing, true),
            (&two, &Share::Unknown, true),
            (&three, &two, false),
            (&two, &one, false),
            (&two, &two, false),
            (&Share::Nothing, &one, false),
            (&Share::Nothing, &three, false),
        ] {
            assert_eq!(
                now.may_exceed(earlier),
                exceeds,
                "{now:?} after {earlier:?}"
            );
        }
        let Share::Part(mut other) = two.clone() else {
            panic!("two replicas share");
        };
        other.divided.clear();
        assert!(Share::Part(other).may_exceed(&two));
    }

    #[test]
    fn a_replica_that_is_not_among_those_that_are_counted_has_nothing() {
        let beyond = share(2, 2);
        let has = |number| beyond.has_namespace(&format!("team-{number}"));
        assert!(!(0..100).any(has));
        assert!((beyond.size() - 0.0).abs() < f64::EPSILON);
        assert!((share(0, 4).size() - 0.25).abs() < f64::EPSILON);
    }
}
