//! What is done with a run once a pass over it has ended.

use std::sync::Arc;

use tokio::task;
use tokio::time::Instant;

use super::Queue;
use super::entries::{Busy, Job};
use super::lane::Ticket;
use super::pace::{pause, spread};
use crate::cluster::runs::RunId;
use crate::controller::work::{Outcome, Work};
use crate::pipeline::Progress;

impl Queue {
    /// Takes in what a pass ended with.
    pub(super) fn finished(&mut self, done: Result<(task::Id, Outcome), task::JoinError>) {
        let (task, outcome) = match done {
            Ok(done) => done,
            Err(error) => {
                let run = self.tasks.get(&error.id()).map(ToString::to_string);
                tracing::error!(%error, run, "work on a run broke off; trying again");
                self.reconciler.metrics.panics.inc();
                (error.id(), Outcome::again(Progress::default()))
            }
        };
        let Some((id, busy)) = self
            .tasks
            .remove(&task)
            .and_then(|id| self.busy.remove_entry(&id))
        else {
            return;
        };
        let (now, lane) = (Instant::now(), self.lane(busy.place));
        lane.leave(&busy.ticket, now - busy.since, now);
        self.budget.end(&id.namespace, busy.memory);
        if matches!(outcome, Outcome::Written) {
            self.pace.wrote(&id.uid, Instant::now());
        }
        if self.is_draining && !matches!(outcome, Outcome::Confirm { .. }) {
            return;
        }
        self.follow(id, &busy, outcome);
    }

    /// What is done with a run after a pass.
    fn follow(&mut self, id: Arc<RunId>, busy: &Busy, outcome: Outcome) {
        if !self.share.borrow().has(&id) {
            return;
        }
        let leaves_now = busy.interim.has_left && !busy.is_leaving;
        let is_leaving = busy.interim.has_left || busy.is_leaving;
        let places = busy.ticket.places;
        let job = |attempts, work| Job {
            attempts,
            is_leaving,
            work,
            hosts: Arc::default(),
            places,
        };
        match outcome {
            Outcome::Settled | Outcome::Written if busy.interim.was_seen => {
                let work = Work::Fetch(Progress::default());
                self.start_or_rest(id, work, is_leaving);
            }
            Outcome::Settled | Outcome::Written => {}
            Outcome::Push {
                hosts,
                run,
                progress,
            } => {
                let hosts = hosts.into_iter().collect();
                let places = Ticket::places_for(run.object.len());
                let work = Work::Push(Some(run), progress);
                let job = Job {
                    places,
                    ..job(busy.attempts, work)
                };
                let ticket = Ticket {
                    hosts,
                    ..Ticket::without_hosts(&id, places)
                };
                self.enqueue(ticket, job);
            }
            Outcome::Later { progress, .. } if leaves_now || busy.interim.is_outdated => {
                let job = job(busy.attempts, Work::Fetch(progress));
                self.enqueue(Ticket::without_hosts(&id, places), job);
            }
            Outcome::Later { after, progress } => {
                let pause = match after {
                    Some(after) => spread(after),
                    None => pause(self.limits.pauses, busy.attempts),
                };
                let attempts = busy.attempts.saturating_add(1);
                self.wait(id, pause, job(attempts, Work::Fetch(progress)));
            }
            Outcome::Confirm {
                after,
                run,
                progress,
            } => {
                // what is read back is asked of the hosts that were written to
                let job = Job {
                    hosts: Arc::clone(&busy.ticket.hosts),
                    ..job(busy.attempts, Work::Confirm(run, progress))
                };
                self.wait(id, after, job);
            }
            Outcome::Awaiting {
                mut children,
                after,
            } => {
                for child in &busy.interim.settled {
                    children.remove(child);
                }
                if children.is_empty() || leaves_now {
                    let job = job(0, Work::Fetch(Progress::default()));
                    return self.enqueue(Ticket::without_hosts(&id, places), job);
                }
                self.awaiting.add(&id, children);
                self.wait(id, after, job(0, Work::Overdue));
            }
        }
    }
}
