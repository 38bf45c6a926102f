//! The path of an owned field: its segments are already in the wire form `FieldsV1` (`f:NAME`,
//! `v:VALUE` for an item of a set, `k:{KEY}` for an item told apart by a key).

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) type Path = Vec<String>;
pub(crate) type Fields = BTreeSet<Path>;

/// The value at a path.
pub(crate) fn find<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, segment| {
        let (form, rest) = segment.split_at_checked(2)?;
        if form == "f:" {
            return value.get(rest);
        }
        let at = position(value.as_array()?, form, rest)?;
        value.get(at)
    })
}

/// Takes the value at a path out.
pub(crate) fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut node = object;
    for segment in parents {
        let Some((form, rest)) = segment.split_at_checked(2) else {
            return;
        };
        let child = match node {
            Value::Object(fields) => fields.get_mut(rest),
            Value::Array(items) => position(items, form, rest).and_then(|at| items.get_mut(at)),
            _ => None,
        };
        let Some(child) = child else { return };
        node = child;
    }
    let Some((form, rest)) = last.split_at_checked(2) else {
        return;
    };
    match node {
        Value::Object(fields) => drop(fields.remove(rest)),
        Value::Array(items) => {
            if let Some(at) = position(items, form, rest) {
                items.remove(at);
            }
        }
        _ => {}
    }
}

fn position(items: &[Value], form: &str, rest: &str) -> Option<usize> {
    let wanted: Value = serde_json::from_str(rest).ok()?;
    items.iter().position(|item| match (form, &wanted) {
        ("k:", Value::Object(key)) => key.iter().all(|(name, value)| item[name] == *value),
        _ => *item == wanted,
    })
}
