//! Secrets of the cluster: read as they are sent, decoded entry by entry, wiped when dropped.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::call::{Call, CallError};
use super::path::{ApiPath, Resource};

/// A secret with its entries still encoded.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Secret {
    metadata: Metadata,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    data: Option<BTreeMap<String, Zeroizing<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    uid: String,
    annotations: Option<BTreeMap<String, String>>,
}

/// Why a secret is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The API server refused or did not respond.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The response is no secret, or an entry is not base64. Nothing of it is repeated.
    #[error(transparent)]
    Malformed(#[from] MalformedSecret),
}

/// What is wrong with a secret, without any of its content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MalformedSecret {
    /// The object is something else.
    #[error("it is not a secret")]
    Object,
    /// One entry cannot be decoded.
    #[error("its entry {0} is not base64")]
    Entry(String),
}

impl Secret {
    /// Reads a secret from the cluster.
    pub(crate) async fn read(
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Self, SecretError> {
        let path = ApiPath::within(namespace, Resource::SECRETS).object(name);
        let call = Call::get(format!("read secret {namespace}/{name}"), path);
        Ok(Self::parse(&call.send(client).await?)?)
    }

    /// The secret in an object that the API server sent.
    pub(crate) fn parse(object: &[u8]) -> Result<Self, MalformedSecret> {
        // the source is left out: it may quote a value
        serde_json::from_slice(object).map_err(|_| MalformedSecret::Object)
    }

    /// The uid of the object.
    pub(crate) fn uid(&self) -> &str {
        &self.metadata.uid
    }

    /// Annotations by name.
    pub(crate) fn annotations(&self) -> BTreeMap<String, String> {
        self.metadata.annotations.clone().unwrap_or_default()
    }

    /// All entries, decoded.
    pub(crate) fn entries(&self) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, MalformedSecret> {
        self.decoded(|_| true)
    }

    /// The names of all entries.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.data.iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The entries of these names, decoded; those that do not exist are left out.
    pub(crate) fn entries_of(
        &self,
        names: &[&str],
    ) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, MalformedSecret> {
        self.decoded(|name| names.contains(&name))
    }

    fn decoded(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, MalformedSecret> {
        let entries = self.data.iter().flatten();
        let wanted = entries.filter(|(name, _)| is_wanted(name));
        let decode = |(name, value): (&String, &Zeroizing<String>)| {
            let value = STANDARD.decode(value.as_bytes());
            let value = value.map_err(|_| MalformedSecret::Entry(name.clone()))?;
            Ok((name.clone(), Zeroizing::new(value)))
        };
        wanted.map(decode).collect()
    }
}
