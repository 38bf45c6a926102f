//! What a replica calls itself, and what its lease is called.
//!
//! Leases are numbered and used again, so that there are never more than there were replicas at once:
//! nobody has to have the right to delete them. A replica holds the first one that is free. The holder
//! begins with `windlass/`, which no host name does, so that it is told from a replica of Tekton Chains.

use std::time::Duration;

/// How long a replica counts after its last renewal.
pub(super) const DURATION: Duration = Duration::from_secs(15);
/// Most replicas.
pub(super) const MOST: usize = 64;
/// Beginning of the names of leases.
const LEASE: &str = "windlass-replica-";
/// Beginning of what windlass calls itself as a holder.
const HOLDER: &str = "windlass/";

/// What a replica calls itself.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// As the holder of leases.
    pub(super) holder: String,
    /// What all holders of this pod begin with: the earlier ones have ended.
    pod: Option<String>,
}

impl Identity {
    /// A new name: that of its pod, or of its host, and something random.
    pub(super) fn new(pod: Option<&str>) -> Self {
        let pod = pod.map(|pod| format!("{HOLDER}{pod}_"));
        let named = pod
            .clone()
            .unwrap_or_else(|| format!("{HOLDER}{}_", host()));
        Self {
            holder: format!("{named}{:016x}", fastrand::u64(..)),
            pod,
        }
    }

    /// Whether the holder is this one, or this pod before its container was started again.
    pub(super) fn is_successor_of(&self, holder: &str) -> bool {
        let pod = self.pod.as_ref();
        holder == self.holder || pod.is_some_and(|pod| holder.starts_with(pod.as_str()))
    }
}

/// The name of this host, for people who read the lease.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let name = name.unwrap_or_else(|_| "host".to_owned());
    name.trim().to_owned()
}

/// The name of the lease with this number.
pub(super) fn slot(number: usize) -> String {
    format!("{LEASE}{number}")
}

/// Whether this is the name of the lease of a replica.
pub(super) fn is_slot(name: &str) -> bool {
    let number = name.strip_prefix(LEASE).map(str::parse::<usize>);
    matches!(number, Some(Ok(number)) if number < MOST && name == slot(number))
}

/// Whether a holder is windlass.
pub(super) fn is_windlass(holder: &str) -> bool {
    holder.starts_with(HOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_knows_its_own_earlier_containers_and_nobody_else() {
        let pod = Identity::new(Some("windlass-7d4"));
        let again = Identity::new(Some("windlass-7d4"));
        assert_ne!(pod.holder, again.holder);
        assert!(again.is_successor_of(&pod.holder));
        let other = Identity::new(Some("windlass-7d4b"));
        assert!(!other.is_successor_of(&pod.holder) && !again.is_successor_of(&other.holder));
        let (one, two) = (Identity::new(None), Identity::new(None));
        assert!(
            !two.is_successor_of(&one.holder),
            "two programs of one host"
        );
        assert!(is_windlass(&one.holder) && !is_windlass("windlass-7d4_3f2c"));
    }

    #[test]
    fn only_the_numbered_leases_are_those_of_replicas() {
        assert!(is_slot("windlass-replica-0") && is_slot(&slot(MOST - 1)));
        for other in [
            "windlass",
            "windlass-replica-",
            "windlass-replica-01",
            &slot(MOST),
        ] {
            assert!(!is_slot(other), "{other}");
        }
    }
}
