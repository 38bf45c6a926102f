//! One value on the way through a template.

use std::rc::Rc;

use serde_json::{Map, Number, Value};

/// A value, of the types that Go has for it.
#[derive(Debug, Clone)]
pub(crate) enum Item<'a> {
    /// No value: a missing key, or `nil`.
    Missing,
    /// A `null` of the document. It becomes [`Item::Missing`] at the end of a command.
    Null,
    Boolean(bool),
    /// Go's `int`: of the template, a length, or a position.
    Integer(i64),
    /// Go's `int64`: of the document.
    Long(i64),
    /// Go's `uint8`: of a string.
    Byte(u8),
    Fraction(f64),
    Text(Text<'a>),
    List(&'a [Value]),
    Map(&'a Map<String, Value>),
}

/// A string, which is bytes in Go. A copy costs nothing.
#[derive(Debug, Clone)]
pub(crate) enum Text<'a> {
    Borrowed(&'a [u8]),
    Made(Rc<[u8]>),
}

impl Text<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Made(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a Value> for Item<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(boolean) => Self::Boolean(*boolean),
            Value::Number(number) => Self::of_number(number),
            Value::String(text) => Self::Text(Text::Borrowed(text.as_bytes())),
            Value::Array(list) => Self::List(list),
            Value::Object(map) => Self::Map(map),
        }
    }
}

impl Item<'_> {
    /// Whole numbers are integers, however they are written: `kubectl` writes the object anew before
    /// it reads it for the template.
    fn of_number(number: &Number) -> Self {
        /// Two to the power of 63, from which on integers have no room.
        const END: f64 = 9_223_372_036_854_775_808.0;
        if let Some(integer) = number.as_i64() {
            return Self::Long(integer);
        }
        let fraction = number.as_f64().unwrap_or_default();
        if fraction.fract() == 0.0 && (-END..END).contains(&fraction) {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and has room")]
            return Self::Long(fraction as i64);
        }
        Self::Fraction(fraction)
    }

    /// The value as a command leaves it.
    pub(crate) fn settled(self) -> Self {
        match self {
            Self::Null => Self::Missing,
            other => other,
        }
    }

    pub(crate) fn made(bytes: impl Into<Rc<[u8]>>) -> Self {
        Self::Text(Text::Made(bytes.into()))
    }

    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Missing | Self::Null => false,
            Self::Boolean(boolean) => *boolean,
            Self::Integer(number) | Self::Long(number) => *number != 0,
            Self::Byte(byte) => *byte != 0,
            Self::Fraction(number) => *number != 0.0,
            Self::Text(text) => !text.bytes().is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// The integer that can be a position or a width.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) | Self::Long(number) => Some(*number),
            Self::Byte(byte) => Some(i64::from(*byte)),
            _ => None,
        }
    }

    /// The name of the type in Go, which `%T` and messages of `printf` show.
    pub(crate) fn go_type(&self) -> &'static str {
        match self {
            Self::Missing | Self::Null => "<nil>",
            Self::Boolean(_) => "bool",
            Self::Integer(_) => "int",
            Self::Long(_) => "int64",
            Self::Byte(_) => "uint8",
            Self::Fraction(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }

    /// The kind of the value, with an article.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Missing => "no value",
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) | Self::Long(_) | Self::Byte(_) => "an integer",
            Self::Fraction(_) => "a fraction",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

/// The members of an object in the order of their keys.
pub(crate) fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    members
}
