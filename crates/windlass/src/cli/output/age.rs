//! Times for people: how long ago, and how long it took.

use jiff::Timestamp;
use windlass_core::tekton::duration;

/// Units of an age in seconds, the largest first; there are no months, as in `tkn`.
const UNITS: [(i64, &str); 6] = [
    (365 * 86_400, "year"),
    (7 * 86_400, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
];

/// Shown where there is no time.
pub(crate) const NONE: &str = "---";

/// How long before `now` a time was, in its largest unit: `2 minutes ago`.
pub(crate) fn ago(time: Option<Timestamp>, now: Timestamp) -> String {
    let Some(time) = time else {
        return NONE.to_owned();
    };
    let seconds = now.as_second().saturating_sub(time.as_second()).max(0);
    for (size, unit) in UNITS {
        match seconds / size {
            0 => {}
            1 => return format!("1 {unit} ago"),
            count => return format!("{count} {unit}s ago"),
        }
    }
    "0 seconds ago".to_owned()
}

/// The time between two others: `1h2m3s`.
pub(crate) fn between(start: Option<Timestamp>, end: Option<Timestamp>) -> String {
    let (Some(start), Some(end)) = (start, end) else {
        return NONE.to_owned();
    };
    let nanoseconds = end.as_nanosecond().saturating_sub(start.as_nanosecond());
    duration::format(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn an_age_has_one_unit() {
        let now = Timestamp::from_second(100_000_000).unwrap();
        for (before, expected) in [
            (0, "0 seconds ago"),
            (1, "1 second ago"),
            (119, "1 minute ago"),
            (7_200, "2 hours ago"),
            (86_400 * 13, "1 week ago"),
            (-5, "0 seconds ago"),
        ] {
            assert_eq!(ago(at(100_000_000 - before), now), expected);
        }
        assert_eq!(ago(None, now), "---");
    }

    #[test]
    fn a_duration_reads_like_in_go() {
        assert_eq!(between(at(0), at(0)), "0s");
        assert_eq!(between(at(0), at(75)), "1m15s");
        assert_eq!(between(at(0), at(3_600)), "1h0m0s");
        assert_eq!(between(at(75), at(0)), "-1m15s");
        let half = "1970-01-01T00:00:01.5Z".parse().ok();
        assert_eq!(between(at(0), half), "1.5s");
        assert_eq!(between(at(0), None), "---");
    }
}
