//! Writing JSON in the ways of Go's libraries.

use std::fmt::Write;

use super::value::Json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Compact,
    Sorted,
    Go,
    Predicate,
}

pub(super) fn text(value: &Json<'_>, style: Style) -> String {
    let mut out = String::new();
    push(&mut out, value, style);
    out
}

fn push(out: &mut String, value: &Json<'_>, style: Style) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(text) if style == Style::Predicate => out.push_str(&double(text)),
        Json::Number(text) => out.push_str(text),
        Json::Unread(_) => push(out, &value.clone().read(), style),
        Json::String(text) => push_string(out, text, style),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push(out, item, style);
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if matches!(style, Style::Sorted | Style::Predicate) {
                members.sort_by(|left, right| left.0.cmp(&right.0));
            }
            out.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_string(out, key, style);
                out.push(':');
                push(out, member, style);
            }
            out.push('}');
        }
    }
}

fn push_string(out: &mut String, text: &str, style: Style) {
    let is_go = style == Style::Go;
    out.push('"');
    let mut plain_from = 0;
    for (at, c) in text.char_indices() {
        let needs_escape = match c {
            '"' | '\\' | '\0'..'\u{20}' => true,
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => is_go,
            _ => false,
        };
        if !needs_escape {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + c.len_utf8();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// A number as the shortest text that gives the same double. One that no double can hold becomes
/// the largest.
fn double(text: &str) -> String {
    let value: f64 = text.parse().unwrap_or_default();
    let value = value.clamp(f64::MIN, f64::MAX);
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                format!("{mantissa}e+{exponent}")
            }
            _ => text,
        };
    }
    value.to_string()
}
