//! The queue of runs: which run is processed now, which ones wait, and which one is next.
//!
//! A run goes through two lanes. In the first it is signed and recorded on itself, which waits for
//! nobody but the API server; in the second its record goes to registries, which may take long. In
//! both, namespaces take turns, and each has a share of the places (`lane`).
//!
//! Task runs wake the pipeline run that waits for them; every other wait has a timer. At most one
//! pass over a run is active. Messages of the watch are taken in at once whatever is under way: beyond
//! a bound, only the name of a run stays in memory (`budget`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::{self, JoinSet};
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::time::DelayQueue;
use tracing::Instrument as _;

use self::ages::Ages;
use self::budget::Budget;
use self::entries::{Busy, Interim, Job, Place, Waiting};
use self::lane::{Lane, Ticket};
use self::pace::Pace;
use self::queued::Queued;
use super::awaiting::Awaiting;
use super::reconcile::Reconciler;
use super::replicas::{Replicas, Share};
use super::work::{Outcome, Work};
use crate::cluster::runs::{RunId, RunKind};
use crate::pipeline::Progress;
use crate::settings::Settings;

mod ages;
mod budget;
mod ended;
mod entries;
mod fair;
mod lane;
mod pace;
mod queued;

/// Fewest places for runs that push: a few tenants with slow registries would hold fewer.
const FEWEST_PUSHING: usize = 32;
/// Most runs that are signed and recorded at once.
const MOST_SIGNING: usize = 256;
/// Longest pause of a run that is being deleted and waits for us.
const LEAVING: Duration = Duration::from_secs(30);
/// How long work under way may go on once the controller is asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// What the watch tells the queue.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something has to be done about this run.
    Seen {
        id: RunId,
        object: Bytes,
        /// It is being deleted, and waits for us.
        is_leaving: bool,
    },
    /// The run is gone.
    Gone(RunId),
    /// No pipeline run has to wait for this task run any longer.
    Settled(RunId),
}

/// How the queue goes about its runs.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Runs that push to registries at once, 32 at least, and that are signed at once, 256 at most.
    pub(crate) places: usize,
    /// First and longest pause before a failed run is tried again.
    pub(crate) pauses: (Duration, Duration),
    /// How long a pass may take. Registries have five sixths of it, so that there is time to record.
    pub(crate) deadline: Duration,
}

/// The queue of one controller.
pub(crate) struct Queue {
    reconciler: Arc<Reconciler>,
    limits: Limits,
    /// Where runs are signed and recorded.
    signing: Lane,
    /// Where records go to registries.
    pushing: Lane,
    /// The runs of this replica.
    share: watch::Receiver<Share>,
    queued: Queued,
    busy: HashMap<Arc<RunId>, Busy>,
    waiting: HashMap<Arc<RunId>, Waiting>,
    awaiting: Awaiting,
    timers: DelayQueue<Arc<RunId>>,
    ages: Ages,
    budget: Budget,
    pace: Pace,
    workers: JoinSet<Outcome>,
    /// Which run each worker works on.
    tasks: HashMap<task::Id, Arc<RunId>>,
    is_draining: bool,
}

impl Queue {
    /// A queue within these limits.
    pub(crate) fn new(reconciler: Arc<Reconciler>, limits: Limits, replicas: &Replicas) -> Self {
        Self {
            reconciler,
            share: replicas.share(),
            signing: Lane::new(limits.places.min(MOST_SIGNING)),
            pushing: Lane::new(limits.places.max(FEWEST_PUSHING)),
            limits,
            queued: Queued::new(replicas.backlog()),
            busy: HashMap::new(),
            waiting: HashMap::new(),
            awaiting: Awaiting::default(),
            timers: DelayQueue::new(),
            ages: Ages::default(),
            budget: Budget::default(),
            pace: Pace::default(),
            workers: JoinSet::new(),
            tasks: HashMap::new(),
            is_draining: false,
        }
    }

