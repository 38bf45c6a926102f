//! JSON as it was written: numbers keep their text and members their order.
//!
//! Parts of a run are copied into payloads that must equal those of other programs, so nothing may
//! be rounded. [`Json::to_go`] and [`Json::to_predicate`] are the two ways in which Tekton Chains
//! writes JSON: docs/behaviour.md, "JSON".

pub use self::flaw::Flaw;
pub use self::object::object;
pub use self::strict::{StrictError, strict};
pub(crate) use self::value::Object;
pub use self::value::{Json, JsonError, MAX_DEPTH};

mod flaw;
mod object;
mod parse;
mod strict;
mod value;
mod write;

#[cfg(test)]
mod tests;

impl<'a> Json<'a> {
    /// Reads a text that holds one value. Objects with duplicate keys are refused.
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        parse::parse(text, &[])
    }

    /// Reads a text like [`Json::parse`], but keeps the text of arrays and objects that are
    /// members with one of these names.
    pub(crate) fn parse_except(
        text: &'a str,
        unread: &'static [&'static str],
    ) -> Result<Self, JsonError> {
        parse::parse(text, unread)
    }

    /// Reads what [`Json::parse_except`] left unread in it.
    pub(crate) fn read(self) -> Self {
        match self {
            // The text was found to be valid when it was passed over.
            Self::Unread(text) => Self::parse(text).unwrap_or(Self::Null),
            Self::Array(items) => Self::Array(items.into_iter().map(Self::read).collect()),
            Self::Object(members) => {
                let members = members.into_iter();
                Self::Object(members.map(|(key, value)| (key, value.read())).collect())
            }
            plain => plain,
        }
    }

    /// Compact, members in order, strings escaped as little as possible.
    pub fn to_compact(&self) -> String {
        write::text(self, write::Style::Compact)
    }

    /// Compact, members sorted by the bytes of their keys, numbers as they are.
    pub fn to_sorted(&self) -> String {
        write::text(self, write::Style::Sorted)
    }

    /// As Go's `encoding/json` writes it: members in order, `<`, `>`, `&` escaped.
    pub fn to_go(&self) -> String {
        write::text(self, write::Style::Go)
    }

    /// As protojson writes a generic struct: members sorted, numbers as doubles.
    pub fn to_predicate(&self) -> String {
        write::text(self, write::Style::Predicate)
    }
}
