//! Filters: `[?(path)]` and `[?(path operator value)]`.

use super::super::cursor::Cursor;
use super::super::{Filter, JsonPathError, Operator, StepKind};
use super::{Result, path};

/// Reads a filter whose opening `[?(`, at `column`, is already taken.
pub(super) fn filter(cursor: &mut Cursor<'_>, column: usize, depth: usize) -> Result<StepKind> {
    let start = cursor.column();
    let text = cursor.take_until(')', column, "unclosed filter: )] is missing")?;
    if !cursor.skip("]") {
        return Err(JsonPathError::new(
            cursor.column(),
            "expected ] after the filter's )",
        ));
    }
    let sub_path = |text, column| path(&mut Cursor::new(text, column), None, depth + 1);
    let mut ahead = Cursor::new(text, start);
    let left = left_side(&mut ahead);
    if ahead.rest().is_empty() {
        let left = sub_path(left, start)?;
        return Ok(StepKind::Filter(Box::new(Filter {
            left,
            comparison: None,
        })));
    }
    let at = ahead.column();
    let operator = operator(&mut ahead)?;
    if left.trim().is_empty() || ahead.rest().trim().is_empty() {
        return Err(JsonPathError::new(
            at,
            "a comparison needs a value on both sides",
        ));
    }
    let (left, right) = (
        sub_path(left, start)?,
        sub_path(ahead.rest(), ahead.column())?,
    );
    Ok(StepKind::Filter(Box::new(Filter {
        left,
        comparison: Some((operator, right)),
    })))
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

fn operator(cursor: &mut Cursor<'_>) -> Result<Operator> {
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
