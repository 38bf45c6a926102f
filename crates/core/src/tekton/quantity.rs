//! Kubernetes quantities as Tekton Chains writes them: `1024Mi` is `1Gi`, `1.5` is `1500m`.
//!
//! A short quantity that is already canonical keeps its spelling, including `+` and leading zeros;
//! every other one is normalised: docs/behaviour.md, "Normalised values".

/// Nano-units in a unit.
const NANOS: i128 = 1_000_000_000;
/// Larger binary quantities are cut to this many units.
const MAX_UNITS: i128 = i64::MAX as i128;
/// Digits that Chains reads without a big number.
const SHORT: usize = 18;
/// Power of ten of the smallest quantity; anything smaller is rounded up to it.
const SMALLEST: i64 = -9;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    DecimalSuffix,
    DecimalExponent,
    Binary,
}

/// The parts of a quantity's text.
struct Parts<'t> {
    is_negative: bool,
    /// Digits before the point without leading zeros, but at least one.
    whole: &'t str,
    fraction: &'t str,
    suffix: &'t str,
}

/// Chains' spelling, or nothing if it is not a quantity.
pub(super) fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let parts = Parts::read(text)?;
    let (notation, exponent) = suffix_value(parts.suffix)?;
    if parts.keeps_spelling(notation, exponent) {
        return Some(text.to_owned());
    }
    let number = match notation {
        Notation::Binary => write_binary(parts.nanos(u32::try_from(exponent).ok()?)?),
        decimal => write_decimal(&parts.digits(), exponent - parts.scale()?, decimal),
    };
    let sign = if parts.is_negative && number != "0" {
        "-"
    } else {
        ""
    };
    Some(format!("{sign}{number}"))
}

impl<'t> Parts<'t> {
    fn read(text: &'t str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, rest) = split_digits(unsigned.trim_start_matches('0'));
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        Some(Self {
            is_negative: text.starts_with('-'),
            whole: if whole.is_empty() { "0" } else { whole },
            fraction,
            suffix,
        })
    }

    fn scale(&self) -> Option<i64> {
        i64::try_from(self.fraction.len()).ok()
    }

    fn digits(&self) -> String {
        format!("{}{}", self.whole, self.fraction)
    }

    /// Whether Chains hands the text back as it came.
    fn keeps_spelling(&self, notation: Notation, exponent: i64) -> bool {
        let length = self.whole.len() + self.fraction.len();
        if notation == Notation::Binary {
            let binary_digits = usize::try_from(exponent * 3 / 10).unwrap_or_default();
            let value: u64 = self.whole.parse().unwrap_or_default();
            return self.fraction.is_empty()
                && length + binary_digits < 15
                && !value.is_multiple_of(8);
        }
        let digits = self.digits();
        let power = self.scale().map(|scale| exponent - scale);
        length <= SHORT
            && power.is_some_and(|power| power >= SMALLEST && power % 3 == 0)
            && !digits.ends_with("000")
            && !digits.starts_with('0')
    }

    /// The value in nano-units, rounded up; a value that is too large is the largest.
    fn nanos(&self, exponent: u32) -> Option<i128> {
        let fraction = self.fraction.trim_end_matches('0');
        let digits = format!("{}{fraction}", self.whole);
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(0);
        }
        let too_large = MAX_UNITS * NANOS;
        let scale = 9 - i64::try_from(fraction.len()).ok()?;
        let length = i64::try_from(digits.len()).ok()? + scale;
        if length > 29 {
            return Some(too_large);
        }
        // Digits that stay exact after multiplication by a binary factor.
        let kept = &digits[..digits.len().min(19)];
        let dropped = i64::try_from(digits.len() - kept.len()).ok()?;
        let is_cut = digits[kept.len()..].bytes().any(|digit| digit != b'0');
        let value = kept.parse::<i128>().ok()? << exponent.min(60);
        let shift = scale + dropped;
        let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
        let (value, is_cut) = match (shift >= 0, power) {
            (true, Some(power)) => (value.checked_mul(power).unwrap_or(too_large), is_cut),
            (true, None) => (too_large, is_cut),
            (false, Some(power)) => (value / power, is_cut || value % power != 0),
            (false, None) => (0, true),
        };
        Some((value + i128::from(is_cut)).min(too_large))
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// The notation that a suffix stands for, and the power of its base.
fn suffix_value(suffix: &str) -> Option<(Notation, i64)> {
    let decimal = |exponent| Some((Notation::DecimalSuffix, exponent));
    let binary = |exponent| Some((Notation::Binary, exponent));
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
            let exponent: i32 = other.strip_prefix(['e', 'E'])?.parse().ok()?;
            Some((Notation::DecimalExponent, i64::from(exponent)))
        }
    }
}

