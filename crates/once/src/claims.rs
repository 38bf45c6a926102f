//! Claims: which holder uses which entries, by age. They decide whose entry makes room.

use std::collections::{BTreeMap, BTreeSet};

/// The claims of all holders.
pub(crate) struct Claims<K, H> {
    /// The keys of each holder, by the number of the claim: the oldest first.
    of: BTreeMap<H, BTreeMap<u64, K>>,
    /// The holders, by how many claims they have.
    by_count: BTreeSet<(usize, H)>,
    next: u64,
}

impl<K: Clone, H: Clone + Ord> Claims<K, H> {
    pub(crate) fn new() -> Self {
        Self {
            of: BTreeMap::new(),
            by_count: BTreeSet::new(),
            next: 0,
        }
    }

    /// Adds the youngest claim of a holder and gives its number.
    pub(crate) fn add(&mut self, holder: &H, key: K) -> u64 {
        let number = self.next;
        self.next += 1;
        let keys = self.of.entry(holder.clone()).or_default();
        keys.insert(number, key);
        let count = keys.len();
        self.recount(holder, count - 1, count);
        number
    }

    pub(crate) fn remove(&mut self, holder: &H, number: u64) {
        let Some(keys) = self.of.get_mut(holder) else {
            return;
        };
        let before = keys.len();
        keys.remove(&number);
        let after = keys.len();
        if after == 0 {
            self.of.remove(holder);
        }
        self.recount(holder, before, after);
    }

    /// The oldest claim of the holder that has most.
    pub(crate) fn oldest_of_the_largest(&self) -> Option<(H, u64, K)> {
        let (_, holder) = self.by_count.last()?;
        let (number, key) = self.of.get(holder)?.first_key_value()?;
        Some((holder.clone(), *number, key.clone()))
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.of.values().map(BTreeMap::len).sum()
    }

    fn recount(&mut self, holder: &H, before: usize, after: usize) {
        self.by_count.remove(&(before, holder.clone()));
        if after > 0 {
            self.by_count.insert((after, holder.clone()));
        }
    }
}
