//! Runs that wait for a place, and how many there are of each namespace.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::entries::Job;
use crate::cluster::runs::{RunId, RunKind};
use crate::controller::replicas::Backlog;

/// Runs that wait for a place.
pub(super) struct Queued {
    jobs: HashMap<Arc<RunId>, Job>,
    backlog: Arc<Backlog>,
}

impl Queued {
    /// None yet; those that come are counted there.
    pub(super) fn new(backlog: Arc<Backlog>) -> Self {
        Self {
            jobs: HashMap::new(),
            backlog,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// A run that waits.
    pub(super) fn get(&self, id: &RunId) -> Option<&Job> {
        self.jobs.get(id)
    }

    /// The same, to change what it waits for.
    pub(super) fn get_mut(&mut self, id: &RunId) -> Option<&mut Job> {
        self.jobs.get_mut(id)
    }

    /// A run begins to wait.
    pub(super) fn insert(&mut self, id: Arc<RunId>, job: Job) {
        match self.jobs.entry(id) {
            Entry::Occupied(mut entry) => {
                entry.insert(job);
            }
            Entry::Vacant(entry) => {
                if entry.key().kind == RunKind::Task {
                    self.backlog.add(&entry.key().namespace);
                }
                entry.insert(job);
            }
        }
    }

    /// A run waits no longer.
    pub(super) fn remove(&mut self, id: &RunId) -> Option<(Arc<RunId>, Job)> {
        let (id, job) = self.jobs.remove_entry(id)?;
        if id.kind == RunKind::Task {
            self.backlog.remove(&id.namespace);
        }
        Some((id, job))
    }

    /// All but these wait no longer.
    pub(super) fn take_all_but(
        &mut self,
        stays: impl Fn(&RunId, &Job) -> bool,
    ) -> Vec<(Arc<RunId>, Job)> {
        let jobs = self.jobs.iter();
        let leaving: Vec<Arc<RunId>> = jobs
            .filter(|(id, job)| !stays(id, job))
            .map(|(id, _)| Arc::clone(id))
            .collect();
        leaving.iter().filter_map(|id| self.remove(id)).collect()
    }
}
