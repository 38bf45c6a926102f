//! The secret that holds a key pair: where it is, and what cosign keeps in it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::KeyRefError;
use crate::cluster::Connection;

/// An unencrypted private key; the controller prefers it to [`COSIGN_KEY`].
pub(crate) const X509_KEY: &str = "x509.pem";
/// cosign's encrypted private key.
pub(crate) const COSIGN_KEY: &str = "cosign.key";
/// The password of [`COSIGN_KEY`], byte for byte.
pub(crate) const COSIGN_PASSWORD: &str = "cosign.password";
/// The public key of [`COSIGN_KEY`].
pub(crate) const COSIGN_PUB: &str = "cosign.pub";

/// A secret's place, typed as `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl FromStr for Location {
    type Err = KeyRefError;

    fn from_str(place: &str) -> Result<Self, KeyRefError> {
        let legal = |part: &str| {
            let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            !part.is_empty() && part.chars().all(rest)
        };
        match place.split_once('/') {
            Some((namespace, name)) if legal(namespace) && legal(name) => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(KeyRefError::Place {
                place: place.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret {} in namespace {}", self.name, self.namespace)
    }
}

impl Location {
    /// The key reference that leads here.
    pub(crate) fn reference(&self) -> String {
        format!("k8s://{}/{}", self.namespace, self.name)
    }

    /// The secrets of this namespace.
    pub(crate) async fn api(&self, connection: &Connection) -> Result<Api<Secret>, KeyRefError> {
        let client = connection
            .connect()
            .await
            .map_err(|source| KeyRefError::Connect {
                location: self.clone(),
                source,
            })?;
        Ok(Api::namespaced(client, &self.namespace))
    }

    /// The entries of the secret.
    pub(super) async fn read(
        &self,
        connection: &Connection,
    ) -> Result<BTreeMap<String, ByteString>, KeyRefError> {
        let api = self.api(connection).await?;
        let secret = api
            .get(&self.name)
            .await
            .map_err(|source| self.refused(source))?;
        Ok(secret.data.unwrap_or_default())
    }

    /// What a failed `get` means.
    pub(crate) fn refused(&self, source: kube::Error) -> KeyRefError {
        let location = self.clone();
        match status(&source) {
            Some(404) => KeyRefError::Missing { location },
            Some(401 | 403) => KeyRefError::Forbidden { location },
            _ => KeyRefError::Api {
                location,
                source: Box::new(source),
            },
        }
    }
}

/// The HTTP status of a refusal.
pub(crate) fn status(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}
