//! Comparisons in a filter: what stands on the left of the operator, and on its right.

use crate::cursor::Cursor;
use crate::error::JsonPathError;
use crate::syntax::Operator;

/// The two sides of a filter's condition, not read yet.
pub(super) struct Comparison<'a> {
    pub(super) left: Cursor<'a>,
    /// `None` if the filter compares nothing.
    pub(super) right: Option<(Operator, Cursor<'a>)>,
}

/// Splits the condition `text`, which starts at `column`, at its operator.
pub(super) fn comparison(text: &str, column: usize) -> Result<Comparison<'_>, JsonPathError> {
    let mut ahead = Cursor::new(text, column);
    let written = left_side(&mut ahead);
    let left = Cursor::new(written, column);
    if ahead.rest().is_empty() {
        return Ok(Comparison { left, right: None });
    }
    let at = ahead.column();
    let operator = operator(&mut ahead)?;
    if written.trim().is_empty() || ahead.rest().trim().is_empty() {
        return Err(JsonPathError::new(
            at,
            "a comparison needs a value on both sides",
        ));
    }
    let right = Some((operator, ahead));
    Ok(Comparison { left, right })
}

/// Takes what stands before the first comparison that is not in quotes.
fn left_side<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    let mut quote = None;
    cursor.take_while(|character| match (character, quote) {
        ('"' | '\'', None) => {
            quote = Some(character);
            true
        }
        (_, Some(open)) => {
            if character == open {
                quote = None;
            }
            true
        }
        ('!' | '<' | '=' | '>', None) => false,
        (_, None) => true,
    })
}

fn operator(cursor: &mut Cursor<'_>) -> Result<Operator, JsonPathError> {
    let column = cursor.column();
    match cursor.take_while(|character| matches!(character, '!' | '<' | '=' | '>')) {
        "==" => Ok(Operator::Equal),
        "!=" => Ok(Operator::NotEqual),
        "<" => Ok(Operator::Less),
        "<=" => Ok(Operator::LessOrEqual),
        ">" => Ok(Operator::Greater),
        ">=" => Ok(Operator::GreaterOrEqual),
        other => {
            let message = format!("{other:?} is not a comparison; use ==, !=, <, <=, > or >=");
            Err(JsonPathError::new(column, message))
        }
    }
}
