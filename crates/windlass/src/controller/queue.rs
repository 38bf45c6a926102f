//! The queue of runs: which run is processed now, which ones wait, and which one is next.
//!
//! Task runs wake the pipeline run that waits for them; every other wait has a timer. At most one
//! pass over a run is active, and a limited number over all runs; when the limit is reached, the
//! watch is not read. Only the name of a run stays in memory, and only while it is processed or
//! waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::time::{DelayQueue, delay_queue};
use tracing::Instrument as _;

use super::awaiting::Awaiting;
use super::reconcile::{Outcome, Reconciler, Work};
use crate::cluster::runs::{RunId, RunKind};
use crate::pipeline::Progress;
use crate::settings::Settings;

/// Artifacts and entries of runs that wait to be read back, in memory: about 2 kB each.
const MOST_RESTING: usize = 16_384;
/// Runs whose progress is kept in memory between two tries; it is on the run as well, if it could be
/// written.
const MOST_PROGRESS: usize = 1000;

/// How long work under way may go on once the controller is asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// What the watch tells the queue.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something has to be done about this run, which looks like this.
    Seen(RunId, Bytes),
    /// The run is gone.
    Gone(RunId),
    /// No pipeline run has to wait for this task run any longer.
    Settled(RunId),
}

struct Waiting {
    attempts: u32,
    timer: delay_queue::Key,
    next: Next,
}

/// What is done with a waiting run when its time has come.
enum Next {
    /// It is tried again, from what the last pass did.
    Try(Progress),
    /// What was written is read back.
    Confirm(Bytes, Progress),
    /// It waits for task runs, and says so if its timer runs out before they are settled.
    Complain,
}

/// What happened to a run while work on it was under way.
#[derive(Default)]
struct Interim {
    /// The run, as it was seen last.
    seen: Option<Bytes>,
    /// Task runs of its namespace that were settled, if it is a pipeline run.
    settled: Vec<String>,
}

/// The queue of one controller.
pub(crate) struct Queue {
    reconciler: Arc<Reconciler>,
    places: usize,
    /// First and longest pause before a failed run is tried again.
    pauses: (Duration, Duration),
    /// Runs worked on.
    busy: HashMap<RunId, Interim>,
    /// Failed attempts of runs that are worked on again.
    attempts: HashMap<RunId, u32>,
    waiting: HashMap<RunId, Waiting>,
    awaiting: Awaiting,
    timers: DelayQueue<RunId>,
    /// How many runs wait to be read back, and how much of memory they take.
    to_confirm: usize,
    resting: usize,
    /// How many wait with progress in memory.
    with_progress: usize,
    workers: JoinSet<Outcome>,
    /// Which run each worker works on.
    tasks: HashMap<task::Id, RunId>,
}

impl Queue {
    /// A queue that works on at most `places` runs at once.
    pub(crate) fn new(
        reconciler: Arc<Reconciler>,
        places: usize,
        pauses: (Duration, Duration),
    ) -> Self {
        Self {
            reconciler,
            places: places.max(1),
            pauses,
            busy: HashMap::new(),
            attempts: HashMap::new(),
            waiting: HashMap::new(),
            awaiting: Awaiting::default(),
            timers: DelayQueue::new(),
            to_confirm: 0,
            resting: 0,
            with_progress: 0,
            workers: JoinSet::new(),
            tasks: HashMap::new(),
        }
    }

