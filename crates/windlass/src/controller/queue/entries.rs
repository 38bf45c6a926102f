//! What the queue knows of a run: that it waits for a place, for its time, or is worked on.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::time::delay_queue;

use super::budget::Amount;
use super::lane::Ticket;
use crate::controller::work::Work;

/// Which lane a place is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Signing,
    Pushing,
}

impl Place {
    /// The place that work needs.
    pub(super) fn of(work: &Work) -> Self {
        if work.reaches_registries() {
            Self::Pushing
        } else {
            Self::Signing
        }
    }
}

/// A run that waits for a place.
pub(super) struct Job {
    pub(super) attempts: u32,
    pub(super) is_leaving: bool,
    pub(super) work: Work,
    /// The registry hosts that it needs.
    pub(super) hosts: Arc<[String]>,
    /// How many places it takes.
    pub(super) places: usize,
}

/// A run that waits for its time, or to be woken up.
pub(super) struct Waiting {
    pub(super) attempts: u32,
    pub(super) is_leaving: bool,
    pub(super) timer: delay_queue::Key,
    pub(super) work: Work,
    /// The registry hosts that it needs.
    pub(super) hosts: Arc<[String]>,
    /// How many places it takes.
    pub(super) places: usize,
}

/// A run that is worked on.
pub(super) struct Busy {
    pub(super) ticket: Ticket,
    pub(super) place: Place,
    /// When it got the place.
    pub(super) since: Instant,
    pub(super) attempts: u32,
    pub(super) is_leaving: bool,
    /// The memory that the pass began with.
    pub(super) memory: Amount,
    pub(super) interim: Interim,
}

/// What happened to a run while it was worked on.
#[derive(Default)]
pub(super) struct Interim {
    /// It was seen again, and something has to be done about it.
    pub(super) was_seen: bool,
    /// It was deleted.
    pub(super) has_left: bool,
    /// The settings that the pass began with changed.
    pub(super) is_outdated: bool,
    /// Task runs of its namespace that were settled, if it is a pipeline run.
    pub(super) settled: Vec<String>,
}
