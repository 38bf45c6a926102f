//! What the requests of a server share: keys and tokens.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::key::Key;
use crate::random::{hex, random};
use crate::traffic::Traffic;

/// Requests that are remembered.
const REQUEST_LOG: usize = 4096;

#[derive(Debug)]
pub(super) struct State {
    pub(super) traffic: Traffic<Infallible>,
    data: Mutex<Data>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            traffic: Traffic::new(REQUEST_LOG),
            data: Mutex::default(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) keys: BTreeMap<String, Key>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) logins: Vec<Acceptance>,
}

/// What is known of a token.
#[derive(Debug)]
pub(super) struct Token {
    /// How long it may be used at once.
    pub(super) time: Option<Duration>,
    pub(super) ends: Option<Instant>,
    /// Texts in paths that it may not use.
    pub(super) without: Vec<String>,
}

/// A login that succeeds.
#[derive(Debug)]
pub(super) struct Acceptance {
    pub(super) path: String,
    pub(super) role: String,
    pub(super) jwt: String,
    pub(super) time: Duration,
}

impl State {
    pub(super) fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new token.
    pub(super) fn issue(&self, time: Option<Duration>, without: Vec<String>) -> String {
        let secret = random::<12>().map(|bytes| hex(&bytes)).unwrap_or_default();
        let name = format!("hvs.{secret}");
        let ends = time.map(|time| Instant::now() + time);
        let token = Token {
            time,
            ends,
            without,
        };
        self.data().tokens.insert(name.clone(), token);
        name
    }
}

impl Token {
    /// Whether it may be used now.
    pub(super) fn is_valid(&self) -> bool {
        self.ends.is_none_or(|ends| ends > Instant::now())
    }

    /// Seconds until its end; 0 if it has none.
    pub(super) fn seconds(&self) -> u64 {
        let left = self
            .ends
            .map(|ends| ends.saturating_duration_since(Instant::now()));
        left.map_or(0, |left| {
            left.as_secs() + u64::from(left.subsec_nanos() > 0)
        })
    }

    /// Begins its time anew.
    pub(super) fn renew(&mut self) {
        self.ends = self.time.map(|time| Instant::now() + time);
    }
}
