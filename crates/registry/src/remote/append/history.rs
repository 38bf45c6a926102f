//! The history of a tag: its last writes by this process, and the delays that follow from them.

use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::options::AppendPolicy;

/// Longest delay before reading back.
const LONGEST_SETTLE: Duration = Duration::from_secs(5);
/// A tag without writes for this long is not a busy one.
const CALM: Duration = Duration::from_secs(5);
/// How long a write by somebody else makes a tag a shared one.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The last writes of a tag by this process.
#[derive(Debug, Default)]
pub(crate) struct TagHistory {
    /// Digest of the last write.
    wrote: Option<Digest>,
    /// When that write has settled.
    pub(crate) settles: Option<Instant>,
    /// Number of writes without a longer pause.
    in_a_row: u32,
    /// When a write by somebody else was last noticed.
    foreign: Option<Instant>,
}

impl TagHistory {
    /// Compares the tag with the last write: another digest is a write by somebody else.
    pub(crate) fn notice(&mut self, current: Option<&Digest>, now: Instant) {
        if self.wrote.is_some() && self.wrote.as_ref() != current {
            self.notice_foreign(now);
        }
    }

    /// Notes a write by somebody else.
    pub(crate) fn notice_foreign(&mut self, now: Instant) {
        self.foreign = Some(now);
    }

    /// Notes a write that took `took`, after `writes` earlier ones of the same entry, and returns
    /// when it has settled.
    pub(crate) fn record(
        &mut self,
        policy: &AppendPolicy,
        wrote: Digest,
        now: Instant,
        took: Duration,
        writes: usize,
    ) -> Instant {
        let is_calm = self.settles.is_none_or(|before| now >= before + CALM);
        self.in_a_row = if is_calm { 0 } else { self.in_a_row + 1 };
        let delay = self.delay(policy, now).max(took * 6);
        let settles = now + spread(delay, writes).min(LONGEST_SETTLE);
        self.wrote = Some(wrote);
        self.settles = Some(settles);
        settles
    }

    /// The delay before reading back, and before the next write of the tag. It grows with the number
    /// of other writers and of entries to add.
    fn delay(&self, policy: &AppendPolicy, now: Instant) -> Duration {
        let longest = policy.settle_among_others.max(policy.settle);
        let is_recent = |seen| now.saturating_duration_since(seen) < REMEMBERED;
        if self.foreign.is_some_and(is_recent) {
            return longest;
        }
        let factor = 2_u32.saturating_pow(self.in_a_row);
        policy.settle.saturating_mul(factor).min(longest)
    }
}

/// A delay, which from the second try on is up to three times as long, at random.
pub(crate) fn spread(time: Duration, tries: usize) -> Duration {
    if tries < 1 {
        return time;
    }
    time + time * fastrand::u32(0..256) / 128
}
