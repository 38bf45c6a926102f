//! Entries: values with an expiry, bounded in number. The oldest makes room for the newest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Instant;

/// Most values that are looked at to make room for one.
const LOOKED_AT: usize = 16;

/// When a value expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At this time and later the value is gone.
    At(Instant),
    /// Only by the bound.
    Never,
}

/// The entries of a map, in three orders: by key, by age and by expiry.
pub(crate) struct Entries<K, V> {
    bound: usize,
    is_used: fn(&V) -> bool,
    values: HashMap<K, Entry<V>>,
    /// Keys by the number of their entry.
    by_age: BTreeMap<u64, K>,
    /// Times and numbers of the entries that expire.
    by_expiry: BTreeSet<(Instant, u64)>,
    next: u64,
}

struct Entry<V> {
    value: V,
    number: u64,
    expiry: Expiry,
}

impl<K: Clone + Eq + Hash, V: Clone> Entries<K, V> {
    pub(crate) fn new(bound: usize, is_used: fn(&V) -> bool) -> Self {
        Self {
            bound,
            is_used,
            values: HashMap::new(),
            by_age: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            next: 0,
        }
    }

    /// The value of a key, unless it has expired. What has expired is dropped.
    pub(crate) fn get(&mut self, key: &K, now: Instant) -> Option<V> {
        self.drop_expired(now);
        self.values.get(key).map(|entry| entry.value.clone())
    }

    pub(crate) fn insert(&mut self, key: K, value: V, expiry: Expiry, now: Instant) {
        self.remove(&key);
        self.drop_expired(now);
        let number = self.next;
        self.next += 1;
        self.by_age.insert(number, key.clone());
        if let Expiry::At(time) = expiry {
            self.by_expiry.insert((time, number));
        }
        let entry = Entry {
            value,
            number,
            expiry,
        };
        self.values.insert(key, entry);
        self.make_room();
    }

    pub(crate) fn remove_if(&mut self, key: &K, is_stale: impl FnOnce(&V) -> bool) {
        if self
            .values
            .get(key)
            .is_some_and(|entry| is_stale(&entry.value))
        {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: &K) {
        let Some(entry) = self.values.remove(key) else {
            return;
        };
        self.by_age.remove(&entry.number);
        if let Expiry::At(time) = entry.expiry {
            self.by_expiry.remove(&(time, entry.number));
        }
    }

    fn drop_expired(&mut self, now: Instant) {
        while let Some((time, number)) = self.by_expiry.first().copied()
            && time <= now
        {
            self.by_expiry.remove(&(time, number));
            if let Some(key) = self.by_age.remove(&number) {
                self.values.remove(&key);
            }
        }
    }

    /// Drops the oldest values that are not in use, as many as exceed the bound. Few are looked at in
    /// one call; those in use become the youngest, so that the next call sees others.
    fn make_room(&mut self) {
        for _ in 0..LOOKED_AT {
            if self.values.len() <= self.bound {
                return;
            }
            let Some((_, key)) = self.by_age.first_key_value() else {
                return;
            };
            let key = key.clone();
            let entry = self.values.get(&key);
            if entry.is_some_and(|entry| (self.is_used)(&entry.value)) {
                self.rejuvenate(&key);
            } else {
                self.remove(&key);
            }
        }
    }

    fn rejuvenate(&mut self, key: &K) {
        let Some(entry) = self.values.get_mut(key) else {
            return;
        };
        let number = self.next;
        self.next += 1;
        let old = std::mem::replace(&mut entry.number, number);
        self.by_age.remove(&old);
        self.by_age.insert(number, key.clone());
        if let Expiry::At(time) = entry.expiry {
            self.by_expiry.remove(&(time, old));
            self.by_expiry.insert((time, number));
        }
    }
}

impl<K, V> Entries<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}
