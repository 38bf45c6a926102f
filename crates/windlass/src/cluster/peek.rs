//! The identity of an object, read from the beginning of its JSON.
//!
//! The API server sends `metadata` before `spec` and `status`. Reading stops after it, so that the
//! rest may be of any size, or missing because the object was cut.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

/// What names an object. Members that do not exist are empty.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Identity {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(super) resource_version: String,
}

impl Identity {
    /// The identity of an object, as far as its beginning tells.
    pub(crate) fn peek(object: &[u8]) -> Self {
        let mut found = Self::default();
        let mut json = serde_json::Deserializer::from_slice(object);
        // what was found counts, wherever reading ended
        let _ = Seed(&mut found).deserialize(&mut json);
        found
    }

    /// Its namespace and name; empty if they are unknown.
    pub(crate) fn into_place(self) -> (String, String) {
        (self.namespace, self.name)
    }

    /// Its name; empty if that is unknown.
    pub(crate) fn into_name(self) -> String {
        self.name
    }

    /// The object in a sentence about one of these things.
    pub(crate) fn of(&self, what: &str) -> String {
        if self.name.is_empty() {
            return format!("one of the {what}, whose name could not be read,");
        }
        format!("{}/{} among the {what}", self.namespace, self.name)
    }
}

struct Seed<'a>(&'a mut Identity);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            if key == "metadata" {
                *self.0 = members.next_value()?;
                return Err(A::Error::custom("the rest is not needed"));
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_though_the_rest_of_it_is_cut_or_broken() {
        for rest in ["", r#","spec":{"x":"#, ",\u{1}\u{2}", "}"] {
            let object = format!(
                r#"{{"kind":"T","metadata":{{"uid":"u","x":[1],"name":"n","namespace":"ns"}}{rest}"#
            );
            let found = Identity::peek(object.as_bytes());
            let named = (&*found.namespace, &*found.name, &*found.uid);
            assert_eq!(named, ("ns", "n", "u"), "{rest}");
        }
        for other in [
            "",
            "[]",
            "{",
            r#"{"metadata":7}"#,
            r#"{"metadata":{"name":1}}"#,
        ] {
            assert_eq!(Identity::peek(other.as_bytes()), Identity::default());
        }
    }
}
