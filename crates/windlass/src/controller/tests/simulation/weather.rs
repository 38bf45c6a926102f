//! What chance makes of the requests of a world.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use http::StatusCode;
use tokio::time::Instant;

/// What is common to all links of a world.
pub(super) struct Weather {
    seed: u64,
    /// How often each request was made.
    made: Mutex<HashMap<String, u64>>,
    /// Nothing goes wrong any more.
    is_calm: AtomicBool,
    begun: Instant,
    trace: Mutex<Vec<Noted>>,
}

/// When something happened, and what.
pub(super) type Noted = (Duration, String);

/// What happens to one request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Arrives,
    Refused(StatusCode),
    /// Nobody sees it.
    Lost,
    /// It is carried out, and its answer does not come.
    Unanswered,
    /// Whoever asks hears nothing and gives up, and it arrives that much later all the same.
    Late(Duration),
}

/// Longest that a request, a response or an event of a watch takes in bad weather. What set out before the
/// weather became calm takes as long after it.
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(90);
/// Longest that a request is on its way after it was given up.
const LATEST: Duration = Duration::from_secs(45);
/// Longest that a request or a response takes where nothing may go wrong.
const PROMPT: Duration = Duration::from_millis(40);

impl Weather {
    pub(super) fn of(seed: u64) -> Self {
        Self {
            seed,
            made: Mutex::default(),
            is_calm: AtomicBool::new(false),
            begun: Instant::now(),
            trace: Mutex::default(),
        }
    }

    pub(super) fn calm_down(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    pub(super) fn trace(&self) -> Vec<Noted> {
        self.trace.lock().unwrap().clone()
    }

    pub(super) fn note(&self, what: &str) {
        let at = self.begun.elapsed();
        self.trace.lock().unwrap().push((at, what.to_owned()));
    }

    pub(super) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// The chance of one request. It depends on the request and on how often it was made, not on what
    /// else is going on, so that the same seed plays the same world.
    pub(super) fn chance_of(&self, request: &str) -> Rng {
        let mut made = self.made.lock().unwrap();
        let times = made.entry(request.to_owned()).or_default();
        *times += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, request, *times).hash(&mut hasher);
        Rng::with_seed(hasher.finish())
    }

    /// How long something takes: mostly little, at times so long that it is given up.
    pub(super) fn delay(&self, chance: &mut Rng) -> Duration {
        let most = match chance.u8(..) {
            0..=1 if !self.is_calm() => LONGEST_DELAY.as_secs() * 1_000,
            2..=25 if !self.is_calm() => 5_000,
            _ => 100,
        };
        Duration::from_micros(chance.u64(1..=most * 1_000))
    }

    /// The same where it must not take long.
    pub(super) fn short_delay(chance: &mut Rng) -> Duration {
        PROMPT.mul_f64(chance.f64())
    }

    /// A server that is not well refuses with one of these.
    pub(super) fn fate(&self, refusals: &[StatusCode], chance: &mut Rng) -> Fate {
        if self.is_calm() {
            return Fate::Arrives;
        }
        match chance.u8(..) {
            0..=12 => Fate::Lost,
            13..=25 => Fate::Unanswered,
            26..=38 => Fate::Refused(refusals[chance.usize(..refusals.len())]),
            39..=47 => Fate::Late(LATEST.mul_f64(chance.f64())),
            _ => Fate::Arrives,
        }
    }
}
