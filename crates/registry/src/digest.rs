//! Digests: the hash that names a manifest or a blob.
//! Source: OCI image specification 1.1, "Digests". sha256 and sha512 are read, sha256 is computed.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

/// `sha256:` and 64, or `sha512:` and 128, lower-case hex digits.
///
/// ```
/// use windlass_registry::Digest;
///
/// let digest = Digest::of(b"{}");
/// assert_eq!(digest.algorithm(), "sha256");
/// assert_eq!(Digest::parse(digest.as_str())?, digest);
/// assert!(digest.names(b"{}") && !digest.names(b"[]"));
/// assert!(Digest::parse("latest").is_err());
/// # Ok::<(), windlass_registry::DigestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// The text is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is sha256: and 64, or sha512: and 128, lower-case hex digits")]
pub struct DigestError;

impl Digest {
    /// Reads a digest.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError)?;
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return Err(DigestError),
        };
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() != length || !hex.bytes().all(is_hex) {
            return Err(DigestError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The sha256 digest of some content.
    pub fn of(content: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(content))))
    }

    /// Whether this is the digest of the content.
    pub fn names(&self, content: &[u8]) -> bool {
        let found = match self.algorithm() {
            "sha512" => hex(&Sha512::digest(content)),
            _ => hex(&Sha256::digest(content)),
        };
        found == self.hex()
    }

    /// `sha256` or `sha512`.
    pub fn algorithm(&self) -> &str {
        self.0
            .split_once(':')
            .map_or("", |(algorithm, _)| algorithm)
    }

    /// The hex digits.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// Algorithm, colon and hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Computes the digest of content that comes in pieces, in the algorithm of another digest.
#[derive(Debug, Clone)]
pub struct Hasher(Algorithm);

#[derive(Debug, Clone)]
enum Algorithm {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Begins a digest that can be compared with this one.
    ///
    /// ```
    /// use windlass_registry::{Digest, Hasher};
    ///
    /// let digest = Digest::of(b"content");
    /// let mut hasher = Hasher::like(&digest);
    /// hasher.update(b"con");
    /// hasher.update(b"tent");
    /// assert_eq!(hasher.finish(), digest);
    /// ```
    pub fn like(digest: &Digest) -> Self {
        Self(match digest.algorithm() {
            "sha512" => Algorithm::Sha512(Sha512::new()),
            _ => Algorithm::Sha256(Sha256::new()),
        })
    }

    /// Takes the next piece in.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            Algorithm::Sha256(hash) => hash.update(piece),
            Algorithm::Sha512(hash) => hash.update(piece),
        }
    }

    /// The digest of all pieces together.
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            Algorithm::Sha256(hash) => format!("sha256:{}", hex(&hash.finalize())),
            Algorithm::Sha512(hash) => format!("sha512:{}", hex(&hash.finalize())),
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_object_has_the_digest_the_specification_states() {
        let digest = Digest::of(b"{}");
        let stated = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(digest.as_str(), stated);
        assert!(digest.names(b"{}") && !digest.names(b"[]"));
    }

    #[test]
    fn a_sha512_digest_is_checked_too() {
        let text = format!("sha512:{}", hex(&Sha512::digest(b"x")));
        assert!(Digest::parse(&text).unwrap().names(b"x"));
        assert!(!Digest::parse(&text).unwrap().names(b"y"));
    }

    #[test]
    fn other_algorithms_lengths_and_letters_are_refused() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for text in [
            "",
            "sha256:",
            "sha256:12",
            "md5:0123",
            upper.as_str(),
            "../../x",
        ] {
            assert_eq!(Digest::parse(text), Err(DigestError), "{text}");
        }
    }
}
