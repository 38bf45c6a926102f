//! A budget of memory, in bytes, that many parties share.
//!
//! What strangers send is of the size that strangers choose. A budget bounds the memory of all of it
//! together. No party gets more than a quarter of it, so that one that holds its part for long leaves
//! room for others. Parties that wait are served in the order in which they came.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a unit, in which the budget is counted.
const UNIT: usize = 1024;
/// The part of the budget that one party can have: one in this many.
const PARTS: usize = 4;
/// Parties in memory before those are looked for that have nothing.
const PARTIES: usize = 256;

/// A budget. Clones share it.
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    all: Arc<Semaphore>,
    /// Units that one party can have.
    part: u32,
    parties: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A part of the budget, until it is dropped.
#[derive(Debug)]
pub struct Share {
    _of_party: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// The budget was used up for as long as anybody wanted to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much else is held in memory; try again later")]
pub struct Exhausted;

impl Budget {
    /// A budget of this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self::in_parts(bytes, PARTS)
    }

    /// A budget of which a party can have one in this many parts.
    pub fn in_parts(bytes: usize, parts: usize) -> Self {
        let parts = parts.max(1);
        let units = (bytes / UNIT).clamp(parts, Semaphore::MAX_PERMITS / 2);
        Self(Arc::new(Inner {
            all: Arc::new(Semaphore::new(units)),
            part: u32::try_from(units / parts).unwrap_or(u32::MAX),
            parties: Mutex::default(),
        }))
    }

    /// Takes a share of this many bytes for a party, and waits for it no longer than `patience`. What
    /// is larger than the part of a party takes all of that part.
    pub async fn take(
        &self,
        party: &str,
        bytes: usize,
        patience: Duration,
    ) -> Result<Share, Exhausted> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let units = units.min(self.0.part);
        let of_party = self.party(party);
        let both = async {
            // the party's own part first: what it waits for there blocks nobody else
            let of_party = of_party.acquire_many_owned(units).await;
            let of_all = Arc::clone(&self.0.all).acquire_many_owned(units).await;
            Some(Share {
                _of_party: of_party.ok()?,
                _of_all: of_all.ok()?,
            })
        };
        let taken = tokio::time::timeout(patience, both).await;
        taken.ok().flatten().ok_or(Exhausted)
    }

    /// Bytes that are left of the budget.
    pub fn free(&self) -> usize {
        self.0.all.available_permits() * UNIT
    }

    fn party(&self, name: &str) -> Arc<Semaphore> {
        let parties = self.0.parties.lock();
        let mut parties = parties.unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = parties.get(name).and_then(Weak::upgrade) {
            return known;
        }
        if parties.len() >= PARTIES {
            parties.retain(|_, party| party.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(self.0.part as usize));
        parties.insert(name.to_owned(), Arc::downgrade(&new));
        new
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("free", &self.free())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const MIB: usize = 1 << 20;

    #[tokio::test(start_paused = true)]
    async fn one_party_has_a_quarter_at_most_and_leaves_the_rest_to_others() {
        let budget = Budget::new(8 * MIB);
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(budget.take("greedy", MIB, PATIENCE).await.unwrap());
        }
        let more = budget.take("greedy", 1, PATIENCE).await;
        assert_eq!(more.err(), Some(Exhausted));
        for party in ["a", "b", "c"] {
            held.push(budget.take(party, 64 * MIB, PATIENCE).await.unwrap());
        }
        let none = budget.take("d", MIB, PATIENCE).await;
        assert_eq!(none.err(), Some(Exhausted));
        held.clear();
        budget.take("greedy", MIB, PATIENCE).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_its_own_part_blocks_nobody_else() {
        let budget = Budget::new(8 * MIB);
        let held = budget.take("greedy", 2 * MIB, PATIENCE).await.unwrap();
        let waits = budget.take("greedy", MIB, PATIENCE);
        let other = budget.take("other", 2 * MIB, PATIENCE);
        let (waited, other) = tokio::join!(waits, other);
        assert!(waited.is_err() && other.is_ok());
        drop(held);
    }

    #[tokio::test(start_paused = true)]
    async fn parties_without_a_share_are_forgotten() {
        let budget = Budget::new(8 * MIB);
        for number in 0..10_000 {
            budget.take(&number.to_string(), 1, PATIENCE).await.unwrap();
        }
        assert!(budget.0.parties.lock().unwrap().len() <= PARTIES);
    }
}
