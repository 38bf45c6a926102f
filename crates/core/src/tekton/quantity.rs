//! Kubernetes quantities in canonical form: `1000m` is `1`, `1024Mi` is `1Gi`.

/// Nano-units in a unit.
const NANOS: i128 = 1_000_000_000;
/// Larger quantities are cut to this many units.
const MAX_UNITS: i128 = i64::MAX as i128;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    DecimalSuffix,
    DecimalExponent,
    Binary,
}

/// The canonical form, or nothing if it is not a quantity.
pub(super) fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number_end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number_end);
    let (notation, base, exponent) = suffix_value(suffix)?;
    let nanos = nanos(number, base, exponent)?.min(MAX_UNITS * NANOS);
    let sign = if text.starts_with('-') && nanos != 0 {
        "-"
    } else {
        ""
    };
    Some(format!("{sign}{}", write(nanos, notation)))
}

fn suffix_value(suffix: &str) -> Option<(Notation, i128, i32)> {
    let decimal = |exponent| Some((Notation::DecimalSuffix, 10, exponent));
    let binary = |exponent| Some((Notation::Binary, 2, exponent));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        other => {
            let exponent = other.strip_prefix(['e', 'E'])?;
            Some((Notation::DecimalExponent, 10, exponent.parse().ok()?))
        }
    }
}

/// The value in nano-units, rounded up; a value that is too large is the largest.
fn nanos(number: &str, base: i128, exponent: i32) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let too_large = MAX_UNITS * NANOS;
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let mut scale = 9 - i64::try_from(fraction.len()).ok()?;
    let mut factor = 1;
    match (base, u32::try_from(exponent)) {
        (2, Ok(exponent)) => factor = 2_i128.pow(exponent.min(60)),
        _ => scale += i64::from(exponent),
    }
    // The decimal point is moved within the digits, so that their number does not matter.
    let length = i64::try_from(digits.len()).ok()? + scale;
    if length > 29 {
        return Some(too_large);
    }
    if length < -30 {
        return Some(1);
    }
    // Digits that stay exact after multiplication by a binary factor.
    let kept: String = digits.chars().take(38 - 19).collect();
    let dropped = digits.len() - kept.len();
    let is_inexact = digits[kept.len()..].bytes().any(|digit| digit != b'0');
    let mut value: i128 = kept.parse().ok()?;
    value = value.checked_mul(factor)?;
    let shift = scale + i64::try_from(dropped).ok()?;
    let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
    let (value, is_inexact) = match (shift >= 0, power) {
        (true, Some(power)) => (value.checked_mul(power).unwrap_or(too_large), is_inexact),
        (true, None) => (too_large, is_inexact),
        (false, Some(power)) => (value / power, is_inexact || value % power != 0),
        (false, None) => (0, true),
    };
    Some(value + i128::from(is_inexact))
}

fn write(nanos: i128, notation: Notation) -> String {
    if nanos == 0 {
        return "0".to_owned();
    }
    if notation == Notation::Binary && nanos >= 1024 * NANOS && nanos % NANOS == 0 {
        let mut value = nanos / NANOS;
        let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter();
        let mut suffix = suffixes.next().copied().unwrap_or_default();
        while value % 1024 == 0 {
            let Some(next) = suffixes.next() else { break };
            value /= 1024;
            suffix = next;
        }
        return format!("{value}{suffix}");
    }
    let mut value = nanos;
    let mut exponent = -9;
    while value % 1000 == 0 && exponent < 18 {
        value /= 1000;
        exponent += 3;
    }
    let suffix = match (notation, exponent) {
        (_, 0) => String::new(),
        (Notation::DecimalExponent, exponent) => format!("e{exponent}"),
        (_, -9) => "n".to_owned(),
        (_, -6) => "u".to_owned(),
        (_, -3) => "m".to_owned(),
        (_, 3) => "k".to_owned(),
        (_, 6) => "M".to_owned(),
        (_, 9) => "G".to_owned(),
        (_, 12) => "T".to_owned(),
        (_, 15) => "P".to_owned(),
        _ => "E".to_owned(),
    };
    format!("{value}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_in_canonical_form() {
        let cases = [
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("2", "2"),
            ("0", "0"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("0.1Mi", "104857600m"),
            ("512", "512"),
            ("1Ki", "1Ki"),
            ("0.5Ki", "512"),
            ("1500k", "1500k"),
            ("1000k", "1M"),
            ("1e3", "1e3"),
            ("1E", "1E"),
            ("1e4", "10e3"),
            ("100", "100"),
            ("1000", "1k"),
            ("-5m", "-5m"),
            ("0.0000000001", "1n"),
            ("9223372036854775808", "9223372036854775807"),
            ("1Ei", "1Ei"),
            ("  2 ", "2"),
            ("1.50", "1500m"),
        ];
        for (given, expected) in cases {
            assert_eq!(canonical(given).as_deref(), Some(expected), "{given}");
        }
        for bad in ["", "x", "1.2.3", "1ki", "1 Gi", ".", "1e"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }
}
