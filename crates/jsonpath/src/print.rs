//! Values as text, the way Go's `fmt` and `encoding/json` print them: members sorted by key, `<`,
//! `>` and `&` escaped inside objects and lists.

use std::fmt::Write as _;

use serde_json::{Number, Value};

use crate::error::JsonPathError;
use crate::item::Item;

/// Largest output of one template, in bytes.
const MAX_OUTPUT: usize = 64 * 1024 * 1024;
/// Deepest document that is printed.
const MAX_DEPTH: usize = 256;

/// Collects what a template prints.
#[derive(Debug)]
pub(crate) struct Output {
    text: String,
    style: Style,
}

#[derive(Debug, Clone, Copy)]
enum Style {
    /// Strings as they are, objects and lists as compact JSON.
    Text,
    /// Each group of results as an indented JSON array.
    Json,
}

impl Output {
    pub(crate) fn text() -> Self {
        Self {
            text: String::new(),
            style: Style::Text,
        }
    }

    pub(crate) fn json() -> Self {
        Self {
            text: String::new(),
            style: Style::Json,
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }

    /// Prints the results of one action, which stands at `column`.
    pub(crate) fn results(
        &mut self,
        items: &[Item<'_>],
        column: usize,
    ) -> Result<(), JsonPathError> {
        let done = match self.style {
            Style::Text => self.separated(items),
            Style::Json => self.array(items),
        };
        done.map_err(|message| JsonPathError::new(column, message))
    }

    fn separated(&mut self, items: &[Item<'_>]) -> Result<(), &'static str> {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(' ');
            }
            match item {
                Item::Byte(byte) => push_display(&mut self.text, byte),
                Item::Value(Value::String(text)) => self.text.push_str(text),
                Item::Value(Value::Number(number)) => {
                    self.text.push_str(&go_number(number, -4));
                }
                Item::Value(value) => Writer::compact(&mut self.text).value(value, 0)?,
            }
            within_limit(&self.text)?;
        }
        Ok(())
    }

    /// Written item by item: a copy of them all could be many times the document.
    fn array(&mut self, items: &[Item<'_>]) -> Result<(), &'static str> {
        let mut writer = Writer {
            text: &mut self.text,
            indent: true,
            escape_html: true,
        };
        writer.text.push('[');
        for (index, item) in items.iter().enumerate() {
            writer.separate(index, 1);
            match item {
                Item::Byte(byte) => push_display(writer.text, byte),
                Item::Value(value) => writer.value(value, 1)?,
            }
        }
        if !items.is_empty() {
            writer.new_line(0);
        }
        writer.text.push_str("]\n");
        within_limit(writer.text)
    }
}

/// A document as `kubectl -o json` lays it out, newline included; an error when it is nested too
/// deeply or too large.
pub fn pretty(value: &Value) -> Result<String, &'static str> {
    let mut text = String::new();
    Writer {
        text: &mut text,
        indent: true,
        escape_html: true,
    }
    .value(value, 0)?;
    text.push('\n');
    Ok(text)
}

/// A document as JSON on one line.
pub fn compact(value: &Value) -> Result<String, &'static str> {
    let mut text = String::new();
    Writer {
        text: &mut text,
        indent: false,
        escape_html: false,
    }
    .value(value, 0)?;
    Ok(text)
}

fn within_limit(text: &str) -> Result<(), &'static str> {
    if text.len() > MAX_OUTPUT {
        Err("the output is larger than 64 MiB")
    } else {
        Ok(())
    }
}

fn push_display(text: &mut String, value: impl std::fmt::Display) {
    // writing to a string cannot fail
    let _ = write!(text, "{value}");
}

struct Writer<'a> {
    text: &'a mut String,
    indent: bool,
    escape_html: bool,
}

impl<'a> Writer<'a> {
    fn compact(text: &'a mut String) -> Self {
        Self {
            text,
            indent: false,
            escape_html: true,
        }
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), &'static str> {
        if depth > MAX_DEPTH {
            return Err("the document is nested too deeply to print");
        }
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(boolean) => push_display(self.text, boolean),
            Value::Number(number) => self.text.push_str(&go_number(number, -6)),
            Value::String(text) => self.string(text),
            Value::Array(list) if list.is_empty() => self.text.push_str("[]"),
            Value::Object(object) if object.is_empty() => self.text.push_str("{}"),
            Value::Array(list) => {
                self.text.push('[');
                for (index, element) in list.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(element, depth + 1)?;
                }
                self.new_line(depth);
                self.text.push(']');
            }
            Value::Object(object) => {
                self.text.push('{');
                let mut members: Vec<_> = object.iter().collect();
                members.sort_unstable_by_key(|(key, _)| *key);
                for (index, (key, member)) in members.into_iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.string(key);
                    self.text.push_str(if self.indent { ": " } else { ":" });
                    self.value(member, depth + 1)?;
                }
                self.new_line(depth);
                self.text.push('}');
            }
        }
        within_limit(self.text)
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.text.push(',');
        }
        self.new_line(depth);
    }

    fn new_line(&mut self, depth: usize) {
        if self.indent {
            self.text.push('\n');
            self.text.extend(std::iter::repeat_n("    ", depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => self.unicode_escape(character),
                '<' | '>' | '&' if self.escape_html => self.unicode_escape(character),
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }

    fn unicode_escape(&mut self, character: char) {
        let _ = write!(self.text, "\\u{:04x}", u32::from(character));
    }
}

/// A number in Go's shortest form. Integers outside 64 signed bits are fractions to Kubernetes.
/// Below ten to the power of `smallest`, and from 1e21 up, the form has an exponent.
fn go_number(number: &Number, smallest: i32) -> String {
    if let Some(integer) = number.as_i64() {
        return integer.to_string();
    }
    let Some(value) = number.as_f64() else {
        return number.to_string();
    };
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (smallest..21).contains(&exponent) {
        return value.to_string();
    }
    // JSON leaves out the zero that text puts before a one-digit negative exponent
    let width = if smallest == -6 && exponent < 0 { 1 } else { 2 };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:0width$}", exponent.abs())
}
