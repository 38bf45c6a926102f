//! Where two JSON documents differ.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// A value that is not the same in both documents.
#[derive(Debug)]
pub(super) struct Difference<'v> {
    /// Keys and indexes from the outermost object.
    pub(super) steps: Vec<Cow<'v, str>>,
    /// The value in the signed document.
    pub(super) signed: Option<&'v Value>,
    /// The value in the one that was created now.
    pub(super) now: Option<&'v Value>,
}

impl Difference<'_> {
    /// Where it is, for people.
    pub(super) fn path(&self) -> String {
        self.steps.join(".")
    }

    /// The path as something to match on.
    pub(super) fn steps(&self) -> Vec<&str> {
        self.steps.iter().map(AsRef::as_ref).collect()
    }
}

/// All differences, as far inside as can be said. An object that is missing, or `null`, counts as
/// one without members; arrays of different length differ as a whole.
pub(super) fn differences<'v>(signed: &'v Value, now: &'v Value) -> Vec<Difference<'v>> {
    let mut found = Vec::new();
    walk(&mut Vec::new(), Some(signed), Some(now), &mut found);
    found
}

fn walk<'v>(
    steps: &mut Vec<Cow<'v, str>>,
    signed: Option<&'v Value>,
    now: Option<&'v Value>,
    found: &mut Vec<Difference<'v>>,
) {
    if signed == now {
        return;
    }
    if let (Some(Value::Array(left)), Some(Value::Array(right))) = (signed, now)
        && left.len() == right.len()
    {
        for (index, (left, right)) in left.iter().zip(right).enumerate() {
            steps.push(Cow::Owned(index.to_string()));
            walk(steps, Some(left), Some(right), found);
            steps.pop();
        }
        return;
    }
    if let (Some(left), Some(right)) = (members(signed), members(now)) {
        let keys: BTreeSet<&String> = left.chain(right).collect();
        if !keys.is_empty() {
            for key in keys {
                steps.push(Cow::Borrowed(key));
                let (left, right) = (
                    signed.and_then(|it| it.get(key)),
                    now.and_then(|it| it.get(key)),
                );
                walk(steps, left, right, found);
                steps.pop();
            }
            return;
        }
    }
    found.push(Difference {
        steps: steps.clone(),
        signed,
        now,
    });
}

/// The keys of an object; none of nothing.
fn members(value: Option<&Value>) -> Option<impl Iterator<Item = &String>> {
    match value {
        None | Some(Value::Null) => Some(None.into_iter().flatten()),
        Some(Value::Object(members)) => Some(Some(Map::keys(members)).into_iter().flatten()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(signed: &Value, now: &Value) -> Vec<String> {
        let found = differences(signed, now);
        found.iter().map(Difference::path).collect()
    }

    #[test]
    fn differences_are_named_as_far_inside_as_can_be_said() {
        let signed = json!({ "a": { "b": [1, { "c": 2 }], "gone": 1 }, "same": [{}], "list": [1] });
        let now =
            json!({ "a": { "b": [1, { "c": 3 }] }, "same": [{}], "list": [], "new": { "d": 1 } });
        assert_eq!(paths(&signed, &now), ["a.b.1.c", "a.gone", "list", "new.d"]);
        assert_eq!(paths(&now, &now), Vec::<String>::new());
    }

    #[test]
    fn nothing_and_an_empty_object_differ() {
        assert_eq!(paths(&json!({ "a": {} }), &json!({})), ["a"]);
        assert_eq!(paths(&json!({ "a": null }), &json!({ "a": {} })), ["a"]);
        assert_eq!(paths(&json!(1), &json!({})), [""]);
    }
}
