//! Times as the two versions of SLSA provenance write them: docs/behaviour.md,
//! "JSON of statements".

use jiff::Timestamp;

use crate::json::Json;

/// Start of the year 1, in seconds since 1970.
const YEAR_ONE: i64 = -62_135_596_800;

/// RFC 3339 in UTC with as many digits after the second as needed.
pub(super) fn shortest<'a>(time: Timestamp) -> Json<'a> {
    Json::from(time.to_string())
}

/// RFC 3339 in UTC with 0, 3, 6 or 9 digits after the second; nothing before the year 1, which
/// protobuf cannot hold.
pub(super) fn grouped<'a>(time: Timestamp) -> Option<Json<'a>> {
    if time.as_second() < YEAR_ONE {
        return None;
    }
    let digits = match time.subsec_nanosecond().unsigned_abs() {
        0 => 0,
        nanos if nanos % 1_000_000 == 0 => 3,
        nanos if nanos % 1_000 == 0 => 6,
        _ => 9,
    };
    Some(Json::from(format!("{time:.digits$}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_as_short_as_they_can_be_or_grouped_by_three() {
        let cases = [
            (
                "2024-01-02T03:04:05Z",
                "2024-01-02T03:04:05Z",
                "2024-01-02T03:04:05Z",
            ),
            (
                "2024-01-02T05:04:05.5+02:00",
                "2024-01-02T03:04:05.5Z",
                "2024-01-02T03:04:05.500Z",
            ),
            (
                "2024-01-02T03:04:05.00001Z",
                "2024-01-02T03:04:05.00001Z",
                "2024-01-02T03:04:05.000010Z",
            ),
        ];
        for (given, short, group) in cases {
            let time: Timestamp = given.parse().unwrap();
            assert_eq!(
                (shortest(time), grouped(time)),
                (Json::from(short), Some(Json::from(group)))
            );
        }
    }
}
