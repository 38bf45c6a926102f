//! Numbers as Go writes them: `12`, `0x1f`, `0o17`, `017`, `0b11`, `1_000`, `1.5`, `1e6`.

use crate::syntax::TermKind;

/// Reads a number; the error says why it is none.
pub(crate) fn number(text: &str) -> Result<TermKind, String> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    if lower.ends_with('i') {
        return Err(format!("{text} is a complex number, which no JSON has"));
    }
    if let Some((radix, digits)) = prefixed(&lower) {
        if radix == 16 && digits.contains(['.', 'p']) {
            return Err(format!(
                "{text} is a hexadecimal fraction; write it in decimal"
            ));
        }
        // one underscore may follow the prefix
        let digits = digits.strip_prefix('_').unwrap_or(digits);
        return integer(is_negative, digits, radix, text);
    }
    if lower.contains(['.', 'e']) {
        return fraction(text);
    }
    // an old way to write octal numbers
    match lower.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        Some(rest) => {
            let rest = rest.strip_prefix('_').unwrap_or(rest);
            integer(is_negative, rest, 8, text)
        }
        None => integer(is_negative, &lower, 10, text),
    }
}

fn prefixed(digits: &str) -> Option<(u32, &str)> {
    let of = |prefix: &str, radix| digits.strip_prefix(prefix).map(|rest| (radix, rest));
    of("0x", 16).or_else(|| of("0o", 8)).or_else(|| of("0b", 2))
}

fn integer(is_negative: bool, digits: &str, radix: u32, text: &str) -> Result<TermKind, String> {
    let none = || format!("{text} is no number");
    let plain = without_underscores(digits).ok_or_else(none)?;
    if !plain.chars().all(|digit| digit.is_digit(radix)) {
        return Err(none());
    }
    let sign = if is_negative { "-" } else { "" };
    let value = i64::from_str_radix(&format!("{sign}{plain}"), radix);
    let value = value.map_err(|_| format!("{text} is too large for an integer of 64 bits"))?;
    Ok(TermKind::Integer(value))
}

fn fraction(text: &str) -> Result<TermKind, String> {
    let none = || format!("{text} is no number");
    if !text.contains(|character: char| character.is_ascii_digit()) {
        return Err(none());
    }
    let plain = if text.contains('_') {
        let is_between = |(at, _): (usize, &str)| {
            let beside = |at: Option<usize>| {
                let byte = at.and_then(|at| text.as_bytes().get(at));
                byte.is_some_and(u8::is_ascii_digit)
            };
            beside(at.checked_sub(1)) && beside(Some(at + 1))
        };
        if !text.match_indices('_').all(is_between) {
            return Err(none());
        }
        text.replace('_', "")
    } else {
        text.to_owned()
    };
    let is_plain = |character: char| {
        character.is_ascii_digit() || matches!(character, '.' | 'e' | 'E' | '+' | '-')
    };
    if !plain.chars().all(is_plain) {
        return Err(none());
    }
    let value: f64 = plain.parse().map_err(|_| none())?;
    if value.is_infinite() {
        return Err(format!("{text} is too large for a fraction of 64 bits"));
    }
    Ok(TermKind::Fraction(value))
}

/// The digits, if each underscore is between two of them.
fn without_underscores(digits: &str) -> Option<String> {
    let is_well = !digits.is_empty()
        && !digits.starts_with('_')
        && !digits.ends_with('_')
        && !digits.contains("__");
    is_well.then(|| digits.replace('_', ""))
}
