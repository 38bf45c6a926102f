//! Quoted strings in an action, with the escapes of a Go string literal.

use crate::cursor::Cursor;
use crate::error::JsonPathError;

/// Reads a string in single or double quotes; the cursor stands on the opening one.
pub(super) fn quoted(cursor: &mut Cursor<'_>, quote: char) -> Result<String, JsonPathError> {
    let start = cursor.column();
    cursor.next();
    let mut text = String::new();
    loop {
        let column = cursor.column();
        match cursor.next() {
            None | Some('\n') => {
                return Err(JsonPathError::new(
                    start,
                    format!("unclosed string: {quote} is missing"),
                ));
            }
            Some('\\') => text.push(escape(cursor, quote, column)?),
            Some(found) if found == quote => return Ok(text),
            Some(found) => text.push(found),
        }
    }
}

/// The character that an escape stands for; the backslash at `column` is already taken.
fn escape(cursor: &mut Cursor<'_>, quote: char, column: usize) -> Result<char, JsonPathError> {
    let unknown = || JsonPathError::new(column, "unknown escape in a string");
    match cursor.next() {
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('r') => Ok('\r'),
        Some('a') => Ok('\u{7}'),
        Some('b') => Ok('\u{8}'),
        Some('f') => Ok('\u{c}'),
        Some('v') => Ok('\u{b}'),
        Some('\\') => Ok('\\'),
        Some(found) if found == quote => Ok(found),
        Some('x') => ascii(digits(cursor, 2, 16), column),
        Some('u') => digits(cursor, 4, 16)
            .and_then(char::from_u32)
            .ok_or_else(unknown),
        Some('U') => digits(cursor, 8, 16)
            .and_then(char::from_u32)
            .ok_or_else(unknown),
        Some(first @ '0'..='7') => {
            let high = first.to_digit(8).unwrap_or_default() * 64;
            ascii(digits(cursor, 2, 8).map(|low| high + low), column)
        }
        _ => Err(unknown()),
    }
}

fn digits(cursor: &mut Cursor<'_>, count: usize, radix: u32) -> Option<u32> {
    let mut value = 0_u32;
    for _ in 0..count {
        value = value.checked_mul(radix)? + cursor.next()?.to_digit(radix)?;
    }
    Some(value)
}

/// A byte escape; beyond ASCII it would be half a character.
fn ascii(value: Option<u32>, column: usize) -> Result<char, JsonPathError> {
    value
        .filter(|&value| value < 0x80)
        .and_then(char::from_u32)
        .ok_or_else(|| {
            JsonPathError::new(
                column,
                "a byte escape must be ASCII; write other characters with \\u",
            )
        })
}
