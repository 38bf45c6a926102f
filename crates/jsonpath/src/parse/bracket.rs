//! What stands in square brackets: an index, a slice, a quoted key, or several of them.

use super::super::cursor::Cursor;
use super::super::{JsonPathError, Slice, SliceEnd, Step, StepKind};
use super::{Parsed, Result, field, path};

/// What stands between `[` and `]`, which starts at `column`.
pub(super) fn brackets(text: &str, column: usize, depth: usize) -> Result<Parsed> {
    let parts = split_at_commas(text, column);
    if parts.len() > 1 {
        let mut union = Vec::with_capacity(parts.len());
        for (part, column) in parts {
            let trimmed = part.trim_matches(' ');
            let skipped = part.len() - part.trim_start_matches(' ').len();
            union.push(match brackets(trimmed, column + skipped, depth + 1)? {
                Parsed::One(kind) => vec![Step { column, kind }],
                Parsed::Many(path) => path,
            });
        }
        return Ok(Parsed::One(StepKind::Union(union)));
    }
    if text == "*" {
        let all = Slice {
            start: None,
            end: SliceEnd::Open,
            step: None,
        };
        return Ok(Parsed::One(StepKind::Slice(all)));
    }
    let key = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(key) = key.filter(|key| !key.contains('\'')) {
        return Ok(dictionary_key(key, column + 1, depth));
    }
    slice(text, column).map(|slice| Parsed::One(StepKind::Slice(slice)))
}

/// `['key']`: in `kubectl` the same as `.key`, so that dots in it need a backslash.
fn dictionary_key(key: &str, column: usize, depth: usize) -> Parsed {
    let mut cursor = Cursor::new(key, column);
    let first = field(&mut cursor);
    let mut steps = vec![Step {
        column,
        kind: first,
    }];
    match path(&mut cursor, None, depth + 1) {
        Ok(more) => steps.extend(more),
        Err(_) => return Parsed::One(StepKind::Field(key.to_owned())),
    }
    if steps.len() == 1 {
        return Parsed::Many(steps);
    }
    Parsed::One(StepKind::DottedKey {
        path: steps,
        key: key.to_owned(),
    })
}

fn split_at_commas(text: &str, column: usize) -> Vec<(&str, usize)> {
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

fn slice(text: &str, column: usize) -> Result<Slice> {
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
