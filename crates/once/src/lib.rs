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
//! - **Fairness.** A map may have holders, such as the tenants of a service. Each uses it by its
//!   [`Share`] and claims the values that it sets or gets. Room is made by the holder with most
//!   claims, and a value goes with its last claim: whoever fills the map loses values of its own, not
//!   those that others use.
//!
//! [`Places`] are shared in the same spirit: whoever takes many leaves some to others, and whoever is
//! not known to be [`Slow`] gets one though all are taken.
//!
//! # Why not an existing crate
//!
//! `moka` 0.12 has single flight, bounds and an expiry for each value. But its clock is private, so a
//! test of expiry has to sleep; it exceeds its bound until its maintenance has run; it would evict a
//! value that is in use; it knows no holders; and it is 36,000 lines with seven crates that nothing
//! else here needs. `quick_cache` 0.6 has single flight and bounds, but no expiry. The maps of this
//! project have at most ten thousand values and are asked a few hundred times a second, so speed
//! decides nothing.
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

use std::fmt;
use std::hash::Hash;
use std::time::Instant;

use self::state::State;

mod claims;
mod entries;
mod places;
mod share;
mod slow;
mod state;

#[cfg(test)]
mod tests;

pub use self::entries::Expiry;
pub use self::places::Places;
pub use self::share::Share;
pub use self::slow::Slow;

/// A bounded map of values that expire and are made by one caller at a time. Without holders, it has
/// the methods of [`Share`] itself.
pub struct OnceMap<K, V, H = ()>(State<K, V, H>);

impl<K: Clone + Eq + Hash, V: Clone, H: Clone + Ord> OnceMap<K, V, H> {
    /// A map that keeps `bound` values.
    pub fn new(bound: usize) -> Self {
        Self::keeping_used(bound, |_| false)
    }

    /// A map that keeps `bound` values, and any value that is in use: what has not expired and is in
    /// use is never pushed out, even if the map exceeds its bound by it.
    pub fn keeping_used(bound: usize, is_used: fn(&V) -> bool) -> Self {
        Self(State::new(bound, is_used))
    }

    /// The map as a holder uses it.
    ///
    /// ```
    /// use std::time::Instant;
    /// use windlass_once::{Expiry, OnceMap};
    ///
    /// let map: OnceMap<u32, u32, &str> = OnceMap::new(10);
    /// let now = Instant::now();
    /// map.share(&"modest").insert(0, 7, Expiry::Never, now);
    /// for key in 1..1000 {
    ///     map.share(&"greedy").insert(key, 8, Expiry::Never, now);
    /// }
    /// assert_eq!(map.share(&"modest").get(&0, now), Some(7));
    /// ```
    pub fn share<'a>(&'a self, holder: &'a H) -> Share<'a, K, V, H> {
        Share::new(&self.0, holder)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> OnceMap<K, V> {
    /// See [`Share::get`].
    pub fn get(&self, key: &K, now: Instant) -> Option<V> {
        self.share(&()).get(key, now)
    }

    /// See [`Share::insert`].
    pub fn insert(&self, key: K, value: V, expiry: Expiry, now: Instant) {
        self.share(&()).insert(key, value, expiry, now);
    }

    /// See [`Share::remove_if`].
    pub fn remove_if(&self, key: &K, is_stale: impl FnOnce(&V) -> bool) {
        self.share(&()).remove_if(key, is_stale);
    }

    /// See [`Share::get_or_make`].
    pub fn get_or_make(&self, key: &K, now: Instant, make: impl FnOnce() -> (V, Expiry)) -> V {
        self.share(&()).get_or_make(key, now, make)
    }

    /// See [`Share::get_or_try_make`].
    pub async fn get_or_try_make<F, E>(
        &self,
        key: &K,
        now: Instant,
        make: impl FnOnce() -> F,
    ) -> Result<V, E>
    where
        F: Future<Output = Result<(V, Expiry), E>>,
    {
        self.share(&()).get_or_try_make(key, now, make).await
    }
}

impl<K, V, H> OnceMap<K, V, H> {
    /// How many values it keeps.
    pub fn len(&self) -> usize {
        self.0.lock().entries.len()
    }

    /// Whether it keeps no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, V, H> fmt::Debug for OnceMap<K, V, H> {
    /// Without keys and values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnceMap({} values)", self.len())
    }
}
