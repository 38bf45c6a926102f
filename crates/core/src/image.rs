//! Images: a repository and the digest of a manifest in it.
//!
//! References are parsed like the library of Tekton Chains does in its lenient mode:
//! docs/behaviour.md, "Image references".

use std::fmt;
use std::net::Ipv6Addr;

pub use self::pattern::{Fit, Pattern, PatternError};

mod pattern;

/// Registry of references that name none.
const DEFAULT_REGISTRY: &str = "index.docker.io";
/// Alias of the default registry.
const DEFAULT_REGISTRY_ALIAS: &str = "docker.io";
/// Length of the path of a repository.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=255;
/// Hex digits of a short key.
const SHORT_KEY: usize = 12;

/// An image by digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Image {
    registry: String,
    path: String,
    hex: String,
}

/// Why a reference does not name an image by digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// There is no `@`, or more than one.
    #[error("it must have exactly one @, between name and digest")]
    Separator,
    /// The digest is not `sha256:` and 64 lower-case hex digits.
    #[error("its digest is not sha256: and 64 lower-case hex digits")]
    Digest,
    /// There is nothing, or nothing but blanks.
    #[error("it is empty; write REGISTRY/REPOSITORY[:TAG][@DIGEST]")]
    Empty,
    /// The name of the repository is too short or too long.
    #[error("its repository has {0} characters; it must have 2 to 255")]
    Length(usize),
    /// The name of the repository has letters in upper case.
    #[error("its repository has upper case; it must be lower case")]
    UpperCase,
    /// It begins with the scheme of a URL.
    #[error("it begins with a scheme; leave out https://, oci:// or docker://")]
    Scheme,
    /// What follows a colon is neither a port nor a tag at the end.
    #[error(
        "a colon in it is followed by no tag: there is one at most, at the end, with 1 to 128 letters, \
         digits and _ . -"
    )]
    Tag,
    /// The name of the repository has a character that is not allowed.
    #[error("its repository has {0:?}; allowed are a-z, 0-9 and _ . / -")]
    Character(char),
    /// The registry is not a host with an optional port.
    #[error("its registry is not a host with an optional port")]
    Registry,
}

impl Image {
    /// Reads `NAME[:TAG]@sha256:HEX`; the tag is dropped.
    ///
    /// ```
    /// use windlass_core::image::Image;
    ///
    /// let digest = format!("sha256:{}", "2".repeat(64));
    /// let image = Image::parse(&format!("registry.example/team/app:v1@{digest}"))?;
    /// assert_eq!(image.repository(), "registry.example/team/app");
    /// assert_eq!(image.digest(), digest);
    /// assert!(Image::parse("registry.example/team/app:v1").is_err());
    /// # Ok::<(), windlass_core::image::ImageError>(())
    /// ```
    pub fn parse(reference: &str) -> Result<Self, ImageError> {
        let (name, digest) = reference.split_once('@').ok_or(ImageError::Separator)?;
        if digest.contains('@') {
            return Err(ImageError::Separator);
        }
        let hex = digest.strip_prefix("sha256:").ok_or(ImageError::Digest)?;
        if hex.len() != 64 || !hex.bytes().all(is_lower_hex) {
            return Err(ImageError::Digest);
        }
        let (registry, path) = repository(without_tag(name))?;
        Ok(Self {
            registry,
            path,
            hex: hex.to_owned(),
        })
    }

    /// Host and port of the registry.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository's path within the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Registry and path.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// `sha256:` and the hex digits.
    pub fn digest(&self) -> String {
        format!("sha256:{}", self.hex)
    }

    /// The hex digits of the digest.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Key under which the image's signature is kept where space is short: not unique when one
    /// digest is in two repositories.
    pub fn short_key(&self) -> &str {
        &self.hex[..SHORT_KEY]
    }

    /// Key under which the image's signature is kept where names may be long.
    pub fn full_key(&self) -> String {
        self.to_string()
    }

    /// The registry is not a host but the scheme of a URL: `https:`, `oci:`, `docker:`. Chains
    /// accepts this and then fails to push.
    pub fn has_scheme(&self) -> bool {
        self.registry.ends_with(':') && self.path.starts_with('/')
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@sha256:{}", self.registry, self.path, self.hex)
    }
}

pub(crate) fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The name without its tag, if what follows the last colon is one.
pub fn without_tag(name: &str) -> &str {
    let Some((base, tag)) = name.rsplit_once(':') else {
        return name;
    };
    if is_tag(tag) && repository(base).is_ok() {
        base
    } else {
        name
    }
}

fn is_tag(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Registry and path of a repository's name.
pub fn repository(name: &str) -> Result<(String, String), ImageError> {
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("", name),
    };
    let is_allowed =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'-');
    if name.trim().is_empty() {
        return Err(ImageError::Empty);
    }
    if !path.bytes().all(is_allowed) {
        return Err(fault(registry, path));
    }
    if !LENGTHS.contains(&path.len()) {
        return Err(ImageError::Length(path.len()));
    }
    if !is_authority(registry) {
        return Err(ImageError::Registry);
    }
    let registry = match registry {
        "" | DEFAULT_REGISTRY_ALIAS => DEFAULT_REGISTRY,
        other => other,
    };
    let path = match path {
        short if registry == DEFAULT_REGISTRY && !short.contains('/') => format!("library/{short}"),
        path => path.to_owned(),
    };
    // Chains reads the complete name once more.
    if !LENGTHS.contains(&path.len()) {
        return Err(ImageError::Length(path.len()));
    }
    Ok((registry.to_owned(), path))
}