    /// Works until `stop`, then finishes what is under way.
    pub(crate) async fn run(
        mut self,
        mut messages: mpsc::Receiver<Message>,
        mut settings: watch::Receiver<Settings>,
        stop: CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(ages::EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // seldom
                Ok(()) = settings.changed() => self.wake_all(),
                Ok(()) = self.share.changed() => self.leave_to_others(),
                _ = ticks.tick(), if !self.ages.is_empty() => self.look_for_oldest(),
                // what ends makes room for what comes
                Some(done) = self.workers.join_next_with_id() => self.finished(done),
                Some(due) = self.timers.next() => self.due(&due.into_inner()),
                Some(message) = messages.recv() => self.take(message),
            }
            self.fill();
            self.count();
        }
        if tokio::time::timeout(DRAIN, self.drain()).await.is_err() {
            let runs = self.workers.len() + self.budget.to_confirm;
            tracing::warn!("stopped before {runs} runs were finished; the next start resumes them");
        }
    }

    /// Finishes what is under way, also what has yet to be read back. Nothing new is begun.
    async fn drain(&mut self) {
        self.is_draining = true;
        for (id, job) in self
            .queued
            .take_all_but(|_, job| matches!(job.work, Work::Confirm(..)))
        {
            self.budget.release(&id.namespace, &job.work);
        }
        self.fill();
        while !self.workers.is_empty() || self.budget.to_confirm > 0 {
            tokio::select! {
                biased;
                Some(done) = self.workers.join_next_with_id() => self.finished(done),
                Some(due) = self.timers.next(), if self.budget.to_confirm > 0 => {
                    let id = due.into_inner();
                    let waiting = self.waiting.get(&id);
                    if waiting.is_some_and(|it| matches!(it.work, Work::Confirm(..))) {
                        self.due(&id);
                    }
                }
            }
            self.fill();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Gone(id) => self.forget(&id),
            Message::Settled(child) => self.settled(&child),
            Message::Seen {
                id,
                object,
                is_leaving,
            } => self.seen(id, object, is_leaving),
        }
    }

    fn seen(&mut self, id: RunId, object: Bytes, is_leaving: bool) {
        // the share may have changed since the watch showed the run
        if !self.share.borrow().has(&id) {
            return;
        }
        if let Some(busy) = self.busy.get_mut(&id) {
            busy.interim.was_seen = true;
            busy.interim.has_left |= is_leaving;
        } else if let Some(job) = self.queued.get_mut(&id) {
            let leaves_now = is_leaving && !job.is_leaving;
            if leaves_now || matches!(job.work, Work::Seen(_)) {
                job.is_leaving = is_leaving;
                self.budget.release(&id.namespace, &job.work);
                job.work = self.budget.admit(&id.namespace, Work::Seen(object));
            }
            if leaves_now {
                let ticket = Ticket::without_hosts(&Arc::new(id), job.places);
                self.signing.push(Ticket {
                    is_urgent: true,
                    ..ticket
                });
            }
        } else if let Some(waiting) = self.waiting.get_mut(&id) {
            let leaves_now = is_leaving && !waiting.is_leaving;
            waiting.is_leaving = is_leaving;
            // a list that began anew may have missed that a child was deleted
            if leaves_now || matches!(waiting.work, Work::Overdue) {
                self.wake(&id);
            }
            // otherwise its own timer looks at it afresh; what is seen now is mostly our own last write
        } else {
            self.start_or_rest(Arc::new(id), Work::Seen(object), is_leaving);
        }
    }

    /// Lets a run wait for a place; for its time, if it was written too often of late.
    fn start_or_rest(&mut self, id: Arc<RunId>, work: Work, is_leaving: bool) {
        let rest = self.pace.rest(&id.uid, self.limits.pauses, Instant::now());
        let job = Job {
            attempts: 0,
            is_leaving,
            places: Ticket::places_for(work.bytes()),
            hosts: Arc::default(),
            work,
        };
        if rest.is_zero() {
            return self.enqueue(Ticket::without_hosts(&id, job.places), job);
        }
        let work = Work::Fetch(Progress::default());
        self.wait(id, rest, Job { work, ..job });
    }

    fn settled(&mut self, child: &RunId) {
        let busy = self.busy.iter_mut();
        let parents =
            busy.filter(|(id, _)| id.kind == RunKind::Pipeline && id.namespace == child.namespace);
        for (_, busy) in parents {
            busy.interim.settled.push(child.name.clone());
        }
        for parent in self.awaiting.settle(&child.namespace, &child.name) {
            self.wake(&parent);
        }
    }

    /// The time of a waiting run has come.
    fn due(&mut self, id: &RunId) {
        self.awaiting.remove(id);
        let Some((id, waiting)) = self.waiting.remove_entry(id) else {
            return;
        };
        self.budget.release(&id.namespace, &waiting.work);
        let job = Job {
            attempts: waiting.attempts,
            is_leaving: waiting.is_leaving,
            work: waiting.work,
            hosts: waiting.hosts,
            places: waiting.places,
        };
        let ticket = Ticket {
            hosts: Arc::clone(&job.hosts),
            ..Ticket::without_hosts(&id, job.places)
        };
        self.enqueue(ticket, job);
    }

    /// The run is gone.
    fn forget(&mut self, id: &RunId) {
        self.awaiting.remove(id);
        if let Some(waiting) = self.waiting.remove(id) {
            self.budget.release(&id.namespace, &waiting.work);
            self.timers.remove(&waiting.timer);
        }
        // its ticket is dropped when its turn comes
        if let Some((_, job)) = self.queued.remove(id) {
            self.budget.release(&id.namespace, &job.work);
        }
    }

    /// Lets a run wait for a place.
    fn enqueue(&mut self, mut ticket: Ticket, job: Job) {
        let id = Arc::clone(&ticket.id);
        self.ages.note(&id);
        let work = self.budget.admit(&id.namespace, job.work);
        if Place::of(&work) == Place::Signing {
            ticket.hosts = Arc::default();
        }
        ticket.is_urgent = job.is_leaving || matches!(work, Work::Confirm(..));
        self.lane(Place::of(&work)).push(ticket);
        self.queued.insert(id, Job { work, ..job });
    }

    fn lane(&mut self, place: Place) -> &mut Lane {
        match place {
            Place::Signing => &mut self.signing,
            Place::Pushing => &mut self.pushing,
        }
    }

    /// Gives all places that are free.
    fn fill(&mut self) {
        let now = Instant::now();
        while let Some(ticket) = self.signing.next(now) {
            self.start(ticket, Place::Signing);
        }
        while let Some(ticket) = self.pushing.next(now) {
            self.start(ticket, Place::Pushing);
        }
    }

    /// Starts a pass over a run that has got a place.
    fn start(&mut self, ticket: Ticket, place: Place) {
        let queued = self.queued.get(&ticket.id);
        let is_next = queued.is_some_and(|job| Place::of(&job.work) == place);
        let next = is_next.then(|| self.queued.remove(&ticket.id));
        let Some((id, job)) = next.flatten() else {
            // it is gone, or another ticket of it came first
            let lane = self.lane(place);
            return lane.leave(&ticket, Duration::ZERO, Instant::now());
        };
        let busy = Busy {
            ticket,
            place,
            since: Instant::now(),
            attempts: job.attempts,
            is_leaving: job.is_leaving,
            memory: self.budget.begin(&job.work),
            interim: Interim::default(),
        };
        self.busy.insert(Arc::clone(&id), busy);
        // at the level of errors, so that every line of a pass names its run whatever is logged
        let span = tracing::error_span!("pass", run = %id);
        let reconciler = Arc::clone(&self.reconciler);
        let pass = reconciler.pass_in_time(Arc::clone(&id), job.work, self.limits.deadline);
        let worker = self.workers.spawn(pass.instrument(span));
        self.tasks.insert(worker.id(), id);
    }

    fn wait(&mut self, id: Arc<RunId>, pause: Duration, job: Job) {
        let longest = if job.is_leaving {
            LEAVING
        } else {
            Duration::MAX
        };
        self.ages.note(&id);
        let timer = self.timers.insert(Arc::clone(&id), pause.min(longest));
        let waiting = Waiting {
            attempts: job.attempts,
            is_leaving: job.is_leaving,
            timer,
            hosts: job.hosts,
            places: job.places,
            work: self.budget.admit(&id.namespace, job.work),
        };
        self.waiting.insert(id, waiting);
    }

    /// Tries a waiting run as soon as it is its turn.
    fn wake(&mut self, id: &RunId) {
        let Some(waiting) = self.waiting.get_mut(id) else {
            return;
        };
        self.timers.remove(&waiting.timer);
        if matches!(waiting.work, Work::Overdue) {
            waiting.work = Work::Fetch(Progress::default());
        }
        self.due(id);
    }

    /// The share changed: what is not in it any longer is left to the others. Passes under way end.
    fn leave_to_others(&mut self) {
        let share = self.share.borrow_and_update().clone();
        for (id, job) in self.queued.take_all_but(|id, _| share.has(id)) {
            self.budget.release(&id.namespace, &job.work);
        }
        let waiting = self.waiting.keys().filter(|id| !share.has(id));
        let waiting: Vec<Arc<RunId>> = waiting.cloned().collect();
        for id in waiting {
            self.forget(&id);
        }
    }

    /// The settings changed: what failed under the old ones, or is about to, is tried as soon as it is
    /// its turn.
    fn wake_all(&mut self) {
        for busy in self.busy.values_mut() {
            busy.interim.is_outdated = true;
        }
        let mut all: Vec<Arc<RunId>> = self.waiting.keys().cloned().collect();
        // in an order that does not depend on the map's own chance
        all.sort();
        for id in all {
            self.wake(&id);
        }
    }

    fn count(&self) {
        let metrics = &self.reconciler.metrics;
        metrics.backlog(self.queued.len(), self.waiting.len(), self.busy.len());
    }

    fn look_for_oldest(&mut self) {
        let (queued, busy, waiting) = (&self.queued, &self.busy, &self.waiting);
        let oldest = self.ages.oldest(|id| {
            busy.contains_key(id) || waiting.contains_key(id) || queued.get(id).is_some()
        });
        self.reconciler.metrics.detail.note_oldest(oldest);
    }
}