fn write_binary(nanos: i128) -> String {
    if nanos < 1024 * NANOS || nanos % NANOS != 0 {
        return write_decimal(&nanos.to_string(), SMALLEST, Notation::DecimalSuffix);
    }
    let mut value = nanos / NANOS;
    let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter();
    let mut suffix = suffixes.next().copied().unwrap_or_default();
    while value % 1024 == 0 {
        let Some(next) = suffixes.next() else { break };
        value /= 1024;
        suffix = next;
    }
    format!("{value}{suffix}")
}

/// Digits times a power of ten, with a power that is a multiple of three.
fn write_decimal(digits: &str, power: i64, notation: Notation) -> String {
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    let (digits, power) = rounded_up(digits, power);
    let kept = digits.trim_end_matches('0');
    let mut power = power + i64::try_from(digits.len() - kept.len()).unwrap_or_default();
    let mut number = kept.to_owned();
    while power % 3 != 0 {
        number.push('0');
        power -= 1;
    }
    let suffix = match (notation, power) {
        (_, 0) => "",
        (Notation::DecimalExponent, power) => return format!("{number}e{power}"),
        (_, -9) => "n",
        (_, -6) => "u",
        (_, -3) => "m",
        (_, 3) => "k",
        (_, 6) => "M",
        (_, 9) => "G",
        (_, 12) => "T",
        (_, 15) => "P",
        (_, 18) => "E",
        // Chains has no suffix beyond and leaves it out.
        _ => "",
    };
    format!("{number}{suffix}")
}

/// Digits and power, at least [`SMALLEST`]; what is below is rounded away from zero.
fn rounded_up(digits: &str, power: i64) -> (String, i64) {
    let Ok(excess @ 1..) = usize::try_from(SMALLEST - power) else {
        return (digits.to_owned(), power);
    };
    let (kept, cut) = digits.split_at(digits.len().saturating_sub(excess));
    if cut.bytes().all(|digit| digit == b'0') {
        return (kept.to_owned(), SMALLEST);
    }
    let nines = kept.len() - kept.trim_end_matches('9').len();
    let (head, _) = kept.split_at(kept.len() - nines);
    let zeros = "0".repeat(nines);
    let number = match head.as_bytes().last() {
        None => format!("1{zeros}"),
        Some(last) => format!("{}{}{zeros}", &head[..head.len() - 1], char::from(last + 1)),
    };
    (number, SMALLEST)
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
            ("-1.5Gi", "-1536Mi"),
            ("0.0000000001", "1n"),
            ("-0.0000000001", "-1n"),
            ("1.9999999999", "2"),
            ("1Ei", "1Ei"),
            ("10Ei", "9223372036854775807"),
            ("  2 ", "2"),
            ("1.50", "1500m"),
            ("-0", "0"),
        ];
        for (given, expected) in cases {
            assert_eq!(canonical(given).as_deref(), Some(expected), "{given}");
        }
        for bad in ["", "x", "1.2.3", "1ki", "1 Gi", "1e", "1ee3", "1-"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_short_quantity_in_canonical_form_keeps_its_spelling() {
        for given in [
            "+2", "00012", "3.", "123.456k", "1e0", "1E+3", "+1Ki", "12E",
        ] {
            assert_eq!(canonical(given).as_deref(), Some(given));
        }
    }

    #[test]
    fn decimal_quantities_have_no_largest_one() {
        let cases = [
            ("9223372036854775808", "9223372036854775808"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("5e20", "500e18"),
            ("1e100", "10e99"),
            ("1000E", "1"),
        ];
        for (given, expected) in cases {
            assert_eq!(canonical(given).as_deref(), Some(expected), "{given}");
        }
    }
}
