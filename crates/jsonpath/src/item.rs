//! One value on the way through a path.

use serde_json::Value;

/// One value on the way through a path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<'a> {
    Value(&'a Value),
    /// One byte of a string, which is what a wildcard makes of a string.
    Byte(u8),
}

impl<'a> Item<'a> {
    /// The kind of the value, with an article.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Value(Value::Null) => "null",
            Self::Value(Value::Bool(_)) => "a boolean",
            Self::Value(Value::Number(_)) | Self::Byte(_) => "a number",
            Self::Value(Value::String(_)) => "a string",
            Self::Value(Value::Array(_)) => "a list",
            Self::Value(Value::Object(_)) => "an object",
        }
    }

    pub(crate) fn get(self, key: &str) -> Option<Self> {
        match self {
            Self::Value(Value::Object(object)) => object.get(key).map(Self::Value),
            _ => None,
        }
    }

    /// Members in the order of their keys, elements in theirs, and the bytes of a string.
    pub(crate) fn children(self) -> Vec<Item<'a>> {
        match self {
            Self::Value(Value::Object(object)) => {
                let mut members: Vec<_> = object.iter().collect();
                members.sort_unstable_by_key(|(key, _)| *key);
                members
                    .into_iter()
                    .map(|(_, value)| Self::Value(value))
                    .collect()
            }
            Self::Value(Value::Array(list)) => list.iter().map(Self::Value).collect(),
            Self::Value(Value::String(text)) => text.bytes().map(Self::Byte).collect(),
            _ => Vec::new(),
        }
    }
}
