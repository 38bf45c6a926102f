//! The lease of this replica: the first that is free, renewed while the replica is there.

use std::collections::BTreeSet;

use kube::Client;
use serde_json::json;

use super::identity::{DURATION, Identity, MOST, slot};
use crate::cluster::lease::term::Term;
use crate::cluster::lease::{Lease, LeaseError};

/// Label of the leases of replicas.
pub(super) const LABEL: &str = "chains.tekton.dev/replica";

/// The lease of this replica.
#[derive(Debug)]
pub(super) struct OwnLease {
    pub(super) identity: Identity,
    held: Option<Lease>,
}

/// What is noted on the lease.
pub(super) type Notes = [(&'static str, String)];

impl OwnLease {
    /// The lease of one who calls himself so, which is not held yet.
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            held: None,
        }
    }

    /// The number of the lease to try: that of an earlier container of this pod, or else the first that
    /// nobody holds.
    pub(super) fn choice<H: AsRef<str>>(
        &self,
        refused: &BTreeSet<usize>,
        holder: impl Fn(&str) -> Option<H>,
    ) -> Option<usize> {
        let is_own = |number: &usize| {
            let holder = holder(&slot(*number));
            holder.is_some_and(|holder| self.identity.is_successor_of(holder.as_ref()))
        };
        let all = || (0..MOST).filter(|number| !refused.contains(number));
        let mut free = all().filter(|number| holder(&slot(*number)).is_none());
        all().find(is_own).or_else(|| free.next())
    }

    /// Whether it is held.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the lease with this number, if it is free as it is read; false if it is not. A conflict
    /// says that somebody was faster.
    pub(super) async fn take(
        &mut self,
        client: &Client,
        (namespace, number): (&str, usize),
        notes: &Notes,
        is_free: impl FnOnce(&Lease) -> bool,
    ) -> Result<bool, LeaseError> {
        let name = slot(number);
        let term = self.term(notes);
        let labels = json!({ LABEL: "true" });
        let mut lease = match Lease::read(client, namespace, &name).await {
            Err(error) if error.is_missing() => {
                let place = (namespace, name.as_str());
                let created = Lease::create_for(client, place, &labels, &term).await?;
                self.held = Some(created);
                return Ok(true);
            }
            read => read?,
        };
        if !is_free(&lease) {
            return Ok(false);
        }
        lease.take(client, &term).await?;
        self.held = Some(lease);
        Ok(true)
    }

    /// Renews the lease. It is no longer held if somebody else took it.
    pub(super) async fn renew(&mut self, client: &Client, notes: &Notes) -> Result<(), LeaseError> {
        let Some(mut lease) = self.held.clone() else {
            return Ok(());
        };
        match lease.take(client, &self.term(notes)).await {
            Ok(()) => {}
            // an earlier renewal may have been made though no response came
            Err(error) if error.is_conflict() => {
                let read = Lease::read(client, lease.namespace(), lease.name()).await?;
                let is_own = read.term().holder == self.identity.holder;
                self.held = is_own.then_some(read);
                return Err(error);
            }
            Err(error) if error.is_missing() => {
                self.held = None;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        self.held = Some(lease);
        Ok(())
    }

    fn term<'a>(&'a self, notes: &'a [(&'static str, String)]) -> Term<'a> {
        Term {
            holder: &self.identity.holder,
            duration: Some(DURATION),
            renewed: None,
            annotations: notes,
        }
    }
}

/// The labels of a lease, as a selector.
pub(super) fn selector() -> String {
    format!("{LABEL}=true")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn choice(own: &OwnLease, held: &[(usize, &str)], refused: &[usize]) -> Option<usize> {
        let held: BTreeMap<String, &str> = held
            .iter()
            .map(|(number, holder)| (slot(*number), *holder))
            .collect();
        own.choice(&refused.iter().copied().collect(), |name| {
            held.get(name).copied()
        })
    }

    #[test]
    fn a_replica_takes_the_first_free_lease_or_that_of_its_earlier_container() {
        let own = OwnLease::new(Identity::new(Some("b")));
        assert_eq!(choice(&own, &[], &[]), Some(0));
        assert_eq!(
            choice(&own, &[(0, "windlass/a_1"), (2, "windlass/c_1")], &[]),
            Some(1)
        );
        assert_eq!(choice(&own, &[(0, "windlass/a_1")], &[1]), Some(2));
        assert_eq!(
            choice(&own, &[(0, "windlass/a_1"), (5, "windlass/b_9")], &[]),
            Some(5)
        );
        let all: Vec<(usize, &str)> = (0..MOST).map(|number| (number, "windlass/a_1")).collect();
        assert_eq!(choice(&own, &all, &[]), None);
    }
}
