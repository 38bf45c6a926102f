//! Per-tag write queues: one writer at a time, which also writes the entries that others are
//! waiting to add.
//!
//! Each tenant has a queue of its own: anybody may name a tag, also one that he may not write, and then
//! takes as long as he likes. Two tenants that write one tag are to each other what two processes are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use windlass_once::{Expiry, OnceMap};

use super::change::Change;
use super::history::TagHistory;
use crate::auth::fingerprint::Fingerprint;
use crate::reference::{Repository, Tag};
use crate::tenant::Tenant;

/// Most tags remembered while nobody writes them.
const REMEMBERED: usize = 10_000;

/// Who writes, and a tag with its repository.
type Key = (Tenant, Repository, Tag);

/// The queues of those who write tags, of any registry. A queue in use is never dropped.
#[derive(Debug)]
pub(crate) struct WriteQueues(OnceMap<Key, Arc<WriteQueue>, Tenant>);

/// The writers of one tag.
#[derive(Debug, Default)]
pub(crate) struct WriteQueue {
    /// Locked by the one writer.
    pub(crate) history: tokio::sync::Mutex<TagHistory>,
    pending: Mutex<Vec<Arc<QueuedChange>>>,
}

/// An entry to add.
#[derive(Debug)]
pub(crate) struct QueuedChange {
    /// The credentials to write it with.
    pub(crate) credentials: Fingerprint,
    /// How to add it.
    pub(crate) change: Change,
    settles: Mutex<Option<Instant>>,
}

/// A place in the queue. Dropping it takes the entry off the queue.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) queue: Arc<WriteQueue>,
    pub(crate) entry: Arc<QueuedChange>,
}

impl Default for WriteQueues {
    fn default() -> Self {
        let is_used = |queue: &Arc<WriteQueue>| Arc::strong_count(queue) > 1;
        Self(OnceMap::keeping_used(REMEMBERED, is_used))
    }
}

impl WriteQueues {
    /// Queues an entry for a tag.
    pub(crate) fn add(
        &self,
        tenant: &Tenant,
        repository: &Repository,
        tag: &Tag,
        credentials: Fingerprint,
        change: Change,
    ) -> Ticket {
        let key = (tenant.clone(), repository.clone(), tag.clone());
        let make = || (Arc::default(), Expiry::Never);
        let queue = self.0.share(tenant).get_or_make(&key, Instant::now(), make);
        let entry = Arc::new(QueuedChange {
            credentials,
            change,
            settles: Mutex::default(),
        });
        locked(&queue.pending).push(Arc::clone(&entry));
        Ticket { queue, entry }
    }
}

impl Ticket {
    /// This entry alone.
    pub(crate) fn alone(&self) -> Vec<Arc<QueuedChange>> {
        vec![Arc::clone(&self.entry)]
    }

    /// This entry, followed by the unwritten entries with the same credentials.
    pub(crate) fn with_others(&self) -> Vec<Arc<QueuedChange>> {
        let pending = locked(&self.queue.pending);
        let others = pending.iter().filter(|other| {
            !Arc::ptr_eq(other, &self.entry)
                && other.credentials == self.entry.credentials
                && other.settles().is_none()
        });
        let this = std::iter::once(&self.entry);
        this.chain(others).map(Arc::clone).collect()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        locked(&self.queue.pending).retain(|other| !Arc::ptr_eq(other, &self.entry));
    }
}

impl QueuedChange {
    /// When the entry has settled; none if it has not been written, or was lost.
    pub(crate) fn settles(&self) -> Option<Instant> {
        *locked(&self.settles)
    }

    pub(crate) fn settle(&self, when: Option<Instant>) {
        *locked(&self.settles) = when;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::change::Merge;
    use super::*;
    use crate::keychain::Candidates;

    #[test]
    fn a_tenant_with_many_tags_drops_neither_the_queue_nor_the_history_of_a_tag_of_others() {
        let queues = WriteQueues::default();
        let add = |tenant: &Tenant, path: &str| {
            let repository = Repository::parse(&format!("r.io/{path}")).unwrap();
            let tag = Tag::parse("v1").unwrap();
            let credentials = Candidates::anonymous().fingerprint();
            let change = Change(Box::new(|_| Ok(Merge::Present)));
            queues.add(tenant, &repository, &tag, credentials, change)
        };
        let (modest, greedy) = (Tenant::from("team-a"), Tenant::from("team-b"));
        // nobody writes it now
        let before = Arc::as_ptr(&add(&modest, "team-a/app").queue);
        for number in 0..=REMEMBERED {
            drop(add(&greedy, &format!("many/{number}")));
        }
        assert_eq!(queues.0.len(), REMEMBERED);
        assert_eq!(Arc::as_ptr(&add(&modest, "team-a/app").queue), before);
    }
}