    /// Works until `stop`, then finishes what is under way.
    pub(crate) async fn run(
        mut self,
        mut messages: mpsc::Receiver<Message>,
        mut settings: watch::Receiver<Settings>,
        stop: CancellationToken,
    ) {
        loop {
            let room = self.workers.len() < self.places;
            let more = room && self.resting < MOST_RESTING;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(done) = self.workers.join_next_with_id() => self.finished(done),
                Some(due) = self.timers.next(), if room => self.due(due.into_inner()),
                Some(message) = messages.recv(), if more => self.take(message),
                Ok(()) = settings.changed() => self.wake_all(),
            }
            self.reconciler
                .metrics
                .waiting
                .set(i64::try_from(self.waiting.len()).unwrap_or(i64::MAX));
        }
        if tokio::time::timeout(DRAIN, self.drain()).await.is_err() {
            let runs = self.workers.len() + self.to_confirm;
            tracing::warn!("stopped before {runs} runs were finished; the next start resumes them");
        }
    }

    /// Finishes what is under way, also what has yet to be read back. Nothing new is begun.
    async fn drain(&mut self) {
        while !self.workers.is_empty() || self.to_confirm > 0 {
            tokio::select! {
                Some(done) = self.workers.join_next_with_id() => {
                    if let Ok((_, Outcome::Confirm { .. })) = &done {
                        self.finished(done);
                    }
                }
                Some(due) = self.timers.next(), if self.to_confirm > 0 => {
                    let id = due.into_inner();
                    let waiting = self.waiting.get(&id);
                    if waiting.is_some_and(|it| matches!(it.next, Next::Confirm(..))) {
                        self.due(id);
                    }
                }
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Gone(id) => {
                self.awaiting.remove(&id);
                if let Some(waiting) = self.forget(&id) {
                    self.timers.remove(&waiting.timer);
                }
            }
            Message::Settled(child) => self.settled(&child),
            Message::Seen(id, object) => match self.waiting.get(&id) {
                None => self.start(id, Work::Seen(object)),
                // a list that began anew may have missed that a child was deleted
                Some(waiting) if matches!(waiting.next, Next::Complain) => self.wake(&id),
                // its own timer looks at it afresh; what is seen now is mostly our own last write
                Some(_) => {}
            },
        }
    }

    fn settled(&mut self, child: &RunId) {
        let busy = self.busy.iter_mut();
        let parents =
            busy.filter(|(id, _)| id.kind == RunKind::Pipeline && id.namespace == child.namespace);
        for (_, interim) in parents {
            interim.settled.push(child.name.clone());
        }
        for parent in self.awaiting.settle(&child.namespace, &child.name) {
            self.wake(&parent);
        }
    }

    fn due(&mut self, id: RunId) {
        self.awaiting.remove(&id);
        if let Some(waiting) = self.forget(&id) {
            self.attempts.insert(id.clone(), waiting.attempts);
            let work = match waiting.next {
                Next::Try(progress) => Work::Fetch(progress),
                Next::Confirm(object, progress) => Work::Confirm(object, progress),
                Next::Complain => Work::Overdue,
            };
            self.start(id, work);
        }
    }

    /// Takes a run off those that wait; its timer goes on.
    fn forget(&mut self, id: &RunId) -> Option<Waiting> {
        let waiting = self.waiting.remove(id)?;
        match &waiting.next {
            Next::Try(progress) if !progress.is_empty() => self.with_progress -= 1,
            Next::Confirm(_, progress) => {
                self.to_confirm -= 1;
                self.resting -= progress.weight();
            }
            Next::Try(_) | Next::Complain => {}
        }
        Some(waiting)
    }

    fn start(&mut self, id: RunId, work: Work) {
        if let Some(interim) = self.busy.get_mut(&id) {
            if let Work::Seen(object) = work {
                interim.seen = Some(object);
            }
            return;
        }
        self.busy.insert(id.clone(), Interim::default());
        let reconciler = Arc::clone(&self.reconciler);
        // at the level of errors, so that every line of a pass names its run whatever is logged
        let span = tracing::error_span!("pass", run = %id);
        let run = id.clone();
        let pass = async move { reconciler.reconcile(&run, work).await };
        let worker = self.workers.spawn(pass.instrument(span));
        self.tasks.insert(worker.id(), id);
    }

    fn finished(&mut self, done: Result<(task::Id, Outcome), task::JoinError>) {
        let (task, outcome) = match done {
            Ok(done) => done,
            Err(error) => {
                let run = self.tasks.get(&error.id()).map(ToString::to_string);
                tracing::error!(%error, run, "work on a run broke off; trying again");
                let later = Outcome::Later {
                    after: None,
                    progress: Progress::default(),
                };
                (error.id(), later)
            }
        };
        let Some(id) = self.tasks.remove(&task) else {
            return;
        };
        let interim = self.busy.remove(&id).unwrap_or_default();
        let attempts = self.attempts.remove(&id).unwrap_or(0);
        match outcome {
            Outcome::Settled => {
                if let Some(object) = interim.seen {
                    self.start(id, Work::Seen(object));
                }
            }
            Outcome::Later { after, progress } => {
                let pause = after.unwrap_or_else(|| pause(self.pauses, attempts));
                self.wait(id, attempts.saturating_add(1), pause, Next::Try(progress));
            }
            Outcome::Confirm {
                after,
                object,
                progress,
            } => self.wait(id, attempts, after, Next::Confirm(object, progress)),
            Outcome::Awaiting {
                mut children,
                after,
            } => {
                for child in &interim.settled {
                    children.remove(child);
                }
                if children.is_empty() {
                    return self.start(id, Work::Fetch(Progress::default()));
                }
                self.awaiting.add(&id, children);
                self.wait(id, 0, after, Next::Complain);
            }
        }
    }

    fn wait(&mut self, id: RunId, attempts: u32, pause: Duration, next: Next) {
        let next = self.within_bounds(next);
        match &next {
            Next::Try(progress) if !progress.is_empty() => self.with_progress += 1,
            Next::Confirm(_, progress) => {
                self.to_confirm += 1;
                self.resting += progress.weight();
            }
            Next::Try(_) | Next::Complain => {}
        }
        let timer = self.timers.insert(id.clone(), pause);
        let waiting = Waiting {
            attempts,
            timer,
            next,
        };
        self.waiting.insert(id, waiting);
    }

    /// What is done next with a run, without what there is no room for in memory: it is then looked
    /// for anew.
    fn within_bounds(&self, next: Next) -> Next {
        let next = match next {
            // one run is always carried on, however large it is
            Next::Confirm(_, progress)
                if self.resting > 0 && self.resting + progress.weight() > MOST_RESTING =>
            {
                Next::Try(progress.without_confirmations())
            }
            next => next,
        };
        match next {
            Next::Try(_) if self.with_progress >= MOST_PROGRESS => Next::Try(Progress::default()),
            next => next,
        }
    }

    /// Tries a waiting run at once.
    fn wake(&mut self, id: &RunId) {
        self.awaiting.remove(id);
        if let Some(waiting) = self.waiting.get_mut(id) {
            if matches!(waiting.next, Next::Complain) {
                waiting.next = Next::Try(Progress::default());
            }
            self.timers.reset(&waiting.timer, Duration::ZERO);
        }
    }

    /// The settings changed: what failed under the old ones is tried at once.
    fn wake_all(&mut self) {
        let all: Vec<RunId> = self.waiting.keys().cloned().collect();
        for id in all {
            self.wake(&id);
        }
    }
}

fn pause((first, longest): (Duration, Duration), attempts: u32) -> Duration {
    first
        .saturating_mul(2_u32.saturating_pow(attempts))
        .min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Options;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let pauses = Options::new("tekton-chains".to_owned(), 1).pauses;
        let pause = |attempts| pause(pauses, attempts);
        assert_eq!(pause(0), Duration::from_secs(1));
        assert_eq!(pause(3), Duration::from_secs(8));
        assert_eq!(pause(20), Duration::from_secs(300));
        assert_eq!(pause(u32::MAX), Duration::from_secs(300));
    }
}
