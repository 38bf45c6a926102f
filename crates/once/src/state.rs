//! The state of a map: its entries, and the values that are being made.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entries::Entries;

/// The state, behind a lock that is never held while a value is made.
pub(crate) struct State<K, V, H>(Mutex<Content<K, V, H>>);

pub(crate) struct Content<K, V, H> {
    pub(crate) entries: Entries<K, V, H>,
    /// The values that are being made.
    pub(crate) flights: HashMap<K, Flight>,
}

/// A value that is being made.
#[derive(Default)]
pub(crate) struct Flight {
    /// Locked by the one who makes it.
    pub(crate) turn: Arc<tokio::sync::Mutex<()>>,
    /// The one who makes it, and those who wait.
    pub(crate) callers: usize,
}

impl<K: Clone + Eq + Hash, V: Clone, H: Clone + Ord> State<K, V, H> {
    pub(crate) fn new(bound: usize, is_used: fn(&V) -> bool) -> Self {
        Self(Mutex::new(Content {
            entries: Entries::new(bound, is_used),
            flights: HashMap::new(),
        }))
    }
}

impl<K, V, H> State<K, V, H> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Content<K, V, H>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
