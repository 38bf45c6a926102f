//! Indexes and slices: what stands in square brackets and is neither a key nor a filter.

use crate::error::JsonPathError;
use crate::syntax::{Slice, SliceEnd};

/// The parts between commas that are not in quotes, each with its column.
pub(super) fn split_at_commas(text: &str, column: usize) -> Vec<(&str, usize)> {
    let mut parts = Vec::new();
    let mut quoted = false;
    let (mut start, mut start_column) = (0, column);
    for (position, (index, character)) in text.char_indices().enumerate() {
        match character {
            '\'' => quoted = !quoted,
            ',' if !quoted => {
                parts.push((&text[start..index], start_column));
                (start, start_column) = (index + 1, column + position + 1);
            }
            _ => {}
        }
    }
    parts.push((&text[start..], start_column));
    parts
}

/// `INDEX` or `START:END:STEP`, each of which may be missing.
pub(super) fn slice(text: &str, column: usize) -> Result<Slice, JsonPathError> {
    let invalid = |column| {
        let hint = if text.contains('"') {
            "; quote a key with '"
        } else {
            ""
        };
        JsonPathError::new(column, format!("{text:?} is not an index{hint}"))
    };
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return Err(invalid(column));
    }
    let mut numbers = [None; 3];
    for (number, part) in numbers.iter_mut().zip(&parts) {
        if part.is_empty() {
            continue;
        }
        let digits = part.strip_prefix('-').unwrap_or(part);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid(column));
        }
        *number = Some(part.parse::<i64>().map_err(|_| invalid(column))?);
    }
    let end = match numbers[1] {
        Some(end) => SliceEnd::At(end),
        None if parts.len() > 1 => SliceEnd::Open,
        None => SliceEnd::AfterStart,
    };
    Ok(Slice {
        start: numbers[0],
        end,
        step: numbers[2],
    })
}
