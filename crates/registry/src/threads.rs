//! Threads for work that blocks and cannot be stopped, as a lookup of the system.
//!
//! Such work may outlive whoever asked for it, and keeps its thread until it really ends. Tenants have
//! shares of the threads, so that work which never ends leaves room for that of others.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::{Notify, oneshot};
use windlass_once::Places;

use crate::tenant::Tenant;

/// Bytes of the stack of a thread: smaller than a huge page, which the kernel would fill at once.
const STACK: usize = 512 << 10;

/// A bounded number of threads. Clones share it.
#[derive(Clone)]
pub struct Threads(Arc<Inner>);

struct Inner {
    name: &'static str,
    places: Mutex<Places<Tenant>>,
    given_back: Notify,
}

/// A thread that a tenant has got. It is given back when its work ends.
#[derive(Debug)]
pub struct Thread {
    threads: Threads,
    tenant: Tenant,
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
    /// At most this many threads, which bear this name.
    pub fn new(name: &'static str, most: usize) -> Self {
        Self(Arc::new(Inner {
            name,
            places: Mutex::new(Places::new(most)),
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
        let mut places = self.places();
        if !places.have_room(tenant) {
            return None;
        }
        places.take(tenant, 1);
        Some(Thread {
            threads: self.clone(),
            tenant: tenant.clone(),
        })
    }

    fn places(&self) -> MutexGuard<'_, Places<Tenant>> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.threads.places().give_back(&self.tenant, 1);
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
