//! The objects, their resource versions, and the bounded log of changes from which watches are
//! served and earlier states are rebuilt. Objects are kept in their stored version and never
//! changed in place: a change replaces the `Arc`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use crate::cluster::kind::ServedKind;

/// Most changes the log keeps.
const LOG_CHANGES: usize = 8192;
/// Most bytes (as JSON) of objects the log keeps.
const LOG_BYTES: usize = 64 << 20;

/// The place of an object. Ordered as lists are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub storage: &'static str,
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub(crate) fn of(served: ServedKind, namespace: &str, name: &str) -> Self {
        Self::new(served.kind.storage, namespace, name)
    }

    pub(crate) fn new(storage: &'static str, namespace: &str, name: &str) -> Self {
        Self {
            storage,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// What happened to an object.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub revision: u64,
    pub key: Key,
    /// State before, absent for a creation.
    pub before: Option<Arc<Value>>,
    /// State after; for a deletion the last state, with the deletion's resource version.
    pub after: Arc<Value>,
    pub deleted: bool,
    size: usize,
}

/// The history of this revision is gone.
#[derive(Debug)]
pub(crate) struct ExpiredHistory;

pub(crate) type Objects = BTreeMap<Key, Arc<Value>>;

#[derive(Debug)]
pub(crate) struct Store {
    revision: u64,
    objects: Objects,
    log: VecDeque<Change>,
    log_bytes: usize,
    /// Changes up to this revision are gone from the log.
    floor: u64,
    newest: watch::Sender<u64>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            revision: 1,
            objects: BTreeMap::new(),
            log: VecDeque::new(),
            log_bytes: 0,
            floor: 1,
            newest: watch::Sender::new(1),
        }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Tells of every new revision.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Stores `object` with the next resource version and gives back the stored form.
    pub(crate) fn put(&mut self, key: Key, object: Value, size: usize) -> Arc<Value> {
        let after = self.stamp(object);
        let before = self.objects.insert(key.clone(), Arc::clone(&after));
        self.record(Change {
            revision: self.revision,
            key,
            before,
            after: Arc::clone(&after),
            deleted: false,
            size,
        });
        after
    }

    /// Takes the object out and gives back its last state.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        let after = self.stamp((*before).clone());
        self.record(Change {
            revision: self.revision,
            key: key.clone(),
            before: Some(before),
            after: Arc::clone(&after),
            deleted: true,
            size: 0,
        });
        Some(after)
    }

    fn stamp(&mut self, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        Arc::new(object)
    }

    fn record(&mut self, change: Change) {
        self.log_bytes += change.size;
        self.log.push_back(change);
        while self.log.len() > LOG_CHANGES || self.log_bytes > LOG_BYTES {
            if !self.drop_oldest() {
                break;
            }
        }
        self.newest.send_replace(self.revision);
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.log.pop_front() else {
            return false;
        };
        self.log_bytes -= oldest.size;
        self.floor = oldest.revision;
        true
    }

    /// Forgets all history, as a compaction of etcd does.
    pub(crate) fn compact(&mut self) {
        while self.drop_oldest() {}
    }

    /// The changes after `revision`, oldest first.
    pub(crate) fn since(
        &self,
        revision: u64,
    ) -> Result<impl Iterator<Item = &Change>, ExpiredHistory> {
        if revision < self.floor {
            return Err(ExpiredHistory);
        }
        let first = self
            .log
            .partition_point(|change| change.revision <= revision);
        Ok(self.log.range(first..))
    }

    /// All objects as they were at `revision`.
    pub(crate) fn at(&self, revision: u64) -> Result<Objects, ExpiredHistory> {
        if revision < self.floor {
            return Err(ExpiredHistory);
        }
        let mut objects = self.objects.clone();
        for change in self
            .log
            .iter()
            .rev()
            .take_while(|change| change.revision > revision)
        {
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), Arc::clone(before)),
                None => objects.remove(&change.key),
            };
        }
        Ok(objects)
    }
}
