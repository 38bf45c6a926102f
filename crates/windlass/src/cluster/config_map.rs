//! Config maps: read by name, and parsed wherever they come from.

use std::collections::BTreeMap;

use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use windlass_core::json::Flaw;

use super::call::{Call, CallError};
use super::path::{ApiPath, Resource};

/// A ConfigMap without what nobody reads.
#[derive(Debug, Default)]
pub(crate) struct ConfigMap {
    /// The uid of the object; empty in a file that was written by hand.
    pub(crate) uid: String,
    /// Its entries; those that are null are empty.
    pub(crate) data: BTreeMap<String, String>,
}

/// Why a ConfigMap is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigMapError {
    /// The API server refused or did not respond.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The response is something else.
    #[error("cannot use config map {place}")]
    Malformed {
        /// Namespace and name.
        place: String,
        /// What is wrong with it.
        source: MalformedConfigMap,
    },
}

/// What is wrong with a ConfigMap.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MalformedConfigMap {
    /// The object is something else.
    #[error("it is not a config map")]
    Object(#[from] Flaw),
    /// A value is a number, a list or the like.
    #[error("the value of {0} is not a string; put it in quotes")]
    Entry(String),
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    metadata: Metadata,
    data: Option<BTreeMap<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    uid: String,
}

impl ConfigMap {
    /// Reads a ConfigMap from the cluster.
    pub(crate) async fn read(
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Self, ConfigMapError> {
        let place = format!("{namespace}/{name}");
        let path = ApiPath::within(namespace, Resource::CONFIG_MAPS).object(name);
        let call = Call::get(format!("read config map {place}"), path);
        let object = call.send(client).await?;
        Self::parse(&object).map_err(|source| ConfigMapError::Malformed { place, source })
    }

    /// The ConfigMap in an object, given as JSON.
    pub(crate) fn parse(object: &[u8]) -> Result<Self, MalformedConfigMap> {
        let Object { metadata, data } = serde_json::from_slice(object).map_err(Flaw::from)?;
        let entries = data.into_iter().flatten();
        let data = entries.map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            Value::Null => Ok((key, String::new())),
            _ => Err(MalformedConfigMap::Entry(key)),
        });
        Ok(Self {
            uid: metadata.uid,
            data: data.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigMap, MalformedConfigMap> {
        ConfigMap::parse(text.as_bytes())
    }

    #[test]
    fn a_config_map_may_have_no_entries_and_empty_ones() {
        assert!(parse("{}").unwrap().data.is_empty());
        assert!(parse(r#"{"data":null}"#).unwrap().data.is_empty());
        let map = parse(r#"{"metadata":{"uid":"u"},"data":{"a":null,"b":"c"}}"#).unwrap();
        assert_eq!((map.data["a"].as_str(), map.data["b"].as_str()), ("", "c"));
        assert_eq!(map.uid, "u");
    }

    #[test]
    fn a_value_that_is_not_text_is_named() {
        let error = parse(r#"{"data":{"transparency.enabled":true}}"#).unwrap_err();
        assert!(
            error.to_string().contains("transparency.enabled"),
            "{error}"
        );
        assert!(parse(r#"{"data":[]}"#).is_err());
    }
}
