//! Numbers as they are typed, each with one sentence for what is none.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// How many of something, from 0 on.
pub(super) fn count<N: FromStr>(text: &str) -> Result<N, String> {
    let wrong = |_| "expected a whole number, 0 or more".to_owned();
    text.parse().map_err(wrong)
}

/// How many of a list at most, where 0 is all.
pub(super) fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Ok(usize::MAX),
        limit => limit.map_err(|_| "use 0, which shows all, or a positive number".to_owned()),
    }
}

/// How many of something, within bounds.
pub(super) fn within(
    bounds: RangeInclusive<usize>,
) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let (first, last) = (bounds.start(), bounds.end());
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| format!("expected a whole number from {first} to {last}"))
    }
}

/// A port of this machine; 0 is any that is free.
pub(super) fn port(text: &str) -> Result<u16, String> {
    let wrong = |_| "expected a port, 1 to 65535, or 0 for one that is free".to_owned();
    text.parse().map_err(wrong)
}
