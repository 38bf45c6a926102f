//! The location of a secret that holds a key pair, typed as `namespace/name`.

use std::fmt;
use std::str::FromStr;

/// A place that names no namespace and secret.
#[derive(Debug, thiserror::Error)]
#[error("`k8s://{place}` is not a key reference; write k8s://<namespace>/<secret>")]
pub(crate) struct PlaceError {
    /// What follows the scheme.
    place: String,
}

/// A secret's place, typed as `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl FromStr for Location {
    type Err = PlaceError;

    fn from_str(place: &str) -> Result<Self, PlaceError> {
        let legal = |part: &str| {
            let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            !part.is_empty() && part.chars().all(rest)
        };
        match place.split_once('/') {
            Some((namespace, name)) if legal(namespace) && legal(name) => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(PlaceError {
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
}
