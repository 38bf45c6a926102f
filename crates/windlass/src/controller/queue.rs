//! Which run is worked on now, which one waits, and which one comes next.
//!
//! A pipeline run that waits for its task runs is woken by them; everything else that waits has a
//! timer. At most one piece of work a run is under way, and a bounded number in all; when all places are
//! taken nothing more is read from the watch. What is remembered of a run is its name, and that
//! only while it is worked on or waits for another try.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::time::{DelayQueue, delay_queue};

use super::awaiting::Awaiting;
use super::reconcile::{Outcome, Reconciler, Work};
use crate::cluster::runs::{RunId, RunKind};
use crate::settings::Settings;

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
    /// It waits for task runs, and says so if its timer runs out before they are settled.
    awaiting: bool,
}

/// What was learnt while work on a run was under way.
#[derive(Default)]
struct Meanwhile {
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
    busy: HashMap<RunId, Meanwhile>,
    /// Failed attempts of runs that are worked on again.
    attempts: HashMap<RunId, u32>,
    waiting: HashMap<RunId, Waiting>,
    awaiting: Awaiting,
    timers: DelayQueue<RunId>,
    workers: JoinSet<(RunId, Outcome)>,
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
            workers: JoinSet::new(),
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
            tokio::select! {
                () = stop.cancelled() => break,
                Some(done) = self.workers.join_next() => self.finished(done),
                Some(due) = self.timers.next(), if room => self.due(due.into_inner()),
                Some(message) = messages.recv(), if room => self.told(message),
                Ok(()) = settings.changed() => self.wake_all(),
            }
            self.reconciler
                .metrics
                .waiting
                .set(i64::try_from(self.waiting.len()).unwrap_or(i64::MAX));
        }
        let drained = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("stopped with work under way; it is done again at the next start");
        }
    }

    fn told(&mut self, message: Message) {
        match message {
            Message::Gone(id) => {
                self.awaiting.remove(&id);
                if let Some(waiting) = self.waiting.remove(&id) {
                    self.timers.remove(&waiting.timer);
                }
            }
            Message::Settled(child) => self.settled(&child),
            Message::Seen(id, object) => match self.waiting.get(&id) {
                None => self.start(id, Work::Seen(object)),
                // a list that began anew may have missed that a child was deleted
                Some(waiting) if waiting.awaiting => self.wake(&id),
                // its own timer looks at it afresh; what is seen now is mostly our own last write
                Some(_) => {}
            },
        }
    }

    fn settled(&mut self, child: &RunId) {
        let busy = self.busy.iter_mut();
        let parents =
            busy.filter(|(id, _)| id.kind == RunKind::Pipeline && id.namespace == child.namespace);
        for (_, meanwhile) in parents {
            meanwhile.settled.push(child.name.clone());
        }
        for parent in self.awaiting.settle(&child.namespace, &child.name) {
            self.wake(&parent);
        }
    }

    fn due(&mut self, id: RunId) {
        self.awaiting.remove(&id);
        if let Some(waiting) = self.waiting.remove(&id) {
            self.attempts.insert(id.clone(), waiting.attempts);
            let work = if waiting.awaiting {
                Work::Overdue
            } else {
                Work::Fetch
            };
            self.start(id, work);
        }
    }

    fn start(&mut self, id: RunId, work: Work) {
        if let Some(meanwhile) = self.busy.get_mut(&id) {
            if let Work::Seen(object) = work {
                meanwhile.seen = Some(object);
            }
            return;
        }
        self.busy.insert(id.clone(), Meanwhile::default());
        let reconciler = Arc::clone(&self.reconciler);
        self.workers.spawn(async move {
            let outcome = reconciler.reconcile(&id, work).await;
            (id, outcome)
        });
    }

    fn finished(&mut self, done: Result<(RunId, Outcome), tokio::task::JoinError>) {
        let (id, outcome) = match done {
            Ok(done) => done,
            // nothing cancels workers, and nothing in them panics; a run lost here would come back
            // with the next list
            Err(error) => return tracing::error!(%error, "work on a run broke off"),
        };
        let meanwhile = self.busy.remove(&id).unwrap_or_default();
        let attempts = self.attempts.remove(&id).unwrap_or(0);
        match outcome {
            Outcome::Settled => {
                if let Some(object) = meanwhile.seen {
                    self.start(id, Work::Seen(object));
                }
            }
            Outcome::Later { after } => {
                let pause = after.unwrap_or_else(|| pause(self.pauses, attempts));
                self.wait(id, attempts.saturating_add(1), pause, false);
            }
            Outcome::Awaiting {
                mut children,
                after,
            } => {
                for child in &meanwhile.settled {
                    children.remove(child);
                }
                if children.is_empty() {
                    return self.start(id, Work::Fetch);
                }
                self.awaiting.add(&id, children);
                self.wait(id, 0, after, true);
            }
        }
    }

    fn wait(&mut self, id: RunId, attempts: u32, pause: Duration, awaiting: bool) {
        let timer = self.timers.insert(id.clone(), pause);
        self.waiting.insert(
            id,
            Waiting {
                attempts,
                timer,
                awaiting,
            },
        );
    }

    /// Tries a waiting run at once.
    fn wake(&mut self, id: &RunId) {
        self.awaiting.remove(id);
        if let Some(waiting) = self.waiting.get_mut(id) {
            waiting.awaiting = false;
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
