//! Fields of a run, read leniently: what is absent or of another type is empty.

use serde_json::{Map, Value};
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
