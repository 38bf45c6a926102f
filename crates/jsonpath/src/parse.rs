//! From the template's text to its pieces.

use serde_json::Value;

use self::path::path;
use crate::cursor::Cursor;
use crate::error::JsonPathError;
use crate::syntax::Piece;

mod comparison;
mod path;
mod quote;
mod slice;
mod word;

/// Longest template accepted, in bytes.
const MAX_TEMPLATE: usize = 64 * 1024;
/// Most loops inside each other.
const MAX_LOOPS: usize = 64;

type Result<T> = std::result::Result<T, JsonPathError>;

pub(crate) fn template(text: &str) -> Result<Vec<Piece>> {
    if text.len() > MAX_TEMPLATE {
        let message = format!("the template is longer than {MAX_TEMPLATE} bytes");
        return Err(JsonPathError::new(1, message));
    }
    if !text.contains(['{', '}']) && text.starts_with(['.', '$', '@', '[']) {
        let mut cursor = Cursor::new(text, 1);
        return Ok(vec![Piece::Path(path(&mut cursor, None, 0)?)]);
    }
    let mut cursor = Cursor::new(text, 1);
    let mut pieces = Vec::new();
    let mut open = Vec::new();
    while cursor.peek().is_some() {
        let written = cursor.take_while(|character| character != '{');
        if !written.is_empty() {
            pieces.push(Piece::Text(Value::String(written.to_owned())));
        }
        let column = cursor.column();
        if cursor.skip("{") {
            let piece = action(&mut cursor, column)?;
            match &piece {
                Piece::Range { .. } if open.len() == MAX_LOOPS => {
                    let message = format!("more than {MAX_LOOPS} nested loops");
                    return Err(JsonPathError::new(column, message));
                }
                Piece::Range { .. } => open.push(pieces.len()),
                Piece::End => close(&mut pieces, &mut open, column)?,
                Piece::Text(_) | Piece::Path(_) => {}
            }
            pieces.push(piece);
        }
    }
    leave_open(&mut pieces, &open);
    Ok(pieces)
}

/// Ties the innermost open loop to the `{end}` about to be added.
fn close(pieces: &mut [Piece], open: &mut Vec<usize>, column: usize) -> Result<()> {
    let here = pieces.len();
    let Some(Piece::Range { end, resume, .. }) = open.pop().map(|index| &mut pieces[index]) else {
        return Err(JsonPathError::new(
            column,
            "{end} without a {range} before it",
        ));
    };
    *end = here;
    *resume = here + 1;
    Ok(())
}

/// A loop without `{end}` runs to the end of the template; what follows the last inner `{end}` is
/// then printed once more for the document itself, as `kubectl` does.
fn leave_open(pieces: &mut [Piece], open: &[usize]) {
    let length = pieces.len();
    let last_end = pieces.iter().rposition(|piece| matches!(piece, Piece::End));
    for &index in open {
        if let Piece::Range { end, resume, .. } = &mut pieces[index] {
            *end = length;
            *resume = last_end.filter(|&last| last > index).unwrap_or(index) + 1;
        }
    }
}

/// Reads an action whose opening brace, at `start`, is already taken.
fn action(cursor: &mut Cursor<'_>, start: usize) -> Result<Piece> {
    cursor.take_while(|character| character == ' ');
    let mut ahead = cursor.clone();
    let word = ahead.take_while(|character| character.is_alphanumeric() || character == '_');
    match word {
        "range" => {
            *cursor = ahead;
            let path = path(cursor, Some(start), 0)?;
            Ok(Piece::Range {
                path,
                end: 0,
                resume: 0,
            })
        }
        "end" => {
            *cursor = ahead;
            cursor.take_while(|character| character == ' ');
            if cursor.skip("}") {
                return Ok(Piece::End);
            }
            Err(JsonPathError::new(
                cursor.column(),
                "{end} takes nothing; close it with }",
            ))
        }
        _ => Ok(Piece::Path(path(cursor, Some(start), 0)?)),
    }
}
