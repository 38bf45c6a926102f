//! Fractions as Go writes them.

/// No fraction of 64 bits has more digits but zeros. The formats of the standard library have no room for
/// Go's widths.
const MOST_DIGITS: usize = 1100;

/// How a fraction is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// `1.5e+00`.
    Exponent,
    /// `1.5`.
    Plain,
    /// With an exponent below 1e-4, and from the precision or 1e6 on.
    General,
}

/// The number without a sign, with this many digits: behind the point, or for the general form in all.
/// Without a precision, as many as it takes to read the same number again.
pub(crate) fn digits(value: f64, form: Form, precision: Option<usize>) -> String {
    let value = value.abs();
    let exact = precision.map(|precision| precision.min(MOST_DIGITS));
    let zeros = "0".repeat(precision.unwrap_or_default() - exact.unwrap_or_default());
    match (form, exact) {
        (Form::Plain, Some(exact)) => format!("{value:.exact$}{zeros}"),
        (Form::Plain, None) => format!("{value}"),
        (Form::Exponent, Some(exact)) => with_exponent(&format!("{value:.exact$e}"), &zeros),
        (Form::Exponent, None) => with_exponent(&format!("{value:e}"), ""),
        (Form::General, exact) => general(value, exact, precision),
    }
}

fn general(value: f64, exact: Option<usize>, precision: Option<usize>) -> String {
    let written = match exact {
        Some(precision) => format!("{value:.*e}", precision.max(1) - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let count = mantissa.len() - usize::from(mantissa.contains('.'));
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let wanted = i64::try_from(precision.max(1)).unwrap_or(i64::MAX);
            if wanted > count && count > exponent {
                count
            } else {
                wanted
            }
        }
    };
    if value != 0.0 && (exponent < -4 || exponent >= limit) {
        return with_exponent(&format!("{mantissa}e{exponent}"), "");
    }
    let behind = usize::try_from(count - 1 - exponent).unwrap_or_default();
    let shortest = format!("{mantissa}e{exponent}").parse().unwrap_or(value);
    format!("{shortest:.behind$}")
}

/// Go's exponent has a sign and two digits at least. The zeros belong to the digits before it.
fn with_exponent(written: &str, zeros: &str) -> String {
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}{zeros}e{sign}{digits:0>2}")
}
