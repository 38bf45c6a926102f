//! A JSON value, and how one is put together.

use std::borrow::Cow;

use crate::terminal::quoted;

/// Deepest nesting accepted.
pub const MAX_DEPTH: usize = 256;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(Cow<'a, str>),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object, in order, without duplicates.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    /// The text of a valid array or object, as it was written.
    Unread(&'a str),
}

/// Why a value cannot be copied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Nesting is deeper than [`MAX_DEPTH`].
    #[error("it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// An object has the same key twice.
    #[error("an object has the key {} twice", quoted(key))]
    Duplicate {
        /// The key.
        key: String,
    },
    /// The text is not JSON, or a string holds half a surrogate pair.
    #[error("it is not valid JSON at byte {at}")]
    Syntax {
        /// Offset in bytes.
        at: usize,
    },
}

impl<'a> Json<'a> {
    /// An array of strings.
    pub fn strings<S: Into<Cow<'a, str>>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::Array(
            items
                .into_iter()
                .map(|item| Self::String(item.into()))
                .collect(),
        )
    }

    /// An object of strings.
    pub fn text_object<K, V>(members: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<Cow<'a, str>>,
        V: Into<Cow<'a, str>>,
    {
        let members = members.into_iter();
        Self::Object(
            members
                .map(|(key, value)| (key.into(), Self::String(value.into())))
                .collect(),
        )
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::String(Cow::Owned(text))
    }
}

impl From<bool> for Json<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json<'_> {
    fn from(value: i64) -> Self {
        Self::Number(Cow::Owned(value.to_string()))
    }
}

/// An object under construction, for members that are left out when they are empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// Adds a member.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<Json<'a>>) -> Self {
        self.0.push((Cow::Borrowed(key), value.into()));
        self
    }

    /// Adds a member unless it is an empty string, array or object, or `null`.
    pub(crate) fn with_some(self, key: &'static str, value: impl Into<Json<'a>>) -> Self {
        let value = value.into();
        let is_empty = match &value {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.is_empty(),
            Json::Bool(_) | Json::Number(_) | Json::Unread(_) => false,
        };
        if is_empty {
            self
        } else {
            self.with(key, value)
        }
    }
}

impl<'a> From<Object<'a>> for Json<'a> {
    fn from(object: Object<'a>) -> Self {
        Self::Object(object.0)
    }
}

impl<'a> From<Vec<Json<'a>>> for Json<'a> {
    fn from(items: Vec<Json<'a>>) -> Self {
        Self::Array(items)
    }
}
