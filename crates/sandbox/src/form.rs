//! Forms that several parts of Tekton have in common.

use serde_json::Value;

/// Whether a text is a DNS label, as names of steps and of pipeline tasks are (RFC 1123).
pub(crate) fn is_label(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_framed = !text.starts_with('-') && !text.ends_with('-');
    !text.is_empty() && text.len() <= 63 && text.chars().all(is_plain) && is_framed
}

/// The type of a parameter's value: `string`, `array` or `object`.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        _ => "string",
    }
}

/// The type of a parameter's declaration, which its default or its keys may tell.
pub(crate) fn declared_type(declared: &Value) -> &str {
    if let Some(stated) = declared["type"].as_str() {
        return stated;
    }
    if declared["properties"].is_object() {
        return "object";
    }
    type_of(&declared["default"])
}
