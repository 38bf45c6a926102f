//! Names, words and numbers in a path.

use serde_json::Value;

use crate::cursor::Cursor;
use crate::error::JsonPathError;
use crate::syntax::StepKind;

pub(super) fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn is_terminator(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}

/// A field's name, up to a terminator that no backslash precedes.
pub(super) fn field(cursor: &mut Cursor<'_>) -> StepKind {
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

pub(super) fn word(cursor: &mut Cursor<'_>) -> Result<StepKind, JsonPathError> {
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

pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<StepKind, JsonPathError> {
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
