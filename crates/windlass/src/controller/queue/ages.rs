//! How long the runs in the queue have waited: since when each is in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::runs::RunId;

/// How often it is worked out which one has waited longest, which looks at all of them.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Since when runs are in the queue.
#[derive(Debug, Default)]
pub(super) struct Ages(HashMap<Arc<RunId>, Instant>);

impl Ages {
    /// Notes that a run is in the queue, if it is new.
    pub(super) fn note(&mut self, id: &Arc<RunId>) {
        if !self.0.contains_key(id) {
            self.0.insert(Arc::clone(id), Instant::now());
        }
    }

    /// Since when the first one waits, of those that are still there; the others are forgotten.
    pub(super) fn oldest(&mut self, is_there: impl Fn(&RunId) -> bool) -> Option<Instant> {
        self.0.retain(|id, _| is_there(id));
        self.0.values().min().copied()
    }

    /// Whether there may be any.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::runs::RunKind;

    #[test]
    fn the_oldest_run_is_the_first_of_those_that_are_still_there() {
        let id = |name: &str| {
            Arc::new(RunId {
                kind: RunKind::Task,
                namespace: "a".to_owned(),
                name: name.to_owned(),
                uid: name.to_owned(),
            })
        };
        let mut ages = Ages::default();
        let (first, second) = (id("first"), id("second"));
        ages.note(&first);
        ages.note(&second);
        let since = ages.oldest(|_| true).unwrap();
        // seen again, it has waited no less
        ages.note(&first);
        assert_eq!(ages.oldest(|_| true), Some(since));
        assert!(ages.oldest(|id| id.name == "second").unwrap() >= since);
        assert_eq!(ages.oldest(|_| false), None);
        assert!(ages.is_empty());
    }
}
