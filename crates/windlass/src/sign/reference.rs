//! A key reference: the location of a key, as typed after `--key`.
//!
//! `k8s://namespace/name` is a secret with cosign's entries (or `x509.pem`), `env://NAME` an
//! environment variable, `-` standard input, `https://...` a public key on a server, `hashivault://NAME` and
//! the like a key in a service or of a plugin, and what names no scheme a file. The entries of a secret are
//! read by the rules that the controller reads them by.

use std::io;
use std::str::FromStr;

use windlass_core::key::{CosignError, KeyError, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use super::entries::{self, COSIGN_PUB, Entries, EntriesError, X509_KEY};
use super::kms::Kms;
use super::kms::means::Means;
use super::kms::reference::Reference;
use super::password;
use crate::cluster::Connection;
use crate::input::Input;
use crate::public_url::PublicUrl;

pub(crate) use self::error::KeyRefError;
pub(crate) use self::location::Location;

mod error;
mod location;
mod secret;

/// Largest file that is taken for a key.
const FILE_LIMIT: usize = 1024 * 1024;
/// Largest response that is taken for one.
const URL_LIMIT: usize = 64 << 10;

/// Schemes that are written without slashes as well, or by mistake. A file of such a name is typed as
/// `./NAME`.
/// Entries of a secret that an error names.
const MOST_NAMES: usize = 3;
const BARE_SCHEMES: [&str; 2] = ["k8s", "env"];

/// Where a key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyRef {
    /// A Kubernetes secret.
    Secret(Location),
    /// An environment variable that holds the PEM text.
    Environment(String),
    /// A URL that the PEM text of a public key is at.
    Url(PublicUrl),
    /// A key in a key management service.
    Service(Reference),
    /// A file that holds the PEM text, or standard input, typed as `-`.
    File(Input),
}

impl FromStr for KeyRef {
    type Err = KeyRefError;

    fn from_str(text: &str) -> Result<Self, KeyRefError> {
        match text.split_once("://") {
            // a path in it may begin with slashes
            Some(_) if text.starts_with("pkcs11:") => Ok(Self::Service(text.parse()?)),
            Some(("k8s", place)) => Ok(Self::Secret(place.parse()?)),
            Some(("env", "")) => Err(KeyRefError::NoVariable),
            Some(("env", name)) => Ok(Self::Environment(name.to_owned())),
            Some(("https" | "http", _)) => Ok(Self::Url(PublicUrl::parse(text)?)),
            Some((scheme, _)) if Reference::is_meant(scheme) => Ok(Self::Service(text.parse()?)),
            Some((scheme, _)) => Err(unsupported(scheme, "://")),
            None if text.is_empty() => Err(KeyRefError::Empty),
            None if text.starts_with("pkcs11:") => Ok(Self::Service(text.parse()?)),
            None => match text.split_once(':') {
                Some((scheme, _)) if BARE_SCHEMES.contains(&scheme) => {
                    Err(unsupported(scheme, ":"))
                }
                _ => Ok(Self::File(Input::of(text))),
            },
        }
    }
}

fn unsupported(scheme: &str, separator: &str) -> KeyRefError {
    KeyRefError::Scheme {
        scheme: format!("{scheme}{separator}"),
    }
}

impl KeyRef {
    /// The public key: `cosign.pub` of a secret, a PEM text with a public key or a certificate, or
    /// the other half of a private key, which may need its password. What a user should know of the
    /// choice among several keys is added to `warnings`.
    pub(crate) async fn load_public(
        &self,
        connection: &Connection,
        warnings: &mut Vec<String>,
    ) -> Result<PublicKey, KeyRefError> {
        match self {
            Self::Secret(location) => {
                let entries = secret::read(location, connection).await?;
                let key = public_of(location, &entries)?;
                warnings.extend(second_key(location, &entries));
                Ok(key)
            }
            Self::Environment(name) => public_from(&variable(name)?, self.origin()),
            Self::Url(url) => {
                let origin = || self.origin();
                let fetched = url.fetch(URL_LIMIT).await;
                let text = fetched.map_err(|source| KeyRefError::Url {
                    origin: origin(),
                    source,
                })?;
                PublicKey::from_pem(&text).map_err(|source| KeyRefError::NotPublic {
                    origin: origin(),
                    source,
                })
            }
            Self::Service(reference) => {
                let opened = Box::pin(Kms::open(reference, &Means::of_environment())).await;
                let key = opened.map_err(|error| KeyRefError::service(reference, error))?;
                Ok(key.public_key().clone())
            }
            Self::File(path) => public_from(&file(path)?, self.origin()),
        }
    }

