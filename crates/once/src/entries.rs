//! Entries: values with an expiry, bounded in number. The holder that claims most of them makes room,
//! with the oldest of its own.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Instant;

use super::claims::Claims;

/// Most values in use that are looked at to make room for one.
const LOOKED_AT: usize = 16;
/// Most holders whose claims to one entry are counted.
const CLAIMS: usize = 16;

/// When a value expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At this time and later the value is gone.
    At(Instant),
    /// Only by the bound.
    Never,
}

/// The entries of a map: by key, by expiry and by claim.
pub(crate) struct Entries<K, V, H> {
    bound: usize,
    is_used: fn(&V) -> bool,
    values: HashMap<K, Entry<V, H>>,
    claims: Claims<K, H>,
    /// The keys of what expires, in that order; the number tells those of one time apart.
    by_expiry: BTreeMap<(Instant, u64), K>,
    next: u64,
}

struct Entry<V, H> {
    value: V,
    /// Its place in the order of expiry.
    expiry: Option<(Instant, u64)>,
    /// Who claims it, each with the number of the claim; never empty.
    claims: Vec<(H, u64)>,
}

impl<K: Clone + Eq + Hash, V: Clone, H: Clone + Ord> Entries<K, V, H> {
    pub(crate) fn new(bound: usize, is_used: fn(&V) -> bool) -> Self {
        Self {
            bound,
            is_used,
            values: HashMap::new(),
            claims: Claims::new(),
            by_expiry: BTreeMap::new(),
            next: 0,
        }
    }

    /// The value of a key, unless it has expired; the holder claims it. What has expired is dropped.
    pub(crate) fn get(&mut self, holder: &H, key: &K, now: Instant) -> Option<V> {
        self.drop_expired(now);
        let entry = self.values.get_mut(key)?;
        let is_claimed = entry.claims.iter().any(|(known, _)| known == holder);
        if !is_claimed && entry.claims.len() < CLAIMS {
            let number = self.claims.add(holder, key.clone());
            entry.claims.push((holder.clone(), number));
        }
        Some(entry.value.clone())
    }

    pub(crate) fn insert(&mut self, holder: &H, key: K, value: V, expiry: Expiry, now: Instant) {
        self.drop_expired(now);
        let mut claims = self.replace(holder, &key);
        let number = self.claims.add(holder, key.clone());
        claims.push((holder.clone(), number));
        let expiry = match expiry {
            Expiry::At(time) => Some((time, self.number())),
            Expiry::Never => None,
        };
        if let Some(place) = expiry {
            self.by_expiry.insert(place, key.clone());
        }
        let entry = Entry {
            value,
            expiry,
            claims,
        };
        self.values.insert(key, entry);
        self.make_room();
    }

    pub(crate) fn remove_if(&mut self, key: &K, is_stale: impl FnOnce(&V) -> bool) {
        let entry = self.values.get(key);
        if entry.is_some_and(|entry| is_stale(&entry.value)) {
            self.remove(key);
        }
    }

    #[cfg(test)]
    pub(crate) fn claims(&self) -> usize {
        self.claims.count()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Removes the entry of a key, and gives the claims that others than the holder have to it.
    fn replace(&mut self, holder: &H, key: &K) -> Vec<(H, u64)> {
        let Some(mut entry) = self.values.remove(key) else {
            return Vec::new();
        };
        if let Some(place) = entry.expiry {
            self.by_expiry.remove(&place);
        }
        let claims = &mut self.claims;
        entry.claims.retain(|(known, number)| {
            let is_other = known != holder;
            if !is_other {
                claims.remove(known, *number);
            }
            is_other
        });
        entry.claims
    }

    fn remove(&mut self, key: &K) {
        let Some(entry) = self.values.remove(key) else {
            return;
        };
        if let Some(place) = entry.expiry {
            self.by_expiry.remove(&place);
        }
        for (holder, number) in entry.claims {
            self.claims.remove(&holder, number);
        }
    }

    fn drop_expired(&mut self, now: Instant) {
        while let Some((&(time, _), key)) = self.by_expiry.first_key_value()
            && time <= now
        {
            let key = key.clone();
            self.remove(&key);
        }
    }

    /// Drops claims until no more values are left than the bound: each time the oldest of the holder
    /// that has most, so that a holder with few loses none to one with many. A value goes with its
    /// last claim. Those in use stay and become the youngest; few of them are looked at in one call.
    fn make_room(&mut self) {
        let mut in_use = 0;
        while self.values.len() > self.bound && in_use < LOOKED_AT {
            let Some((holder, number, key)) = self.claims.oldest_of_the_largest() else {
                return;
            };
            self.claims.remove(&holder, number);
            let Some(entry) = self.values.get_mut(&key) else {
                continue;
            };
            entry.claims.retain(|(_, known)| *known != number);
            if (self.is_used)(&entry.value) {
                in_use += 1;
                let number = self.claims.add(&holder, key);
                entry.claims.push((holder, number));
            } else if entry.claims.is_empty() {
                self.remove(&key);
            }
        }
    }
}

impl<K, V, H> Entries<K, V, H> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}
