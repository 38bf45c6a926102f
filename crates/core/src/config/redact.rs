//! Values that must not be shown: tokens, and addresses that may carry credentials.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

use crate::terminal::quoted_start;

/// A key that has a word of secrets in its name, and lists hosts.
pub(super) const TOKEN_SERVICES: &str = "registries.token-services";
/// Longest value that an error shows, in characters.
pub(super) const SHOWN: usize = 60;

/// A value as an error may show it.
pub(super) fn quoted(key: &str, value: &str) -> String {
    let mut words = ["token", "password", "secret"].iter();
    if key != TOKEN_SERVICES && words.any(|word| key.contains(word)) {
        return "[redacted]".to_owned();
    }
    quoted_start(value, SHOWN)
}

/// A secret value. `Debug` does not show it; memory is wiped on drop.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Token {
    fn from(secret: &str) -> Self {
        Self(Zeroizing::new(secret.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "[none]"
        } else {
            "[redacted]"
        })
    }
}

/// An address. `Debug` and `Display` leave out user, password and query.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// The address in full, credentials included.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Deref for Endpoint {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Endpoint {
    fn from(address: &str) -> Self {
        Self(address.to_owned())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = match self.0.find("://") {
            Some(at) => self.0.split_at(at + 3),
            None => ("", self.0.as_str()),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, _)) => (rest, "?[redacted]"),
            None => (rest, ""),
        };
        // A password may itself hold `/`, so everything up to the last `@` goes.
        let (user, host) = match rest.rsplit_once('@') {
            Some((_, host)) => ("[redacted]@", host),
            None => ("", rest),
        };
        write!(f, "{scheme}{user}{host}{query}")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}
