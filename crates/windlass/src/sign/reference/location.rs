//! The location of a secret that holds a key pair, typed as `namespace/name`.

use std::fmt;
use std::str::FromStr;

/// A place that names no namespace and secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// It has not two parts.
    #[error("`k8s://{0}` is not a key reference; write k8s://<namespace>/<secret>")]
    Form(String),
    /// A part of it is no name.
    #[error(
        "`k8s://{place}` is not a key reference: {name:?} cannot be the name of a {what}, which has \
         lower-case letters, digits, '-' and '.'; write k8s://<namespace>/<secret>"
    )]
    Name {
        /// What follows the scheme.
        place: String,
        /// The part.
        name: String,
        /// What it should name.
        what: &'static str,
    },
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
            part.chars().all(rest)
        };
        let parts = place.split_once('/');
        let parts = parts.filter(|(namespace, name)| {
            !namespace.is_empty() && !name.is_empty() && !name.contains('/')
        });
        let (namespace, name) = parts.ok_or_else(|| PlaceError::Form(place.to_owned()))?;
        for (name, what) in [(namespace, "namespace"), (name, "secret")] {
            if !legal(name) {
                return Err(PlaceError::Name {
                    place: place.to_owned(),
                    name: name.to_owned(),
                    what,
                });
            }
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
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