    /// The private key, decrypted.
    pub(crate) async fn load_private(
        &self,
        connection: &Connection,
        warnings: &mut Vec<String>,
    ) -> Result<PrivateKey, KeyRefError> {
        match self {
            Self::Secret(location) => {
                let entries = secret::read(location, connection).await?;
                let key = private_of(location, &entries)?;
                warnings.extend(second_key(location, &entries));
                Ok(key)
            }
            Self::Environment(name) => private_from(&variable(name)?, self.origin()),
            Self::Url(_) => Err(KeyRefError::PrivateUrl),
            Self::Service(reference) => Err(KeyRefError::InService {
                reference: reference.to_string(),
            }),
            Self::File(path) => private_from(&file(path)?, self.origin()),
        }
    }

    fn origin(&self) -> String {
        match self {
            Self::Secret(location) => location.to_string(),
            Self::Environment(name) => format!("environment variable {name}"),
            Self::Url(url) => url.to_string(),
            Self::Service(reference) => reference.to_string(),
            Self::File(Input::Stdin) => Input::Stdin.to_string(),
            Self::File(path) => format!("file {path}"),
        }
    }
}

fn public_of(location: &Location, entries: &Entries) -> Result<PublicKey, KeyRefError> {
    entries::public_key(entries).map_err(|error| unusable(location, entries, error))
}

fn private_of(location: &Location, entries: &Entries) -> Result<PrivateKey, KeyRefError> {
    entries::private_key(entries).map_err(|error| unusable(location, entries, error))
}

/// Names the key that the other entries of a secret make up, if there are two keys in it.
fn second_key(location: &Location, entries: &Entries) -> Option<String> {
    entries::second_key(entries).map(|unused| {
        format!(
            "{location} has two keys: {X509_KEY} is the one that signs, and {unused} is not used; \
             remove one of them"
        )
    })
}

/// The names of the first few entries of a secret, which say what it is for.
fn found(entries: &Entries) -> String {
    let names: Vec<&str> = entries
        .keys()
        .take(MOST_NAMES)
        .map(String::as_str)
        .collect();
    match (names.join(", "), entries.len() > MOST_NAMES) {
        (names, _) if names.is_empty() => "it is empty".to_owned(),
        (names, false) => format!("it has {names}"),
        (names, true) => format!("it has {names} and others"),
    }
}

fn unusable(location: &Location, entries: &Entries, error: EntriesError) -> KeyRefError {
    let location = location.clone();
    match error {
        EntriesError::NoKey => KeyRefError::NoKey {
            location,
            found: found(entries),
        },
        EntriesError::Unusable {
            file: COSIGN_PUB,
            source,
        } if !matches!(source, KeyError::Empty { .. }) => KeyRefError::NotPublic {
            origin: format!("{COSIGN_PUB} of {location}"),
            source,
        },
        source => KeyRefError::Entries {
            location,
            source: Box::new(source),
        },
    }
}

fn is_private(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains("PRIVATE KEY-----")
}

fn public_from(text: &[u8], origin: String) -> Result<PublicKey, KeyRefError> {
    if is_private(text) {
        return private_from(text, origin).map(|key| key.public_key().clone());
    }
    PublicKey::from_pem(text).map_err(|source| match source {
        KeyError::Empty { .. } => KeyRefError::Unusable { origin, source },
        source => KeyRefError::NotPublic { origin, source },
    })
}

fn private_from(text: &[u8], origin: String) -> Result<PrivateKey, KeyRefError> {
    let encrypted = String::from_utf8_lossy(text);
    let encrypted = ["SIGSTORE", "COSIGN"]
        .iter()
        .any(|name| encrypted.contains(&format!("BEGIN ENCRYPTED {name} PRIVATE KEY")));
    let loaded = if encrypted {
        let prompt = format!("Enter password for private key in {origin}: ");
        let password = password::ask(&prompt).map_err(KeyRefError::Password)?;
        match PrivateKey::from_cosign(text, &password) {
            Err(KeyError::Cosign(CosignError::Password { .. })) if password.is_empty() => {
                return Err(KeyRefError::NoPassword { origin });
            }
            loaded => loaded,
        }
    } else {
        PrivateKey::from_x509_pem(text)
    };
    loaded.map_err(|source| KeyRefError::Unusable { origin, source })
}

fn variable(name: &str) -> Result<Zeroizing<Vec<u8>>, KeyRefError> {
    match std::env::var_os(name) {
        Some(value) => Ok(Zeroizing::new(value.into_encoded_bytes())),
        None => Err(KeyRefError::Unset {
            name: name.to_owned(),
        }),
    }
}

fn file(input: &Input) -> Result<Zeroizing<Vec<u8>>, KeyRefError> {
    let content = input.read(FILE_LIMIT).map(Zeroizing::new);
    content.map_err(|source| {
        let input = input.clone();
        match source.kind() {
            io::ErrorKind::FileTooLarge => KeyRefError::TooLarge { input },
            _ => KeyRefError::File { input, source },
        }
    })
}

#[cfg(test)]
mod tests;
