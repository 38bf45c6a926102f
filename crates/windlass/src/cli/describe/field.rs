//! Fields of a run, read leniently: what is absent or of another type is empty.

use serde_json::{Map, Value};
use windlass_core::run::Kind;
use windlass_jsonpath::print;

use crate::cli::output::clean;

/// The text at a JSON pointer, or nothing.
pub(super) fn text<'a>(run: &'a Value, pointer: &str) -> &'a str {
    run.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The list at a JSON pointer, or an empty one.
pub(super) fn list<'a>(run: &'a Value, pointer: &str) -> &'a [Value] {
    run.pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The object at a JSON pointer.
pub(super) fn object<'a>(run: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    run.pointer(pointer).and_then(Value::as_object)
}

/// A value in one cell: text as it is, anything else as JSON; shortened and safe to show.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => clean::short(text.trim_end_matches('\n')),
        Some(value) => match print::compact(value) {
            Ok(json) => clean::short(&json),
            Err(reason) => format!("({reason})"),
        },
    }
}

/// The value of a param, as `tkn` spells it: `[a b]` for an array, `map[a:1 b:2]` for an object.
pub(super) fn param(value: Option<&Value>) -> String {
    match value {
        Some(Value::Array(items)) => spelt(items, " ").map(|items| format!("[{items}]")),
        Some(Value::Object(members)) => members_of(members),
        _ => None,
    }
    .map_or_else(|| cell(value), |text| clean::short(&text))
}

/// The value of a result: `a, b` for an array of a task run, `[a b]` for one of a pipeline run.
pub(super) fn result(kind: Kind, value: Option<&Value>) -> String {
    match (kind, value) {
        (Kind::Task, Some(Value::Array(items))) => spelt(items, ", "),
        (Kind::Pipeline, Some(Value::Array(_))) => return param(value),
        _ => None,
    }
    .map_or_else(|| cell(value), |text| clean::short(&text))
}

/// Texts in a row; nothing if one of them is no text, since Tekton takes such a list for a text.
fn spelt(items: &[Value], between: &str) -> Option<String> {
    let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    Some(items?.join(between))
}

fn members_of(members: &Map<String, Value>) -> Option<String> {
    let mut pairs = Vec::with_capacity(members.len());
    for (name, value) in members {
        pairs.push((name, value.as_str()?));
    }
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    Some(format!("map[{}]", pairs.join(" ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_spelt_as_tkn_spells_them() {
        let param = |value: Value| param(Some(&value));
        assert_eq!(param(json!(["a", "b c"])), "[a b c]");
        assert_eq!(param(json!([])), "[]");
        assert_eq!(param(json!({"b": "2", "a": "1"})), "map[a:1 b:2]");
        assert_eq!(param(json!(["a", 1])), r#"["a",1]"#);
        assert_eq!(param(json!(7)), "7");
        let list = json!(["a", "b"]);
        assert_eq!(result(Kind::Task, Some(&list)), "a, b");
        assert_eq!(result(Kind::Pipeline, Some(&list)), "[a b]");
        let object = json!({"url": "x"});
        assert_eq!(result(Kind::Task, Some(&object)), r#"{"url":"x"}"#);
        assert_eq!(result(Kind::Task, Some(&json!("a\n"))), "a");
    }
}