/// What is wrong with a name whose path has a character that is not allowed. A tag at the end of the
/// path is not at fault: it is still there only because what precedes it is no name.
fn fault(registry: &str, path: &str) -> ImageError {
    if registry.ends_with(':') && path.starts_with('/') {
        return ImageError::Scheme;
    }
    let path = match path.rsplit_once(':') {
        Some((base, tag)) if is_tag(tag) => base,
        _ => path,
    };
    let is_allowed =
        |c: &char| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '/' | '-' | ':');
    match path.chars().find(|character| !is_allowed(character)) {
        Some(character) => ImageError::Character(character),
        None if path.contains(':') => ImageError::Tag,
        None if path.contains(|c: char| c.is_ascii_uppercase()) => ImageError::UpperCase,
        None if LENGTHS.contains(&path.len()) => ImageError::Registry,
        None => ImageError::Length(path.len()),
    }
}

/// Whether a URL with this text between `//` and the path keeps it unchanged as its host.
fn is_authority(text: &str) -> bool {
    let is_host_byte = |byte: u8| {
        byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]<>\"".contains(&byte)
    };
    if !text.bytes().all(is_host_byte) {
        return false;
    }
    let port = match text.rsplit_once('[') {
        None => text.rsplit_once(':').map(|(_, port)| port),
        Some(("", bracketed)) => {
            let Some((address, after)) = bracketed.rsplit_once(']') else {
                return false;
            };
            let port = after.strip_prefix(':');
            if address.parse::<Ipv6Addr>().is_err() || (port.is_none() && !after.is_empty()) {
                return false;
            }
            port
        }
        Some(_) => return false,
    };
    port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(url: &str) -> Result<String, ImageError> {
        Image::parse(&format!("{url}@sha256:{}", "2".repeat(64))).map(|image| image.repository())
    }

    #[test]
    fn names_are_read_as_the_references_table_says() {
        let cases = [
            ("r.io/app:v1", "r.io/app"),
            ("app", "index.docker.io/library/app"),
            ("registry/ab", "index.docker.io/registry/ab"),
            ("docker.io/foo", "index.docker.io/library/foo"),
            ("docker.io/foo/bar:x", "index.docker.io/foo/bar"),
            ("localhost/app", "localhost/app"),
            ("r.io:5000/a/b", "r.io:5000/a/b"),
            ("r.io:5000/a/b:v1", "r.io:5000/a/b"),
            ("r.io/ab", "r.io/ab"),
            ("https://r.io/app", "https://r.io/app"),
            ("oci://r.io/app:v1", "oci://r.io/app"),
            ("docker://r.io/app", "docker://r.io/app"),
            ("[::1]:5000/app", "[::1]:5000/app"),
        ];
        for (url, expected) in cases {
            assert_eq!(name(url).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for url in [
            "r.io/App",
            "r.io/x",
            "",
            "/",
            "r.io:x/app",
            "a b/c.d",
            "r.io/app:",
            "app:",
            "[1.2.3.4]:5000/app",
            "[]:5000/app",
            "[r.io]/app",
            "[::1]x/app",
            "r[::1].io/app",
            "r.io/ap p",
            "x:y z",
        ] {
            assert!(name(url).is_err(), "{url}");
        }
        assert_eq!(name("r.io/app@sha256:33"), Err(ImageError::Separator));
        let long = format!("r.io/{}", "a".repeat(256));
        assert_eq!(name(&long), Err(ImageError::Length(256)));
        assert!(name(&"a".repeat(247)).is_ok());
        assert_eq!(name(&"a".repeat(248)), Err(ImageError::Length(256)));
    }

    #[test]
    fn each_fault_of_a_name_has_an_error_of_its_own() {
        for (url, expected) in [
            ("", ImageError::Empty),
            (" ", ImageError::Empty),
            ("r.io/x", ImageError::Length(1)),
            ("r.io/App", ImageError::UpperCase),
            ("r.io/ap p", ImageError::Character(' ')),
            ("r.io/é", ImageError::Character('é')),
            ("r.io/app:", ImageError::Tag),
            ("r.io/app:v1:v2", ImageError::Tag),
            ("r.io/App:v1", ImageError::UpperCase),
            ("r.io:5000/Team/app:v1", ImageError::UpperCase),
            ("App:v1", ImageError::UpperCase),
            ("r.io/x:v1", ImageError::Length(1)),
            ("r.io:x/app:v1", ImageError::Registry),
            ("r.io/ap p:v1", ImageError::Character(' ')),
            ("https://r.io:5000/app", ImageError::Scheme),
            ("docker://r.io:5000/app:v1", ImageError::Scheme),
            ("oci://r.io/App", ImageError::Scheme),
            ("r.io:x/app", ImageError::Registry),
            ("[::1/app", ImageError::Registry),
        ] {
            assert_eq!(name(url), Err(expected), "{url:?}");
        }
    }

    #[test]
    fn only_lower_case_sha256_digests_are_accepted() {
        for digest in ["SHA256:", "sha512:", "sha256:", ""] {
            let reference = format!("r.io/app@{digest}{}", "A".repeat(64));
            assert_eq!(Image::parse(&reference), Err(ImageError::Digest));
        }
        assert_eq!(Image::parse("r.io/app"), Err(ImageError::Separator));
    }

    #[test]
    fn a_scheme_is_recognised() {
        let image = Image::parse(&format!("oci://r.io/app@sha256:{}", "2".repeat(64))).unwrap();
        assert!(image.has_scheme());
        assert_eq!(image.short_key(), "222222222222");
    }

    proptest! {
        #[test]
        fn an_accepted_reference_reads_back_the_same(url in "[a-z.:/@_-]{0,20}") {
            if let Ok(image) = Image::parse(&format!("{url}@sha256:{}", "2".repeat(64))) {
                prop_assert_eq!(Image::parse(&image.to_string()), Ok(image));
            }
        }
    }
}
