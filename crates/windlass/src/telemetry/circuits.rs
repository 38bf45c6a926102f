//! Registry hosts that are left in peace since they do not respond, and for how many namespaces.
//!
//! Whoever authors a run chooses its hosts, so only those are shown that most namespaces wait for: a
//! registry that tenants share comes first, and the number of series is bounded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most hosts that are shown.
const SHOWN: usize = 32;

/// The open circuits. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circuits(Arc<Mutex<BTreeMap<String, u32>>>);

/// A circuit that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenCircuit {
    circuits: Circuits,
    host: String,
}

impl Circuits {
    /// Opens the circuit of one namespace to a host.
    pub(crate) fn open(&self, host: &str) -> OpenCircuit {
        *self.hosts().entry(host.to_owned()).or_default() += 1;
        OpenCircuit {
            circuits: self.clone(),
            host: host.to_owned(),
        }
    }

    /// The hosts with the most open circuits, and how many these are.
    pub(super) fn shown(&self) -> Vec<(String, u32)> {
        let mut hosts: Vec<(String, u32)> = self.hosts().clone().into_iter().collect();
        hosts.sort_by_key(|(_, namespaces)| std::cmp::Reverse(*namespaces));
        hosts.truncate(SHOWN);
        hosts
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenCircuit {
    fn drop(&mut self) {
        let mut hosts = self.circuits.hosts();
        let Some(namespaces) = hosts.get_mut(&self.host) else {
            return;
        };
        *namespaces -= 1;
        if *namespaces == 0 {
            hosts.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_many_wait_for_is_shown_however_many_hosts_a_tenant_makes_up() {
        let circuits = Circuits::default();
        let made_up: Vec<_> = (0..1000)
            .map(|n| circuits.open(&format!("h{n}.io")))
            .collect();
        let shared: Vec<_> = (0..3).map(|_| circuits.open("registry.io")).collect();
        let shown = circuits.shown();
        assert_eq!(shown.len(), SHOWN);
        assert_eq!(shown[0], ("registry.io".to_owned(), 3));
        drop((made_up, shared));
        assert!(circuits.hosts().is_empty());
    }
}
