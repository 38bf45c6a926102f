//! One writer at a time to a tag, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::reference::{Repository, Tag};

type Place = (Repository, Tag);

/// A lock for each tag that is being written.
#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<HashMap<Place, Weak<tokio::sync::Mutex<()>>>>);

impl Locks {
    /// Waits until no one else writes the tag.
    pub(crate) async fn lock(&self, repository: &Repository, tag: &Tag) -> OwnedMutexGuard<()> {
        self.of((repository.clone(), tag.clone()))
            .lock_owned()
            .await
    }

    fn of(&self, place: Place) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&place).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        locks.insert(place, Arc::downgrade(&lock));
        lock
    }
}
