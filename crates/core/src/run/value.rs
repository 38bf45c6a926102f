//! Values of params and results: a string, an array of strings or an object of strings.
//!
//! Any other value (a number, a mixed array, a nested object) becomes a string with its JSON text:
//! docs/behaviour.md, "Normalised values".

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::text::Text;

/// The value of a param or a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ParamValue<'a> {
    /// There is no value at all, not even `null`.
    #[default]
    Missing,
    /// A string, or the JSON text of something that is none of the other forms.
    String(Text<'a>),
    /// An array of strings.
    Array(Vec<Text<'a>>),
    /// An object whose members are all strings, sorted by key.
    Object(BTreeMap<Text<'a>, Text<'a>>),
}

impl<'a> ParamValue<'a> {
    /// Decodes the JSON text of a value.
    pub fn from_json(json: &'a str) -> Self {
        let decoded = match json.as_bytes().first() {
            Some(b'[') => serde_json::from_str(json).map(Self::Array).ok(),
            Some(b'{') => serde_json::from_str(json).map(Self::Object).ok(),
            Some(b'"' | b'n') => serde_json::from_str(json).map(Self::String).ok(),
            _ => None,
        };
        decoded.unwrap_or_else(|| Self::String(Text::from(json)))
    }

    /// The string form; empty for the other kinds, as Chains sees it.
    pub fn text(&self) -> &str {
        match self {
            Self::String(text) => text,
            _ => "",
        }
    }

    /// A member of the object form.
    pub fn member(&self, key: &str) -> Option<&str> {
        match self {
            Self::Object(members) => members.get(key).map(Text::as_str),
            _ => None,
        }
    }

    /// Whether the value is an object of strings.
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// All strings in the value: the string itself, the items, or the members' values.
    pub fn strings(&self) -> impl Iterator<Item = &Text<'a>> {
        let (one, items, members) = match self {
            Self::Missing => (None, None, None),
            Self::String(text) => (Some(text), None, None),
            Self::Array(items) => (None, Some(items), None),
            Self::Object(members) => (None, None, Some(members)),
        };
        one.into_iter()
            .chain(items.into_iter().flatten())
            .chain(members.into_iter().flat_map(BTreeMap::values))
    }
}

impl<'a> From<Cow<'a, str>> for ParamValue<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::String(match text {
            Cow::Borrowed(text) => Text::from(text),
            Cow::Owned(text) => Text::from(text),
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ParamValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Self::from_json(raw.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        ParamValue::from_json(json).text().to_owned()
    }

    #[test]
    fn a_value_of_another_type_is_kept_as_its_json_text() {
        assert_eq!(text("5"), "5");
        assert_eq!(text("true"), "true");
        assert_eq!(text("[1, 2]"), "[1, 2]");
        assert_eq!(text(r#"{"a":{"b":"c"}}"#), r#"{"a":{"b":"c"}}"#);
    }

    #[test]
    fn null_is_the_empty_string_and_nulls_inside_are_too() {
        assert_eq!(
            ParamValue::from_json("null"),
            ParamValue::String(Text::from(""))
        );
        let array = ParamValue::from_json(r#"["a",null]"#);
        assert_eq!(
            array,
            ParamValue::Array(vec![Text::from("a"), Text::from("")])
        );
    }

    #[test]
    fn an_object_of_strings_is_sorted_by_key() {
        let value = ParamValue::from_json(r#"{"b":"2","a":"1"}"#);
        assert_eq!(value.member("b"), Some("2"));
        assert_eq!(
            value.strings().map(Text::as_str).collect::<Vec<_>>(),
            ["1", "2"]
        );
    }
}
