//! The clock for the waits of retries and the expiry of tokens. Tests use a manual one. Timeouts of
//! requests go by the time of the runtime.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A clock. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Mutex<Manual>>>);

#[derive(Debug)]
struct Manual {
    now: Instant,
    slept: Vec<Duration>,
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that tests move by hand. Sleeping by it moves it and returns at once.
    pub fn manual() -> Self {
        Self(Some(Arc::new(Mutex::new(Manual {
            now: now(),
            slept: Vec::new(),
        }))))
    }

    /// Moves a manual clock; does nothing to the machine's.
    pub fn advance(&self, time: Duration) {
        self.set(|manual| manual.now += time);
    }

    /// Each sleep by a manual clock so far, in order.
    pub fn slept(&self) -> Vec<Duration> {
        self.set(|manual| manual.slept.clone()).unwrap_or_default()
    }

    pub(crate) fn now(&self) -> Instant {
        self.set(|manual| manual.now).unwrap_or_else(now)
    }

    pub(crate) async fn sleep(&self, time: Duration) {
        let slept = self.set(|manual| {
            manual.now += time;
            manual.slept.push(time);
        });
        match slept {
            Some(()) => tokio::task::yield_now().await,
            None => tokio::time::sleep(time).await,
        }
    }

    fn set<T>(&self, change: impl FnOnce(&mut Manual) -> T) -> Option<T> {
        let manual = self.0.as_ref()?;
        Some(change(
            &mut manual.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

/// The machine's time, or that of a runtime whose time stands still.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
