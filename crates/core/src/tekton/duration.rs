//! Durations as Go writes them: `90s` is `1m30s`, `1h` is `1h0m0s`.

use std::fmt::Write;

/// Go's spelling of a duration, or nothing if Go could not read it.
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    parse(text).map(format)
}

/// Nanoseconds, as Go's `time.ParseDuration` reads them.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number_end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        total = total.checked_add(nanoseconds(number, unit_size(unit)?)?)?;
        if total > i128::from(i64::MAX) + i128::from(is_negative) {
            return None;
        }
        rest = next;
    }
    i64::try_from(if is_negative { -total } else { total }).ok()
}

fn unit_size(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn nanoseconds(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    // Further digits are below a nanosecond of an hour.
    let fraction = &fraction[..fraction.len().min(15)];
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    whole
        .checked_mul(unit)?
        .checked_add(fraction * unit / scale)
}

/// Nanoseconds as Go's `Duration` prints them.
#[must_use]
pub fn format(nanoseconds: i64) -> String {
    let mut text = String::new();
    if nanoseconds < 0 {
        text.push('-');
    }
    let total = nanoseconds.unsigned_abs();
    match total {
        0 => text.push_str("0s"),
        1..1_000 => push(&mut text, total, 0, "ns"),
        1_000..1_000_000 => push(&mut text, total, 3, "\u{b5}s"),
        1_000_000..1_000_000_000 => push(&mut text, total, 6, "ms"),
        _ => {
            let minutes = total / 60_000_000_000;
            let hours = minutes / 60;
            // Writing to a string cannot fail.
            if hours > 0 {
                let _ = write!(text, "{hours}h");
            }
            if minutes > 0 {
                let _ = write!(text, "{}m", minutes % 60);
            }
            push(&mut text, total % 60_000_000_000, 9, "s");
        }
    }
    text
}

/// A decimal number with `digits` digits after the point, trailing zeros left out.
fn push(text: &mut String, value: u64, digits: u32, unit: &str) {
    let scale = 10_u64.pow(digits);
    text.push_str(&(value / scale).to_string());
    if !value.is_multiple_of(scale) {
        let fraction = format!("{:0width$}", value % scale, width = digits as usize);
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push_str(unit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_does() {
        let cases = [
            ("1h", "1h0m0s"),
            ("90s", "1m30s"),
            ("0", "0s"),
            ("0s", "0s"),
            ("1.5h", "1h30m0s"),
            ("1500ms", "1.5s"),
            ("1h0m0.5s", "1h0m0.5s"),
            ("-2m", "-2m0s"),
            ("12us", "12µs"),
            ("1.25ms", "1.25ms"),
            (".5s", "500ms"),
            ("2540400h", "2540400h0m0s"),
        ];
        for (given, expected) in cases {
            assert_eq!(canonical(given).as_deref(), Some(expected), "{given}");
        }
        for bad in ["", "1", "h", "1x", "-", "1.2.3s", ".s", "9999999999h"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }
}
