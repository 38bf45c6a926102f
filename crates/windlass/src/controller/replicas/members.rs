//! The replicas that are seen: who holds a lease of a replica.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::identity::{self, DURATION};
use super::observation::Observation;
use crate::cluster::lease::Lease;

/// Annotation of a lease: the namespace whose task runs its replica divides among all.
pub(super) const DIVIDES: &str = "chains.tekton.dev/divides";
/// Annotation of a lease: how many runs wait in its replica.
pub(super) const BACKLOG: &str = "chains.tekton.dev/backlog";
/// Longest name of a namespace.
const NAMESPACE_LIMIT: usize = 63;

/// All replicas, by the name of their lease.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<String, Member>);

#[derive(Debug)]
struct Member {
    observation: Observation,
    /// It was not renewed in time.
    is_gone: bool,
    divides: Option<String>,
    backlog: usize,
}

impl Members {
    /// Takes in a lease as it is now.
    pub(super) fn see(&mut self, lease: &Lease) {
        let term = lease.term();
        if !identity::is_slot(lease.name()) || !identity::is_windlass(term.holder) {
            self.0.remove(lease.name());
            return;
        }
        let before = self.0.get(lease.name());
        let observation = Observation::new(before.map(|it| &it.observation), &term, DURATION);
        // who is gone when seen first, or was found to be, comes back by a renewal alone
        let was_gone = before.is_none_or(|it| it.is_gone);
        let divides = lease.annotation(DIVIDES).unwrap_or_default();
        let is_name = !divides.is_empty() && divides.len() <= NAMESPACE_LIMIT;
        let backlog = lease
            .annotation(BACKLOG)
            .and_then(|count| count.parse().ok());
        let member = Member {
            is_gone: was_gone && !observation.is_fresh(),
            observation,
            divides: is_name.then(|| divides.to_owned()),
            backlog: backlog.unwrap_or_default(),
        };
        self.0.insert(lease.name().to_owned(), member);
    }

    /// Takes in several.
    pub(super) fn see_all(&mut self, leases: &[Lease]) {
        for lease in leases {
            self.see(lease);
        }
    }

    /// A lease was deleted.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Forgets all leases but these.
    pub(super) fn keep(&mut self, names: &BTreeSet<String>) {
        self.0.retain(|name, _| names.contains(name));
    }

    /// Gives up those who were not renewed in time, this one's lease left out.
    pub(super) fn give_up_late(&mut self, own: Option<&str>) {
        let others = self
            .0
            .iter_mut()
            .filter(|(name, _)| Some(name.as_str()) != own);
        for (name, member) in others {
            if !member.is_gone && !member.observation.is_fresh() {
                tracing::info!(
                    lease = name,
                    holder = member.observation.holder(),
                    "a replica is gone: its lease was not renewed"
                );
                member.is_gone = true;
            }
        }
    }

    /// When the next one has to be renewed at the latest, this one's lease left out.
    pub(super) fn next_end(&self, own: Option<&str>) -> Option<Instant> {
        let others = self.live().filter(|(name, _)| Some(*name) != own);
        others.map(|(_, member)| member.observation.until).min()
    }

    /// The names of the leases of those who are there.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.live().map(|(name, _)| name)
    }

    /// Whether somebody who is there calls himself so.
    pub(super) fn has_holder(&self, holder: &str) -> bool {
        self.live()
            .any(|(_, member)| member.observation.holder() == holder)
    }

    /// Who holds this lease of those who are there.
    pub(super) fn holder(&self, name: &str) -> Option<&str> {
        let member = self.0.get(name).filter(|member| !member.is_gone)?;
        Some(member.observation.holder())
    }

    /// The namespaces that are divided, as far as others say so.
    pub(super) fn divided(&self, own: Option<&str>) -> BTreeSet<String> {
        let others = self.live().filter(|(name, _)| Some(*name) != own);
        others
            .filter_map(|(_, member)| member.divides.clone())
            .collect()
    }

    /// Runs that wait in the other replicas.
    pub(super) fn backlog(&self, own: Option<&str>) -> usize {
        let others = self.live().filter(|(name, _)| Some(*name) != own);
        others.map(|(_, member)| member.backlog).sum()
    }

    fn live(&self) -> impl Iterator<Item = (&str, &Member)> {
        let all = self.0.iter().map(|(name, member)| (name.as_str(), member));
        all.filter(|(_, member)| !member.is_gone)
    }
}
