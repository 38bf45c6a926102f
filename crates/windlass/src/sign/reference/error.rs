//! Errors of key references.

use std::io;

use windlass_core::key::KeyError;

use super::location::{Location, PlaceError};
use crate::cluster::ConnectError;
use crate::cluster::secret::SecretError;
use crate::input::Input;
use crate::public_url::UrlError;
use crate::sign::entries::EntriesError;
use crate::sign::kms::error::KmsError;
use crate::sign::kms::reference::Reference;
use crate::sign::kms::reference::error::ReferenceError;

/// Errors of key references.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyRefError {
    /// `k8s://` without exactly a namespace and a name.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A scheme that is not known here.
    #[error(
        "keys at `{scheme}` are not supported; give a file, k8s://<namespace>/<secret>, \
         env://<variable>, or the key of a service, as in awskms://, gcpkms://, azurekms://, \
         hashivault://, openbao:// or pkcs11:"
    )]
    Scheme {
        /// The scheme as it was typed, with what separates it from the rest.
        scheme: String,
    },
    /// `env://` without a variable.
    #[error("`env://` names no environment variable; write env://<variable>")]
    NoVariable,
    /// Nothing was typed.
    #[error(
        "the key reference is empty; give a file, k8s://<namespace>/<secret> or env://<variable>"
    )]
    Empty,
    /// The cluster could not be reached at all.
    #[error("cannot read {location}")]
    Connect {
        /// The secret.
        location: Location,
        /// Why there is no connection.
        #[source]
        source: ConnectError,
    },
    /// No such secret.
    #[error("{location} does not exist; create it with `windlass generate-key-pair {}`", location.reference())]
    Missing {
        /// The secret.
        location: Location,
    },
    /// The API server refuses.
    #[error("not allowed to read {location}; ask for `get` on secrets in that namespace")]
    Forbidden {
        /// The secret.
        location: Location,
    },
    /// Any other answer, or none.
    #[error("cannot read {location}")]
    Api {
        /// The secret.
        location: Location,
        /// What the API server or the connection said.
        #[source]
        source: Box<SecretError>,
    },
    /// The secret is there, the key is not.
    #[error(
        "{location} contains no key ({found}; looked for cosign.pub, x509.pem and cosign.key); fill it \
         with `windlass generate-key-pair {}`", location.reference()
    )]
    NoKey {
        /// The secret.
        location: Location,
        /// What it contains instead.
        found: String,
    },
    /// The secret holds a key that cannot be used.
    #[error("cannot use the key of {location}")]
    Entries {
        /// The secret.
        location: Location,
        /// What is wrong with its entries.
        #[source]
        source: Box<EntriesError>,
    },
    /// The environment variable is not set.
    #[error("the environment variable {name} is not set")]
    Unset {
        /// Its name.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the key {}", named(input))]
    File {
        /// The file, or standard input.
        input: Input,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is far larger than any key.
    #[error("{input} is larger than 1 MiB; that is not a key")]
    TooLarge {
        /// The file, or standard input.
        input: Input,
    },
    /// The key is encrypted with a password, and the one that was given is empty.
    #[error(
        "cannot use the key from {origin}: the password does not decrypt the key; the password is empty: \
         set COSIGN_PASSWORD, or pipe the password in"
    )]
    NoPassword {
        /// Where the key is from.
        origin: String,
    },
    /// What was typed as a URL is none that a key is fetched from.
    #[error(transparent)]
    BadUrl(#[from] UrlError),
    /// The key could not be fetched.
    #[error("cannot read the key at {origin}")]
    Url {
        /// Its URL.
        origin: String,
        /// Why there is none.
        #[source]
        source: UrlError,
    },
    /// What was typed names no key in a service.
    #[error(transparent)]
    BadReference(#[from] ReferenceError),
    /// The key in a service could not be used.
    #[error("cannot use the key {reference}")]
    Service {
        /// The key.
        reference: String,
        /// Why.
        #[source]
        source: Box<KmsError>,
    },
    /// A private key is needed, and it stays where it is.
    #[error("the private key {reference} does not leave its service; give a file")]
    InService {
        /// The key.
        reference: String,
    },
    /// A private key is needed, and a URL was given.
    #[error(
        "a private key is not fetched from a URL; give a file, k8s://<namespace>/<secret> or env://<variable>"
    )]
    PrivateUrl,
    /// No password could be had.
    #[error("cannot read the key's password")]
    Password(#[source] io::Error),
    /// The private key, or the password that goes with it, is of no use.
    #[error("cannot use the key from {origin}")]
    Unusable {
        /// Where it was read.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// What should be a public key was read but is not one: damaged, or the wrong thing.
    #[error("cannot use the key from {origin}")]
    NotPublic {
        /// Where it was read.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
}

fn named(input: &Input) -> String {
    match input {
        Input::Stdin => format!("from {input}"),
        Input::File(_) => format!("file {input}"),
    }
}

impl KeyRefError {
    /// A key in a service that could not be used.
    pub(crate) fn service(reference: &Reference, error: KmsError) -> Self {
        Self::Service {
            reference: reference.to_string(),
            source: Box::new(error),
        }
    }
}
