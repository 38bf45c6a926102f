//! Comparisons in a filter: only scalars of the same kind compare.

use std::cmp::Ordering;

use serde_json::Value;

use crate::item::Item;
use crate::syntax::Operator;

impl Operator {
    /// Whether `left` and `right` compare this way; an error says why they cannot be compared.
    pub(crate) fn holds(self, left: Item<'_>, right: Item<'_>) -> Result<bool, String> {
        if let (Item::Value(Value::Bool(left)), Item::Value(Value::Bool(right))) = (left, right) {
            return match self {
                Self::Equal => Ok(left == right),
                Self::NotEqual => Ok(left != right),
                _ => Err("booleans have no order; use == or !=".to_owned()),
            };
        }
        let ordering = order(left, right)?;
        Ok(match self {
            Self::Equal => ordering == Some(Ordering::Equal),
            Self::NotEqual => ordering != Some(Ordering::Equal),
            Self::Less => ordering == Some(Ordering::Less),
            Self::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        })
    }
}

fn order(left: Item<'_>, right: Item<'_>) -> Result<Option<Ordering>, String> {
    if let (Item::Value(Value::String(left)), Item::Value(Value::String(right))) = (left, right) {
        return Ok(Some(left.cmp(right)));
    }
    if let (Some(left), Some(right)) = (integer(left), integer(right)) {
        return Ok(Some(left.cmp(&right)));
    }
    if let (Some(left), Some(right)) = (fraction(left), fraction(right)) {
        return Ok(left.partial_cmp(&right));
    }
    let hint = if is_text(left) || is_text(right) {
        "; only text is quoted"
    } else {
        ""
    };
    Err(format!(
        "cannot compare {} with {}{hint}",
        left.noun(),
        right.noun()
    ))
}

fn is_text(item: Item<'_>) -> bool {
    matches!(item, Item::Value(Value::String(_)))
}

fn integer(item: Item<'_>) -> Option<i128> {
    match item {
        Item::Byte(byte) => Some(byte.into()),
        Item::Value(Value::Number(number)) => number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from)),
        Item::Value(_) => None,
    }
}

fn fraction(item: Item<'_>) -> Option<f64> {
    match item {
        Item::Byte(byte) => Some(byte.into()),
        Item::Value(value) => value.as_f64(),
    }
}
