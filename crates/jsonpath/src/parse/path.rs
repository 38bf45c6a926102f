//! Paths and their steps. Brackets and filters hold paths again, so that they are read here too.

use serde_json::Value;

use super::comparison::{Comparison, comparison};
use super::quote::quoted;
use super::slice::{slice, split_at_commas};
use super::word::{field, is_word, number, word};
use crate::cursor::Cursor;
use crate::error::JsonPathError;
use crate::syntax::{Filter, Path, Slice, SliceEnd, Step, StepKind};

/// Deepest nesting of quoted keys, unions and filters; `kubectl`'s grammar needs four.
const MAX_DEPTH: usize = 8;

type Result<T> = std::result::Result<T, JsonPathError>;

/// Reads steps up to the closing brace of the action opened at `braces`, or to the end of the text.
pub(super) fn path(cursor: &mut Cursor<'_>, braces: Option<usize>, depth: usize) -> Result<Path> {
    if depth > MAX_DEPTH {
        return Err(JsonPathError::new(cursor.column(), "nested too deeply"));
    }
    let mut steps = Path::new();
    loop {
        let column = cursor.column();
        let kind = match (cursor.peek(), braces) {
            (None, None) => return Ok(steps),
            (None | Some('\r' | '\n'), Some(start)) => {
                return Err(JsonPathError::new(start, "unclosed action: } is missing"));
            }
            (Some('}'), Some(_)) => {
                cursor.next();
                return Ok(steps);
            }
            (Some(' ' | '@' | '$'), _) => {
                cursor.next();
                continue;
            }
            _ => step(
                cursor,
                matches!(steps.last(), Some(last) if is_recursive(last)),
                depth,
            )?,
        };
        match kind {
            Parsed::One(kind) => steps.push(Step { column, kind }),
            Parsed::Many(path) => steps.extend(path),
        }
    }
}

enum Parsed {
    One(StepKind),
    Many(Path),
}

fn is_recursive(step: &Step) -> bool {
    matches!(step.kind, StepKind::Recursive)
}

fn step(cursor: &mut Cursor<'_>, after_recursive: bool, depth: usize) -> Result<Parsed> {
    let column = cursor.column();
    if cursor.skip("..") {
        if after_recursive {
            return Err(JsonPathError::new(column, ".. twice in a row"));
        }
        let mut steps = vec![Step {
            column,
            kind: StepKind::Recursive,
        }];
        if cursor.peek().is_some_and(is_word) {
            let column = cursor.column();
            steps.push(Step {
                column,
                kind: field(cursor),
            });
        }
        return Ok(Parsed::Many(steps));
    }
    if cursor.skip("[?(") {
        return filter(cursor, column, depth).map(Parsed::One);
    }
    match cursor.peek() {
        Some('.') => {
            cursor.next();
            Ok(Parsed::One(field(cursor)))
        }
        Some('[') => {
            cursor.next();
            let start = cursor.column();
            let text = cursor.take_until(']', column, "unclosed index: ] is missing")?;
            brackets(text, start, depth)
        }
        Some(quote @ ('"' | '\'')) => {
            quoted(cursor, quote).map(|text| Parsed::One(StepKind::Text(Value::String(text))))
        }
        Some('+' | '-') => number(cursor).map(Parsed::One),
        Some(digit) if digit.is_ascii_digit() => number(cursor).map(Parsed::One),
        Some(letter) if is_word(letter) => word(cursor).map(Parsed::One),
        Some(other) => {
            let message = format!("unexpected character {other:?}");
            Err(JsonPathError::new(column, message))
        }
        None => Err(JsonPathError::new(column, "unexpected end")),
    }
}

/// What stands between `[` and `]`, which starts at `column`.
fn brackets(text: &str, column: usize, depth: usize) -> Result<Parsed> {
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

/// Reads a filter whose opening `[?(`, at `column`, is already taken.
fn filter(cursor: &mut Cursor<'_>, column: usize, depth: usize) -> Result<StepKind> {
    let start = cursor.column();
    let text = cursor.take_until(')', column, "unclosed filter: )] is missing")?;
    if !cursor.skip("]") {
        return Err(JsonPathError::new(
            cursor.column(),
            "expected ] after the filter's )",
        ));
    }
    let Comparison { mut left, right } = comparison(text, start)?;
    let left = path(&mut left, None, depth + 1)?;
    let comparison = match right {
        Some((operator, mut right)) => Some((operator, path(&mut right, None, depth + 1)?)),
        None => None,
    };
    Ok(StepKind::Filter(Box::new(Filter { left, comparison })))
}
