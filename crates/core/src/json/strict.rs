//! JSON that every parser understands in the same way: UTF-8 throughout, no member twice.
//!
//! Of two members with one name, some parsers take the first and some the last; of bytes that are
//! not UTF-8, some read on where nobody looks. What is verified, or compared with what was signed,
//! is checked for both before it is read. Nothing is built: the check needs memory for the names in
//! the objects that are open.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Flaw;
use crate::terminal::quoted;

/// Why a text is not such JSON.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StrictError {
    /// It is not text: this many bytes are.
    #[error("it is not valid UTF-8 from byte {0} on")]
    Utf8(usize),
    /// It is not JSON, or has a member twice, which the error names.
    #[error("{0}")]
    Json(Flaw),
}

/// The text, if it is one JSON value in which no object has a member twice.
///
/// ```
/// use windlass_core::json::strict;
///
/// assert!(strict(br#"{"status":{},"items":[{"status":{}}]}"#).is_ok());
/// let error = strict(br#"{"a":[{"status":1,"stat\u0075s":2}]}"#).unwrap_err();
/// assert!(error.to_string().contains("the member \"status\" is there twice"));
/// ```
pub fn strict(text: &[u8]) -> Result<&str, StrictError> {
    let text = str::from_utf8(text).map_err(|error| StrictError::Utf8(error.valid_up_to()))?;
    serde_json::from_str::<Strict>(text).map_err(|error| StrictError::Json(error.into()))?;
    Ok(text)
}

/// Any value without a member that is there twice.
struct Strict;

#[derive(PartialEq, Eq, Hash, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        while items.next_element::<Strict>()?.is_some() {}
        Ok(Strict)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut names = HashSet::new();
        while let Some(Name(name)) = members.next_key::<Name<'de>>()? {
            if names.contains(&name) {
                return Err(Error::custom(format!(
                    "the member {} is there twice",
                    quoted(&name)
                )));
            }
            members.next_value::<Strict>()?;
            names.insert(name);
        }
        Ok(Strict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_there_twice_is_named_wherever_it_is() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":null,"b":2,"\u0061":null}"#,
            r#"[[{"x":{"a":{},"a":[]}}]]"#,
        ] {
            let error = strict(text.as_bytes()).unwrap_err().to_string();
            assert!(
                error.contains(r#"the member "a" is there twice"#),
                "{error}"
            );
        }
        assert!(strict(br#"[{"a":1},{"a":{"a":-1.5e3}},"a",true]"#).is_ok());
    }

    #[test]
    fn what_is_no_single_json_value_or_not_utf_8_is_refused() {
        for text in [
            &b""[..],
            b"{",
            b"{} {}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
        ] {
            assert!(strict(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let text = "[".repeat(100_000);
        assert!(strict(text.as_bytes()).is_err());
    }
}
