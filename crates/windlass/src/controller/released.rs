//! Runs whose finalizer was taken off, so that it is taken off once: Tekton Chains puts it back on
//! every run it sees, and two controllers would undo each other's writes without end. The finalizer
//! then stays until the run is deleted.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Most runs that are remembered; the first one makes room.
const REMEMBERED: usize = 16_384;

/// The uids of released runs.
#[derive(Debug, Default)]
pub(super) struct Released(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    uids: HashSet<String>,
    order: VecDeque<String>,
}

impl Released {
    /// Whether the finalizer was taken off this run before.
    pub(super) fn has(&self, uid: &str) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.uids.contains(uid)
    }

    /// Remembers a run.
    pub(super) fn add(&self, uid: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.uids.insert(uid.to_owned()) {
            return;
        }
        state.order.push_back(uid.to_owned());
        if state.order.len() > REMEMBERED
            && let Some(first) = state.order.pop_front()
        {
            state.uids.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_too_many_released_runs_is_forgotten() {
        let released = Released::default();
        for number in 0..=REMEMBERED {
            released.add(&number.to_string());
            released.add(&number.to_string());
        }
        assert!(!released.has("0"));
        assert!(released.has("1") && released.has(&REMEMBERED.to_string()));
    }
}
