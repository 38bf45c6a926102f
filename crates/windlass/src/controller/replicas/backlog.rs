//! The runs that wait in this replica, by namespace, and whether one namespace is so large that its
//! task runs are divided among all replicas.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A namespace with fewer waiting runs is never divided: it is done before others have listed them.
const LEAST: usize = 500;

/// Task runs that wait for a place, by namespace.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Mutex<HashMap<String, usize>>);

impl Backlog {
    /// Counts a run.
    pub(crate) fn add(&self, namespace: &str) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(namespace) {
            *count += 1;
        } else {
            counts.insert(namespace.to_owned(), 1);
        }
    }

    /// A run that was counted waits no longer.
    pub(crate) fn remove(&self, namespace: &str) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(namespace) {
            *count -= 1;
            if *count == 0 {
                counts.remove(namespace);
            }
        }
    }

    /// How many runs wait.
    pub(super) fn total(&self) -> usize {
        self.counts().values().sum()
    }

    /// The namespace to divide while others have so many runs waiting; one that is divided already
    /// stays so until little is left of it.
    pub(super) fn to_divide(&self, elsewhere: usize, divided: Option<&str>) -> Option<String> {
        let counts = self.counts();
        if let Some(divided) = divided
            && counts.get(divided).is_some_and(|count| *count >= LEAST / 4)
        {
            return Some(divided.to_owned());
        }
        let total = elsewhere + counts.values().sum::<usize>();
        let mut large = counts.iter().filter(|(_, count)| **count >= LEAST);
        let (namespace, _) = large.find(|(_, count)| **count * 2 > total)?;
        Some(namespace.clone())
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(counts: &[(&str, usize)]) -> Backlog {
        let backlog = Backlog::default();
        for (namespace, count) in counts {
            (0..*count).for_each(|_| backlog.add(namespace));
        }
        backlog
    }

    #[test]
    fn a_namespace_with_more_than_half_of_all_waiting_runs_is_divided() {
        let large = waiting(&[("big", 1000), ("small", 10)]);
        assert_eq!(large.to_divide(0, None).as_deref(), Some("big"));
        assert_eq!(large.to_divide(989, None).as_deref(), Some("big"));
        assert_eq!(
            large.to_divide(990, None),
            None,
            "half is not more than half"
        );
        assert_eq!(
            waiting(&[("a", 1000), ("b", 1000)]).to_divide(0, None),
            None
        );
        assert_eq!(waiting(&[("a", LEAST - 1)]).to_divide(0, None), None);
        assert_eq!(large.total(), 1010);
    }

    #[test]
    fn a_divided_namespace_stays_so_until_little_is_left_of_it() {
        let backlog = waiting(&[("big", 200)]);
        assert_eq!(backlog.to_divide(5000, Some("big")).as_deref(), Some("big"));
        (0..100).for_each(|_| backlog.remove("big"));
        assert_eq!(backlog.to_divide(0, Some("big")), None);
        (0..100).for_each(|_| backlog.remove("big"));
        assert!(backlog.counts().is_empty());
        backlog.remove("big");
    }
}
