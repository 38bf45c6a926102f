//! A map of values that are made once: one caller makes a value, the others wait for it.
//!
//! An [`OnceMap`] is a cache with these rules:
//!
//! - **Single flight.** Of all callers that ask for a missing key, one makes the value. A failure is
//!   returned to that caller and not kept: the next waiter makes the value itself. The same happens
//!   if the one who makes it is cancelled or panics.
//! - **Expiry.** Each value has its own expiry, and is dropped when the map is next used after it.
//!   The caller passes in the time, so that a test needs no sleep. A failure that should be kept for a
//!   while is a value with an expiry.
//! - **Bound.** A map keeps a stated number of values. A new value first pushes out what has expired,
//!   then the oldest. Values that are being made come on top: one for each caller at most.
//!
//! # Why not an existing crate
//!
//! `moka` 0.12 has single flight, bounds and an expiry for each value. But its clock is private, so a
//! test of expiry has to sleep; it exceeds its bound until its maintenance has run; it would evict a
//! value that is in use; and it is 36,000 lines with seven crates that nothing else here needs.
//! `quick_cache` 0.6 has single flight and bounds, but no expiry. The maps of this project have at
//! most ten thousand values and are asked a few hundred times a second, so speed decides nothing.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//! use std::time::{Duration, Instant};
//! use windlass_once::{Expiry, OnceMap};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let tokens: OnceMap<&str, u32> = OnceMap::new(100);
//! let now = Instant::now();
//! let make = || async { Ok::<_, Infallible>((7, Expiry::At(now + Duration::from_secs(60)))) };
//! assert_eq!(tokens.get_or_try_make(&"registry", now, make).await, Ok(7));
//! assert_eq!(tokens.get(&"registry", now), Some(7));
//! assert_eq!(tokens.get(&"registry", now + Duration::from_secs(60)), None);
//! # }
//! ```

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use self::entries::Entries;

mod entries;

#[cfg(test)]
mod tests;

pub use self::entries::Expiry;

/// A bounded map of values that expire and are made by one caller at a time.
pub struct OnceMap<K, V>(Mutex<State<K, V>>);

struct State<K, V> {
    entries: Entries<K, V>,
    /// The values that are being made.
    flights: HashMap<K, Flight>,
}

/// A value that is being made.
#[derive(Default)]
struct Flight {
    /// Locked by the one who makes it.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The one who makes it, and those who wait.
    callers: usize,
}

impl<K: Clone + Eq + Hash, V: Clone> OnceMap<K, V> {
    /// A map that keeps `bound` values.
    pub fn new(bound: usize) -> Self {
        Self::keeping_used(bound, |_| false)
    }

    /// A map that keeps `bound` values, and any value that is in use: what has not expired and is in
    /// use is never pushed out, even if the map exceeds its bound by it.
    pub fn keeping_used(bound: usize, is_used: fn(&V) -> bool) -> Self {
        Self(Mutex::new(State {
            entries: Entries::new(bound, is_used),
            flights: HashMap::new(),
        }))
    }

    /// The value of a key, unless it has expired.
    pub fn get(&self, key: &K, now: Instant) -> Option<V> {
        self.state().entries.get(key, now)
    }

    /// Sets the value of a key.
    pub fn insert(&self, key: K, value: V, expiry: Expiry, now: Instant) {
        self.state().entries.insert(key, value, expiry, now);
    }

    /// Removes the value of a key if it is stale.
    pub fn remove_if(&self, key: &K, is_stale: impl FnOnce(&V) -> bool) {
        self.state().entries.remove_if(key, is_stale);
    }

    /// The value of a key; if it is missing or has expired, it is made here and now. `make` runs
    /// while the map is locked: it has to be quick and must not use the map.
    pub fn get_or_make(&self, key: &K, now: Instant, make: impl FnOnce() -> (V, Expiry)) -> V {
        let mut state = self.state();
        if let Some(value) = state.entries.get(key, now) {
            return value;
        }
        let (value, expiry) = make();
        state
            .entries
            .insert(key.clone(), value.clone(), expiry, now);
        value
    }

    /// The value of a key; if it is missing or has expired, one caller makes it while the others
    /// wait. `now` is the time of asking, also for those who wait. A `make` that asks for its own key
    /// waits for ever.
    pub async fn get_or_try_make<F, E>(
        &self,
        key: &K,
        now: Instant,
        make: impl FnOnce() -> F,
    ) -> Result<V, E>
    where
        F: Future<Output = Result<(V, Expiry), E>>,
    {
        if let Some(value) = self.get(key, now) {
            return Ok(value);
        }
        let caller = self.board(key);
        let _turn = caller.turn.lock().await;
        if let Some(value) = self.get(key, now) {
            return Ok(value);
        }
        let (value, expiry) = make().await?;
        self.insert(key.clone(), value.clone(), expiry, now);
        Ok(value)
    }

    /// Joins those who make the value of a key or wait for it.
    fn board<'a>(&'a self, key: &'a K) -> Caller<'a, K, V> {
        let mut state = self.state();
        let flight = state.flights.entry(key.clone()).or_default();
        flight.callers += 1;
        Caller {
            map: self,
            key,
            turn: Arc::clone(&flight.turn),
        }
    }
}

impl<K, V> OnceMap<K, V> {
    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for OnceMap<K, V> {
    /// Without keys and values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnceMap({} values)", self.state().entries.len())
    }
}

/// A caller that makes a value or waits for it. The last one to leave closes the flight.
struct Caller<'a, K: Eq + Hash, V> {
    map: &'a OnceMap<K, V>,
    key: &'a K,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl<K: Eq + Hash, V> Drop for Caller<'_, K, V> {
    fn drop(&mut self) {
        let mut state = self.map.state();
        let Some(flight) = state.flights.get_mut(self.key) else {
            return;
        };
        flight.callers -= 1;
        if flight.callers == 0 {
            state.flights.remove(self.key);
        }
    }
}
