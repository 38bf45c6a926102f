//! Threads for work that blocks and cannot be stopped, as a lookup of the system.
//!
//! Such work may outlive whoever asked for it, and keeps its thread until it really ends. Tenants have
//! shares of the threads, so that work which never ends leaves room for that of others. A tenant that has
//! none, and whose work took no long time of late, gets one though all are taken.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use windlass_once::{Places, Slow};

use crate::tenant::Tenant;

/// Bytes of the stack of a thread: smaller than a huge page, which the kernel would fill at once.
const STACK: usize = 512 << 10;
/// For each thread, this many tenants may have one of their own though all are taken.
const TENANTS: usize = 2;

/// A bounded number of threads. Clones share it.
#[derive(Clone)]
pub struct Threads(Arc<Inner>);

struct Inner {
    name: &'static str,
    taken: Mutex<Taken>,
    given_back: Notify,
}

/// Who has how many threads, and who had one for long.
struct Taken {
    places: Places<Tenant>,
    slow: Slow<Tenant>,
}

/// A thread that a tenant has got. It is given back when its work ends.
#[derive(Debug)]
pub struct Thread {
    threads: Threads,
    tenant: Tenant,
    since: Instant,
}

/// Why work on a thread has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Interrupted {
    /// The system has no thread left.
    #[error("cannot start a thread; raise the limit of processes")]
    NotStarted(#[from] io::Error),
    /// The work panicked.
    #[error("the thread ended early")]
    Ended,
}

impl Threads {
    /// This many threads, which bear this name, and one for each of twice as many tenants.
    pub fn new(name: &'static str, most: usize) -> Self {
        Self(Arc::new(Inner {
            name,
            taken: Mutex::new(Taken {
                places: Places::new(most),
                slow: Slow::default(),
            }),
            given_back: Notify::new(),
        }))
    }

    /// Waits for a thread.
    pub async fn take(&self, tenant: &Tenant) -> Thread {
        loop {
            // begun before the look, so that what is given back in between is not missed
            let given_back = self.0.given_back.notified();
            if let Some(thread) = self.try_take(tenant) {
                return thread;
            }
            given_back.await;
        }
    }

    fn try_take(&self, tenant: &Tenant) -> Option<Thread> {
        let (mut taken, now) = (self.taken(), Instant::now());
        if !taken.have_room(tenant, now) {
            return None;
        }
        taken.places.take(tenant, 1);
        Some(Thread {
            threads: self.clone(),
            tenant: tenant.clone(),
            since: now,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn have_room(&self, tenant: &Tenant, now: Instant) -> bool {
        let tenants = self.places.most() * TENANTS;
        let places = (&self.places, tenants);
        self.slow.leaves_room(tenant, places, now.into_std())
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

impl Thread {
    /// Does this work and waits for it. It goes on if nobody waits for it any longer.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        let (sender, result) = oneshot::channel();
        self.start(move || drop(sender.send(work())))?;
        result.await.map_err(|_| Interrupted::Ended)
    }

    /// Starts this work.
    pub(crate) fn start(self, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().stack_size(STACK);
        let thread = thread.name(self.threads.0.name.to_owned());
        thread.spawn(move || {
            // given back after the work, also if that panics
            let _taken = self;
            work();
        })?;
        Ok(())
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let now = Instant::now();
        let held = now.saturating_duration_since(self.since);
        let mut taken = self.threads.taken();
        taken.places.give_back(&self.tenant, 1);
        taken.slow.held(&self.tenant, held, now.into_std());
        drop(taken);
        self.threads.0.given_back.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_thread_until_it_ends() {
        let threads = Threads::new("test", 4);
        let tenant = Tenant::from("team-b");
        let (open, gate) = mpsc::channel::<()>();
        let (under_way, arrival) = oneshot::channel();
        let work = threads.take(&tenant).await.run(move || {
            let _ = under_way.send(());
            gate.recv()
        });
        let mut work = Box::pin(work);
        assert!(work.as_mut().now_or_never().is_none());
        arrival.await.unwrap();
        drop(work);
        assert!(threads.take(&tenant).now_or_never().is_none());
        let other = threads.take(&Tenant::from("team-a")).await;
        assert_eq!(other.run(|| 7).await.unwrap(), 7);
        drop(open);
        threads.take(&tenant).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_whose_work_is_quick_gets_a_thread_though_many_others_have_taken_all() {
        let threads = Threads::new("test", 4);
        let tenant = |number: usize| Tenant::from(format!("team-{number}").as_str());
        let mut taken: Vec<Thread> = Vec::new();
        for number in 0..7 {
            taken.push(threads.take(&tenant(number)).await);
        }
        assert!(threads.take(&tenant(0)).now_or_never().is_none());
        assert!(threads.take(&tenant(7)).now_or_never().is_some());
        // of those who kept theirs for long, nobody gets a new one before there is room for all
        tokio::time::advance(std::time::Duration::from_secs(6)).await;
        taken.truncate(5);
        assert!(threads.take(&tenant(6)).now_or_never().is_none());
        assert!(threads.take(&tenant(7)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_thread_back() {
        let threads = Threads::new("test", 1);
        let tenant = Tenant::default();
        let thread = threads.take(&tenant).await;
        let ended = thread.run(|| std::panic::resume_unwind(Box::new(()))).await;
        assert!(matches!(ended, Err::<(), _>(Interrupted::Ended)));
        threads.take(&tenant).await;
    }
}
