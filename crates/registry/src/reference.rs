//! References: `REGISTRY/PATH[:TAG][@DIGEST]`.
//!
//! Names follow the rules for images in runs (`windlass_core::image`). In addition, a name is refused
//! if a URL made of it would lead elsewhere.

use std::fmt;

use windlass_core::image::{self, Fit, ImageError, Pattern};

use crate::digest::{Digest, DigestError};

/// A repository in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    path: String,
}

/// A tag: 1 to 128 letters, digits and `_.-`; the first is no `.` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// The name of a manifest: a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A tag.
    Tag(Tag),
    /// A digest.
    Digest(Digest),
}

/// A repository with a tag, a digest, both or neither.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The repository.
    pub repository: Repository,
    /// The tag.
    pub tag: Option<Tag>,
    /// The digest.
    pub digest: Option<Digest>,
}

/// Why a text is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The registry or the path breaks the rules of names.
    #[error(transparent)]
    Name(#[from] ImageError),
    /// It begins with the scheme of a URL.
    #[error("it begins with a scheme; leave out https://, oci:// or docker://")]
    Scheme,
    /// A part of the path is empty, `.` or `..`.
    #[error("a part of its path is empty, . or ..")]
    Path,
    /// The registry has a part that no host has.
    #[error("its registry is not the name of a host")]
    Host,
    /// What follows the colon is not a tag.
    #[error("its tag is not 1 to 128 letters, digits and _ . - (not . or - at first)")]
    Tag,
    /// What follows the `@` is not a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Repository {
    /// Reads `[REGISTRY/]PATH`. Names without a registry are those of Docker Hub.
    ///
    /// ```
    /// use windlass_registry::Repository;
    ///
    /// let repository = Repository::parse("registry.example.com:5000/team/app")?;
    /// assert_eq!(repository.registry(), "registry.example.com:5000");
    /// assert_eq!(repository.path(), "team/app");
    ///
    /// let repository = Repository::parse("app")?;
    /// assert_eq!(repository.to_string(), "index.docker.io/library/app");
    /// # Ok::<(), windlass_registry::ReferenceError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (registry, path) = image::repository(text)?;
        if registry.ends_with(':') && path.starts_with('/') {
            return Err(ReferenceError::Scheme);
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(ReferenceError::Path);
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if !registry.bytes().all(is_plain) {
            return Err(ReferenceError::Host);
        }
        // one registry, one name: credentials, locks and exemptions are looked up by it
        let registry = registry.to_ascii_lowercase();
        Ok(Self { registry, path })
    }

    /// Host and port, in lower case.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Path within the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How well a pattern matches this repository; none if it does not.
    pub(crate) fn fit(&self, pattern: &Pattern) -> Option<Fit> {
        pattern.fit(&self.registry, &self.path)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl Tag {
    /// Reads a tag.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_tag = (1..=128).contains(&text.len())
            && text.bytes().next().is_some_and(is_word)
            && text
                .bytes()
                .all(|byte| is_word(byte) || b".-".contains(&byte));
        is_tag
            .then(|| Self(text.to_owned()))
            .ok_or(ReferenceError::Tag)
    }

    /// `sha256-HEX` and a suffix such as `.sig`: the tag of signatures and fallback lists.
    ///
    /// ```
    /// use windlass_registry::{Digest, Tag};
    ///
    /// let digest = Digest::of(b"{}");
    /// let tag = Tag::of_digest(&digest, ".sig")?;
    /// assert_eq!(tag.as_str(), format!("sha256-{}.sig", digest.hex()));
    /// # Ok::<(), windlass_registry::ReferenceError>(())
    /// ```
    pub fn of_digest(digest: &Digest, suffix: &str) -> Result<Self, ReferenceError> {
        Self::parse(&format!("{}-{}{suffix}", digest.algorithm(), digest.hex()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl From<Tag> for Name {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Name {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl Reference {
    /// Reads `[REGISTRY/]PATH[:TAG][@DIGEST]`.
    ///
    /// ```
    /// use windlass_registry::Reference;
    ///
    /// let image = Reference::parse("registry.example.com/team/app:v1")?;
    /// assert_eq!(image.repository.path(), "team/app");
    /// assert_eq!(image.name().to_string(), "v1");
    /// # Ok::<(), windlass_registry::ReferenceError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(Digest::parse(digest)?)),
            None => (text, None),
        };
        let base = image::without_tag(name);
        let tag = name
            .strip_prefix(base)
            .and_then(|rest| rest.strip_prefix(':'));
        Ok(Self {
            repository: Repository::parse(base)?,
            tag: tag.map(Tag::parse).transpose()?,
            digest,
        })
    }

    /// The name of the manifest: the digest, else the tag, else the tag `latest`.
    pub fn name(&self) -> Name {
        if let Some(digest) = &self.digest {
            return Name::Digest(digest.clone());
        }
        let latest = || Tag("latest".to_owned());
        Name::Tag(self.tag.clone().unwrap_or_else(latest))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(f)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reference_is_taken_apart() {
        let digest = format!("sha256:{}", "2".repeat(64));
        let cases = [
            ("r.io/app", "r.io/app", "latest"),
            ("r.io:5000/a/b:v1", "r.io:5000/a/b:v1", "v1"),
            ("app", "index.docker.io/library/app", "latest"),
            ("docker.io/foo/bar:x", "index.docker.io/foo/bar:x", "x"),
            ("[::1]:5000/app:1", "[::1]:5000/app:1", "1"),
            ("127.0.0.1:5000/app", "127.0.0.1:5000/app", "latest"),
            ("R.io:5000/app", "r.io:5000/app", "latest"),
        ];
        for (text, shown, name) in cases {
            let read = Reference::parse(text).unwrap();
            assert_eq!(read.to_string(), shown);
            assert_eq!(read.name().to_string(), name, "{text}");
            let read = Reference::parse(&format!("{text}@{digest}")).unwrap();
            assert_eq!(read.to_string(), format!("{shown}@{digest}"));
            assert_eq!(read.name().to_string(), digest);
        }
    }

    #[test]
    fn a_name_whose_url_would_lead_elsewhere_is_refused() {
        let cases = [
            ("https://r.io/app", ReferenceError::Scheme),
            ("r.io/team/../other", ReferenceError::Path),
            ("r.io/a//b", ReferenceError::Path),
            ("r.io/a/.", ReferenceError::Path),
            ("r.io/app/", ReferenceError::Path),
            ("r.io<x>/app", ReferenceError::Host),
            ("r.io/app:-x", ReferenceError::Tag),
        ];
        for (text, error) in cases {
            assert_eq!(Reference::parse(text), Err(error), "{text}");
        }
        assert!(Reference::parse("r.io/App").is_err());
        assert!(Reference::parse("r.io/app@sha256:12").is_err());
    }

    #[test]
    fn the_fallback_tag_has_a_dash_for_the_colon() {
        let digest = Digest::of(b"{}");
        let tag = Tag::of_digest(&digest, ".sig").unwrap();
        assert_eq!(tag.to_string(), format!("sha256-{}.sig", digest.hex()));
    }

    proptest! {
        #[test]
        fn what_is_accepted_reads_back_the_same(text in "[a-zA-Z.:/@_-]{0,24}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference));
            }
        }
    }
}
