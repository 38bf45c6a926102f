//! A digest names content by what it is: an algorithm, a colon and lower-case hexadecimal digits.
//! Source: OCI image specification 1.1, "Digests"; the registered algorithms are the ones taken.

use std::fmt;

use sha2::{Digest as _, Sha256, Sha512};

use crate::random::hex;

/// A well-formed digest of a registered algorithm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Digest(String);

impl Digest {
    /// Reads `sha256:…` or `sha512:…`; anything else is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (algorithm, encoded) = text.split_once(':')?;
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return None,
        };
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let well_formed = encoded.len() == length && encoded.bytes().all(lower_hex);
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The SHA-256 digest of some content.
    pub(crate) fn of(content: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(content))))
    }

    /// Whether this names that content.
    pub(crate) fn names(&self, content: &[u8]) -> bool {
        if self.0.starts_with("sha512:") {
            return self.0 == format!("sha512:{}", hex(&Sha512::digest(content)));
        }
        *self == Self::of(content)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
