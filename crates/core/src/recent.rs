//! A set of what was met last: bounded, and shared by threads.

use std::borrow::Borrow;
use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Remembers the last `N` values that were added. One more, and the oldest is forgotten.
///
/// ```
/// use windlass_core::recent::Recent;
///
/// let recent = Recent::<_, 2>::default();
/// for value in ["a", "b", "b", "c"] {
///     recent.add(value);
/// }
/// assert!(!recent.has(&"a"));
/// assert!(recent.has(&"b") && recent.has(&"c"));
/// ```
#[derive(Debug)]
pub struct Recent<T, const N: usize>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    values: HashSet<T>,
    order: VecDeque<T>,
}

impl<T, const N: usize> Default for Recent<T, N> {
    fn default() -> Self {
        Self(Mutex::new(State {
            values: HashSet::new(),
            order: VecDeque::new(),
        }))
    }
}

impl<T: Clone + Eq + Hash, const N: usize> Recent<T, N> {
    /// Whether the value was added, and not forgotten since.
    pub fn has<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.values.contains(value)
    }

    /// Remembers a value.
    pub fn add(&self, value: T) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.values.insert(value.clone()) {
            return;
        }
        state.order.push_back(value);
        if state.order.len() > N
            && let Some(first) = state.order.pop_front()
        {
            state.values.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_too_many_values_is_forgotten() {
        let recent = Recent::<usize, 100>::default();
        for number in 0..=100 {
            recent.add(number);
            recent.add(number);
        }
        assert!(!recent.has(&0));
        assert!(recent.has(&1) && recent.has(&100));
    }
}
