//! The pace of writes to a run: whoever undoes what is written on it does not make it be written a
//! thousand times.
//!
//! A run takes two or three writes in its life. Beyond a few, each is followed by a pause that doubles,
//! and that is forgotten after a quiet time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Writes that no pause follows: the finalizer, the record, and one to spare.
const FREE: u32 = 3;
/// A run that was not written for this long has a clean record.
const QUIET: Duration = Duration::from_secs(600);
/// Most runs whose writes are counted; the oldest record makes room.
const REMEMBERED: usize = 10_000;

#[derive(Debug)]
struct Writes {
    count: u32,
    last: Instant,
}

/// The last writes to each run, by its uid.
#[derive(Debug, Default)]
pub(super) struct Pace {
    writes: HashMap<String, Writes>,
    order: VecDeque<String>,
}

impl Pace {
    /// Notes a write.
    pub(super) fn wrote(&mut self, uid: &str, now: Instant) {
        if let Some(writes) = self.writes.get_mut(uid) {
            let is_quiet = now.saturating_duration_since(writes.last) > QUIET;
            writes.count = if is_quiet { 1 } else { writes.count + 1 };
            writes.last = now;
            return;
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.writes.remove(&oldest);
        }
        self.order.push_back(uid.to_owned());
        let writes = Writes {
            count: 1,
            last: now,
        };
        self.writes.insert(uid.to_owned(), writes);
    }

    /// How long the run has to rest before it is looked at again.
    pub(super) fn rest(&self, uid: &str, pauses: (Duration, Duration), now: Instant) -> Duration {
        let Some(writes) = self.writes.get(uid) else {
            return Duration::ZERO;
        };
        let Some(beyond) = writes.count.checked_sub(FREE + 1) else {
            return Duration::ZERO;
        };
        let since = now.saturating_duration_since(writes.last);
        pause(pauses, beyond).saturating_sub(since)
    }
}

/// The pause after this many attempts: the first one, doubled each time up to the longest.
pub(super) fn pause((first, longest): (Duration, Duration), attempts: u32) -> Duration {
    first
        .saturating_mul(2_u32.saturating_pow(attempts))
        .min(longest)
}

/// A pause that was asked for, and up to a tenth more: those who were told the same do not come back at
/// once.
pub(super) fn spread(pause: Duration) -> Duration {
    pause + pause.mul_f64(fastrand::f64() / 10.0)
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

    const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

    #[test]
    fn writes_beyond_a_few_are_followed_by_pauses_that_grow_until_the_run_is_quiet() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..16 {
            pace.wrote("u", now);
            let rest = pace.rest("u", PAUSES, now);
            rests.push(rest.as_secs());
            now += rest;
        }
        let expected = [
            0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300,
        ];
        assert_eq!(rests, expected);
        assert_eq!(pace.rest("other", PAUSES, now), Duration::ZERO);
        pace.wrote("u", now + QUIET + PAUSES.1);
        assert_eq!(pace.rest("u", PAUSES, now + QUIET), Duration::ZERO);
    }

    #[test]
    fn the_writes_of_a_bounded_number_of_runs_are_counted() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for number in 0..REMEMBERED + 5 {
            pace.wrote(&number.to_string(), now);
        }
        assert_eq!(pace.writes.len(), REMEMBERED);
        assert_eq!(pace.order.len(), REMEMBERED);
    }
}
