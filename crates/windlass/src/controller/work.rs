//! What a pass works on, and what is to be done with a run after it.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use crate::pipeline::Progress;

/// A run as a pass knows it.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// The run that is attested.
    pub(crate) object: Bytes,
    /// The same after our own last write, which the next write is made from. What is attested must not
    /// depend on it: some formats contain the annotations of the run.
    pub(crate) written: Option<Bytes>,
}

/// What a pass works on.
#[derive(Debug)]
pub(crate) enum Work {
    /// The run as the watch showed it.
    Seen(Bytes),
    /// The run as it is now, which has to be read first, with what earlier passes did.
    Fetch(Progress),
    /// The same, for a run that has waited so long that it should say why.
    Overdue,
    /// A run whose record goes to registries next. Without the run, it is read first.
    Push(Option<Snapshot>, Progress),
    /// The run as an earlier pass knew it, some of which has to be read back from registries.
    Confirm(Snapshot, Progress),
}

/// What is to be done with a run after a pass.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing, until it changes.
    Settled,
    /// Nothing, until somebody else changes it; this pass wrote it.
    Written,
    /// What is left is to push to these registry hosts.
    Push {
        hosts: BTreeSet<String>,
        run: Snapshot,
        progress: Progress,
    },
    /// Another pass, after this pause or one that grows.
    Later {
        after: Option<Duration>,
        progress: Progress,
    },
    /// The same pass, once what was written has settled.
    Confirm {
        after: Duration,
        run: Snapshot,
        progress: Progress,
    },
    /// Another pass once all these task runs of its namespace are settled, or after this pause.
    Awaiting {
        children: BTreeSet<String>,
        after: Duration,
    },
}

impl From<Bytes> for Snapshot {
    fn from(object: Bytes) -> Self {
        Self {
            object,
            written: None,
        }
    }
}

impl Snapshot {
    fn bytes(&self) -> usize {
        self.object.len() + self.written.as_ref().map_or(0, Bytes::len)
    }

    /// The run as the API server has it, as far as is known.
    pub(crate) fn latest(&self) -> &Bytes {
        self.written.as_ref().unwrap_or(&self.object)
    }
}

impl Work {
    /// Whether registries are asked in it.
    pub(crate) fn reaches_registries(&self) -> bool {
        matches!(self, Self::Push(..) | Self::Confirm(..))
    }

    /// How many bytes of the run, and of what was made of it, are in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Seen(object) => object.len(),
            Self::Push(run, progress) => run.as_ref().map_or(0, Snapshot::bytes) + progress.bytes(),
            Self::Confirm(run, progress) => run.bytes() + progress.bytes(),
            Self::Fetch(progress) => progress.bytes(),
            Self::Overdue => 0,
        }
    }

    /// Whether progress of earlier passes is in memory.
    pub(crate) fn has_progress(&self) -> bool {
        match self {
            Self::Fetch(progress) | Self::Push(_, progress) | Self::Confirm(_, progress) => {
                !progress.is_empty()
            }
            Self::Seen(_) | Self::Overdue => false,
        }
    }
}

impl Outcome {
    /// Another pass after a pause that grows.
    pub(crate) fn again(progress: Progress) -> Self {
        Self::Later {
            after: None,
            progress,
        }
    }
}
