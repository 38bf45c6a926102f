//! Per-tag write queues: one writer at a time, which also writes the entries that others are
//! waiting to add.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::change::Change;
use crate::auth::Fingerprint;
use crate::digest::Digest;
use crate::reference::{Repository, Tag};

/// Most tags remembered while nobody writes them.
const REMEMBERED: usize = 10_000;

/// Where a tag is.
type Key = (Repository, Tag);

/// The tags by where they are.
#[derive(Debug, Default)]
pub(crate) struct WriteQueues(Mutex<HashMap<Key, Arc<WriteQueue>>>);

/// A tag and those who write it.
#[derive(Debug)]
pub(crate) struct WriteQueue {
    /// Held by the one who reads and writes.
    pub(crate) last: tokio::sync::Mutex<TagHistory>,
    pending: Mutex<Vec<Arc<QueuedChange>>>,
}

/// What was last done to a tag from here.
#[derive(Debug, Default)]
pub(crate) struct TagHistory {
    /// What was written.
    pub(crate) wrote: Option<Digest>,
    /// When it will have settled.
    pub(crate) settles: Option<Instant>,
    /// How often it was written without a pause of some length.
    pub(crate) in_a_row: u32,
    /// When somebody else was last found to have written.
    pub(crate) foreign: Option<Instant>,
}

/// Something that is to be added.
#[derive(Debug)]
pub(crate) struct QueuedChange {
    /// With which credentials it is to be written.
    pub(crate) credentials: Fingerprint,
    /// How it is added.
    pub(crate) change: Change,
    settles: Mutex<Option<Instant>>,
}

/// An entry on the list of those that are to be added; off it once this is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) queue: Arc<WriteQueue>,
    pub(crate) entry: Arc<QueuedChange>,
}

impl WriteQueues {
    /// Puts something on the list of what is to be added under a tag.
    pub(crate) fn add(
        &self,
        repository: &Repository,
        tag: &Tag,
        credentials: Fingerprint,
        change: Change,
    ) -> Ticket {
        let queue = self.of((repository.clone(), tag.clone()));
        let entry = Arc::new(QueuedChange {
            credentials,
            change,
            settles: Mutex::default(),
        });
        locked(&queue.pending).push(Arc::clone(&entry));
        Ticket { queue, entry }
    }

    fn of(&self, key: Key) -> Arc<WriteQueue> {
        let mut known = locked(&self.0);
        if known.len() >= REMEMBERED {
            known.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        let queue = known.entry(key).or_insert_with(|| {
            Arc::new(WriteQueue {
                last: tokio::sync::Mutex::default(),
                pending: Mutex::default(),
            })
        });
        Arc::clone(queue)
    }
}

impl Ticket {
    /// This entry, and after it all others that may be written with the same credentials and have
    /// not been; or it alone.
    pub(crate) fn batch(&self, alone: bool) -> Vec<Arc<QueuedChange>> {
        let pending = locked(&self.queue.pending);
        let others = pending.iter().filter(|other| {
            !alone
                && !Arc::ptr_eq(other, &self.entry)
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
    /// When it will have settled; none if it has not been written, or was lost.
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
