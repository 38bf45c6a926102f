//! Durations as Go writes them, such as `1h30m0s`.

use std::time::Duration;

/// Tekton's default for runs.
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// Reads a duration such as `1h30m`, `1.5s` or `0`; or says why it is none.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let refuse = || format!("\"{text}\" is not a duration such as 1h30m or 10s");
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(refuse());
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(refuse)?;
        let (number, after) = rest.split_at(end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(refuse()),
        };
        let number: f64 = number.parse().map_err(|_| refuse())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| refuse())?;
        total = total.checked_add(part).ok_or_else(refuse)?;
        rest = after;
    }
    Ok(total)
}

/// Writes a duration as Go does: `1h0m0s`, `1m30s`, `1.5s`, `300ms`.
pub(crate) fn show(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return match duration.as_micros() {
            0 => "0s".to_owned(),
            micros if micros < 1000 => format!("{micros}µs"),
            micros => format!("{}ms", fraction(micros / 1000, micros % 1000, 3)),
        };
    }
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = fraction(
        u128::from(seconds % 60),
        u128::from(duration.subsec_nanos()),
        9,
    );
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

fn fraction(whole: u128, part: u128, digits: usize) -> String {
    if part == 0 {
        return whole.to_string();
    }
    let part = format!("{part:0digits$}");
    format!("{whole}.{}", part.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_and_written_as_go_does() {
        for (text, shown) in [
            ("0", "0s"),
            ("1h", "1h0m0s"),
            ("90s", "1m30s"),
            ("1.5s", "1.5s"),
            ("300ms", "300ms"),
            ("60m", "1h0m0s"),
            ("1h30m5s", "1h30m5s"),
        ] {
            assert_eq!(show(parse(text).unwrap()), shown, "{text}");
        }
        for text in ["", "5", "h", "1x", "-1s", "1e400h", "one"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
