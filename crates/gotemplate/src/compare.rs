//! `eq`, `lt` and what follows of them: only values of the same kind compare, and anything with no
//! value.

use std::cmp::Ordering;

use crate::value::Item;

/// Whether two values are equal; the error says why they cannot be compared.
pub(crate) fn equal(left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    use Item::{Boolean, List, Map, Missing, Null};
    Ok(match (left, right) {
        (Missing | Null, Missing | Null) => true,
        (Missing | Null, _) | (_, Missing | Null) => false,
        (Boolean(left), Boolean(right)) => left == right,
        (List(_) | Map(_), List(_) | Map(_)) => {
            return Err(format!(
                "{} and {} have no equality; compare what is in them",
                left.noun(),
                right.noun()
            ));
        }
        _ => order(left, right)? == Some(Ordering::Equal),
    })
}

/// Whether the left value is the lesser one.
pub(crate) fn less(left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    for item in [left, right] {
        if matches!(
            item,
            Item::Missing | Item::Null | Item::Boolean(_) | Item::List(_) | Item::Map(_)
        ) {
            return Err(format!("{} has no order", item.noun()));
        }
    }
    Ok(order(left, right)? == Some(Ordering::Less))
}

fn order(left: &Item<'_>, right: &Item<'_>) -> Result<Option<Ordering>, String> {
    if let (Some(left), Some(right)) = (left.integer(), right.integer()) {
        return Ok(Some(left.cmp(&right)));
    }
    match (left, right) {
        (Item::Fraction(left), Item::Fraction(right)) => Ok(left.partial_cmp(right)),
        (Item::Text(left), Item::Text(right)) => Ok(Some(left.bytes().cmp(right.bytes()))),
        _ => {
            let hint = match (left, right) {
                (Item::Fraction(_), right) if right.integer().is_some() => {
                    "; write the number with a point, such as 1.0"
                }
                (left, Item::Fraction(_)) if left.integer().is_some() => {
                    "; write the number without a point"
                }
                (Item::Text(_), _) | (_, Item::Text(_)) => "; only text is quoted",
                _ => "",
            };
            Err(format!(
                "cannot compare {} with {}{hint}",
                left.noun(),
                right.noun()
            ))
        }
    }
}
