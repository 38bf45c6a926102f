//! From the template's text to its pieces.

use serde_json::Value;

use super::cursor::Cursor;
use super::{JsonPathError, Path, Piece, Step, StepKind};

mod bracket;
mod filter;
mod quote;

/// Longest template accepted, in bytes.
const MAX_TEMPLATE: usize = 64 * 1024;
/// Deepest nesting of quoted keys, unions and filters; `kubectl`'s grammar needs four.
const MAX_DEPTH: usize = 8;
/// Most loops inside each other.
const MAX_LOOPS: usize = 64;

type Result<T> = std::result::Result<T, JsonPathError>;

pub(super) fn template(text: &str) -> Result<Vec<Piece>> {
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
                    let message = format!("over {MAX_LOOPS} loops inside each other");
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

/// Reads steps up to the closing brace of the action opened at `braces`, or to the end of the text.
fn path(cursor: &mut Cursor<'_>, braces: Option<usize>, depth: usize) -> Result<Path> {
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
        return filter::filter(cursor, column, depth).map(Parsed::One);
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
            bracket::brackets(text, start, depth)
        }
        Some(quote @ ('"' | '\'')) => quote::quoted(cursor, quote)
            .map(|text| Parsed::One(StepKind::Text(Value::String(text)))),
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

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn is_terminator(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}

/// A field's name, up to a terminator that no backslash precedes.
fn field(cursor: &mut Cursor<'_>) -> StepKind {
    let mut escaped = false;
    let written = cursor.take_while(|character| {
        let wanted = escaped || !is_terminator(character);
        escaped = !escaped && character == '\\';
        wanted
    });
    if written == "*" {
        return StepKind::Wildcard;
    }
    StepKind::Field(written.replace('\\', ""))
}

fn word(cursor: &mut Cursor<'_>) -> Result<StepKind> {
    let column = cursor.column();
    match cursor.take_while(|character| !is_terminator(character)) {
        "true" => Ok(StepKind::Constant(Value::Bool(true))),
        "false" => Ok(StepKind::Constant(Value::Bool(false))),
        word @ ("range" | "end") => Err(JsonPathError::new(
            column,
            format!("{word} must come first in its action"),
        )),
        word => {
            let message = format!("unknown word {word:?}; a field starts with a dot: .{word}");
            Err(JsonPathError::new(column, message))
        }
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<StepKind> {
    let column = cursor.column();
    let mut first = true;
    let written = cursor.take_while(|character| {
        let sign = std::mem::take(&mut first) && matches!(character, '+' | '-');
        sign || character == '.' || character.is_ascii_digit()
    });
    if let Ok(integer) = written.parse::<i64>() {
        return Ok(StepKind::Constant(Value::from(integer)));
    }
    match written.parse::<f64>() {
        Ok(fraction) if fraction.is_finite() => Ok(StepKind::Constant(Value::from(fraction))),
        _ => Err(JsonPathError::new(
            column,
            format!("{written:?} is not a number"),
        )),
    }
}
