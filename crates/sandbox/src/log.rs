//! An append-only log in memory, in place of a transparency log: it keeps what was added, once, and
//! fails on demand, before an entry is added or after.
//!
//! ```
//! # async fn example() {
//! let log = windlass_sandbox::log::Log::default();
//! let url = log.add(b"signature").await.unwrap();
//! assert_eq!(url, "sandbox://log?logIndex=0");
//! assert_eq!(log.entries(), [b"signature".to_vec()]);
//! # }
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What URLs of entries begin with.
const PREFIX: &str = "sandbox://log?logIndex=";

/// A log. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    entries: Vec<Vec<u8>>,
    /// What becomes of the next calls; those after them succeed.
    faults: VecDeque<Option<LogFault>>,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFault {
    /// Nothing is added.
    Before,
    /// The entry is added, and the caller is not told.
    After,
}

/// A failure that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log is unavailable")]
pub struct LogError;

impl Log {
    /// Adds an entry and returns where it can be read. What is there already is not added again.
    pub async fn add(&self, body: &[u8]) -> Result<String, LogError> {
        // a real log is asked over a network: others run meanwhile
        tokio::task::yield_now().await;
        let mut state = self.state();
        let fault = state.faults.pop_front().flatten();
        if fault == Some(LogFault::Before) {
            return Err(LogError);
        }
        let known = state.entries.iter().position(|entry| entry == body);
        let index = known.unwrap_or_else(|| {
            state.entries.push(body.to_vec());
            state.entries.len() - 1
        });
        match fault {
            Some(_) => Err(LogError),
            None => Ok(format!("{PREFIX}{index}")),
        }
    }

    /// Whether the entry with this URL is this one.
    pub fn holds(&self, url: &str, body: &[u8]) -> bool {
        let index = url
            .strip_prefix(PREFIX)
            .and_then(|index| index.parse::<usize>().ok());
        let state = self.state();
        let entry = index.and_then(|index| state.entries.get(index));
        entry.is_some_and(|entry| entry == body)
    }

    /// Lets the call after so many others fail.
    pub fn fail(&self, skip: usize, fault: LogFault) {
        let mut state = self.state();
        state.faults.extend(std::iter::repeat_n(None, skip));
        state.faults.push_back(Some(fault));
    }

    /// What was added, oldest first.
    pub fn entries(&self) -> Vec<Vec<u8>> {
        self.state().entries.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
