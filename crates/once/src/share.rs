//! A share: a map as one of its holders uses it.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use super::entries::Expiry;
use super::state::State;

/// A map as one holder uses it.
pub struct Share<'a, K, V, H> {
    state: &'a State<K, V, H>,
    holder: &'a H,
}

impl<'a, K, V, H> Share<'a, K, V, H> {
    pub(super) fn new(state: &'a State<K, V, H>, holder: &'a H) -> Self {
        Self { state, holder }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, H: Clone + Ord> Share<'_, K, V, H> {
    /// The value of a key, unless it has expired.
    pub fn get(&self, key: &K, now: Instant) -> Option<V> {
        self.state.lock().entries.get(self.holder, key, now)
    }

    /// Sets the value of a key.
    pub fn insert(&self, key: K, value: V, expiry: Expiry, now: Instant) {
        let mut content = self.state.lock();
        content.entries.insert(self.holder, key, value, expiry, now);
    }

    /// Removes the value of a key if it is stale.
    pub fn remove_if(&self, key: &K, is_stale: impl FnOnce(&V) -> bool) {
        self.state.lock().entries.remove_if(key, is_stale);
    }

    /// The value of a key; if it is missing or has expired, it is made here and now. `make` runs
    /// while the map is locked: it has to be quick and must not use the map.
    pub fn get_or_make(&self, key: &K, now: Instant, make: impl FnOnce() -> (V, Expiry)) -> V {
        let mut content = self.state.lock();
        if let Some(value) = content.entries.get(self.holder, key, now) {
            return value;
        }
        let (value, expiry) = make();
        let (key, copy) = (key.clone(), value.clone());
        content.entries.insert(self.holder, key, copy, expiry, now);
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
    fn board<'k>(&'k self, key: &'k K) -> Caller<'k, K, V, H> {
        let mut content = self.state.lock();
        let flight = content.flights.entry(key.clone()).or_default();
        flight.callers += 1;
        Caller {
            state: self.state,
            key,
            turn: Arc::clone(&flight.turn),
        }
    }
}

/// A caller that makes a value or waits for it. The last one to leave closes the flight.
struct Caller<'a, K: Eq + Hash, V, H> {
    state: &'a State<K, V, H>,
    key: &'a K,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl<K: Eq + Hash, V, H> Drop for Caller<'_, K, V, H> {
    fn drop(&mut self) {
        let mut content = self.state.lock();
        let Some(flight) = content.flights.get_mut(self.key) else {
            return;
        };
        flight.callers -= 1;
        if flight.callers == 0 {
            content.flights.remove(self.key);
        }
    }
}
