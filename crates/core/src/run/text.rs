//! Text, maps and lists borrowed from a run's document wherever JSON allows it.
//!
//! A string without escapes is a slice of the document; only an escaped one is copied. `null`
//! counts as empty everywhere, as it does for the Go types of these documents.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Deref;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::terminal::quoted;

/// A string of the document: borrowed when it has no escapes, empty when `null`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(Cow<'a, str>);

/// A map from string to string, in the order of the document, without duplicates.
pub type Map<'a> = IndexMap<Text<'a>, Text<'a>>;

impl<'a> Text<'a> {
    /// The text itself, for as long as the document lives when it is borrowed.
    pub fn as_cow(&self) -> &Cow<'a, str> {
        &self.0
    }

    /// The text, owned only if it was.
    pub(crate) fn into_cow(self) -> Cow<'a, str> {
        self.0
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }
}

/// Reads a value for which `null` means the default.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads an object for which `null` means none. Derived code alone would take an array for it too.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(access)).map(Some)
        }
    }

    deserializer.deserialize_any(Object(PhantomData))
}

/// An object for which `null` means the default.
#[derive(Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(object(deserializer)?.unwrap_or_default()))
    }
}

/// Reads an object for which `null` means the default.
pub(crate) fn object_or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Object::deserialize(deserializer).map(|object| object.0)
}

/// Reads a time for which `null` means none.
pub(crate) fn time<'de, D>(deserializer: D) -> Result<Option<Timestamp>, D::Error>
where
    D: Deserializer<'de>,
{
    let Some(text) = Option::<Text<'de>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    timestamp(&text).map(Some).map_err(D::Error::custom)
}

/// A point in time in RFC 3339. Digits beyond the nanosecond are dropped, as Go does.
pub(crate) fn timestamp(text: &str) -> Result<Timestamp, jiff::Error> {
    let Some(point) = text.find(['.', ',']) else {
        return text.parse();
    };
    let fraction = &text[point + 1..];
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 9 {
        return text.parse();
    }
    format!("{}{}", &text[..point + 10], &fraction[digits..]).parse()
}

/// Reads an array of strings for which `null` means empty.
pub(crate) fn list<'de: 'a, 'a, D>(deserializer: D) -> Result<Vec<Text<'a>>, D::Error>
where
    D: Deserializer<'de>,
{
    nullable(deserializer)
}

/// Reads an array of objects for which `null` means empty; a `null` item means the default.
pub(crate) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    struct Objects<T>(PhantomData<T>);

    impl<'de, T: Default + Deserialize<'de>> Visitor<'de> for Objects<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(Object(item)) = seq.next_element()? {
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_any(Objects(PhantomData))
}

/// Reads a map for which `null` means empty; a key that occurs twice is an error.
pub(crate) fn map<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Map<'a>, D::Error> {
    struct Entries<'a>(PhantomData<&'a ()>);

    impl<'de: 'a, 'a> Visitor<'de> for Entries<'a> {
        type Value = Map<'a>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of strings")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Map::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut entries = Map::new();
            while let Some((key, value)) = access.next_entry::<Text<'a>, Text<'a>>()? {
                if entries.contains_key(&key) {
                    return Err(A::Error::custom(format_args!(
                        "duplicate key {}",
                        quoted(&key)
                    )));
                }
                entries.insert(key, value);
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_any(Entries(PhantomData))
}
