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
    /// What is under the tag as far as is known, and since when it is known.
    there: Option<(Digest, Instant)>,
}

impl TagHistory {
    /// Whether this process has not seen the tag.
    pub(super) fn is_new(&self) -> bool {
        self.there.is_none() && self.wrote.is_none() && self.foreign.is_none()
    }

    /// Compares the tag with the last write: another digest is a write by somebody else.
    pub(crate) fn notice(&mut self, current: Option<&Digest>, now: Instant) {
        if self.wrote.is_some() && self.wrote.as_ref() != current {
            self.notice_foreign(now);
        }
        if self.there.as_ref().map(|(digest, _)| digest) != current {
            self.there = current.map(|digest| (digest.clone(), now));
        }
    }

    /// When an entry that is under the tag, and was not written here, has stayed for long enough: somebody else may
    /// have written it just now, and a third one be about to write what he read before. What is as this process left it
    /// has stayed already. `took` is how long a look takes.
    pub(super) fn stays(
        &self,
        policy: &AppendPolicy,
        current: &Digest,
        now: Instant,
        took: Duration,
    ) -> Instant {
        if self.wrote.as_ref() == Some(current) {
            return now;
        }
        let known = self.there.as_ref().map_or(now, |(_, since)| *since);
        let delay = policy.settle_among_others.max(policy.settle).max(took * 6);
        known + delay.min(LONGEST_SETTLE)
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
        self.wrote = Some(wrote.clone());
        self.there = Some((wrote, now));
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

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(1);

    fn policy() -> AppendPolicy {
        AppendPolicy::default()
    }

    fn write(history: &mut TagHistory, now: Instant) -> Duration {
        let digest = Digest::of(b"ours");
        history.record(&policy(), digest, now, QUICK, 0) - now
    }

    #[test]
    fn the_delay_doubles_with_writes_in_a_row_up_to_that_among_others() {
        let mut history = TagHistory::default();
        let now = Instant::now();
        let delays: Vec<_> = (0..5).map(|_| write(&mut history, now)).collect();
        let expected = [250, 500, 1000, 2000, 2000].map(Duration::from_millis);
        assert_eq!(delays, expected);
        let later = now + 2 * CALM + LONGEST_SETTLE;
        assert_eq!(write(&mut history, later), policy().settle);
    }

    #[test]
    fn another_digest_under_the_tag_is_a_write_by_somebody_else() {
        let mut history = TagHistory::default();
        let now = Instant::now();
        history.notice(Some(&Digest::of(b"before")), now);
        assert_eq!(write(&mut history, now), policy().settle);
        history.notice(Some(&Digest::of(b"ours")), now);
        history.notice(None, now);
        let now = now + 2 * CALM;
        assert_eq!(write(&mut history, now), policy().settle_among_others);
        let now = now + REMEMBERED;
        assert_eq!(write(&mut history, now), policy().settle);
    }

    #[test]
    fn what_others_left_under_a_tag_has_to_stay_from_when_it_was_seen_first_and_what_we_left_has() {
        let mut history = TagHistory::default();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let (theirs, ours) = (Digest::of(b"theirs"), Digest::of(b"ours"));
        let among_others = policy().settle_among_others;
        assert!(history.is_new());
        history.notice(Some(&theirs), at(1));
        history.notice(Some(&theirs), at(2));
        assert!(!history.is_new());
        let stays =
            |history: &TagHistory, digest, now, took| history.stays(&policy(), digest, now, took);
        assert_eq!(stays(&history, &theirs, at(2), QUICK), at(1) + among_others);
        let slow = Duration::from_secs(60);
        assert_eq!(
            stays(&history, &theirs, at(2), slow),
            at(1) + LONGEST_SETTLE
        );
        write(&mut history, at(4));
        history.notice(Some(&ours), at(5));
        assert_eq!(stays(&history, &ours, at(5), slow), at(5));
        history.notice(Some(&theirs), at(6));
        assert_eq!(stays(&history, &theirs, at(7), QUICK), at(6) + among_others);
        history.notice(None, at(7));
        assert_eq!(stays(&history, &theirs, at(8), QUICK), at(8) + among_others);
    }

    #[test]
    fn slow_writes_take_longer_to_settle_within_a_limit() {
        let mut history = TagHistory::default();
        let now = Instant::now();
        let mut settle = |took| {
            let digest = Digest::of(b"ours");
            history.record(&policy(), digest, now, took, 0) - now
        };
        assert_eq!(
            settle(Duration::from_millis(100)),
            Duration::from_millis(600)
        );
        assert_eq!(settle(Duration::from_secs(60)), LONGEST_SETTLE);
    }

    #[test]
    fn a_spread_delay_is_one_to_three_times_as_long() {
        let second = Duration::from_secs(1);
        assert_eq!(spread(second, 0), second);
        for _ in 0..100 {
            let time = spread(second, 1);
            assert!(time >= second && time < 3 * second, "{time:?}");
        }
    }
}
