//! References to a task or pipeline, as a verifier expects them.

use std::fmt;
use std::str::FromStr;

/// A task or pipeline that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionRef {
    /// One revision of what a resolver read: `URI@ALGORITHM:HEX`, or one definition in it:
    /// `URI@ALGORITHM:HEX#PATH`.
    Pinned {
        /// Where it was read from.
        uri: String,
        /// Algorithm of the digest, such as `sha1`.
        algorithm: String,
        /// Hexadecimal digits.
        digest: String,
        /// Which definition of the revision: the path of a file, or a name in a bundle. None means that
        /// any will do, and the author of a run chooses among them.
        path: Option<String>,
    },
    /// A name, or a URI of any revision: whoever writes a run chooses what it stands for.
    Unpinned(String),
}

/// Why a text refers to no definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionRefError {
    /// There is nothing, or nothing before the `@`.
    #[error("it is blank")]
    Blank,
    /// What follows the algorithm is not hexadecimal.
    #[error("its digest is not hexadecimal")]
    Digest,
    /// Nothing follows the `#`.
    #[error("its path, after the #, is blank")]
    Path,
}

impl FromStr for DefinitionRef {
    type Err = DefinitionRefError;

    /// ```
    /// use windlass_core::verify::DefinitionRef;
    ///
    /// let pinned: DefinitionRef = "https://git.example.com/tasks@sha1:ab12".parse()?;
    /// assert!(matches!(pinned, DefinitionRef::Pinned { path: None, .. }));
    /// let file: DefinitionRef = "https://git.example.com/tasks@sha1:ab12#build.yaml".parse()?;
    /// assert!(matches!(file, DefinitionRef::Pinned { path: Some(_), .. }));
    /// let name: DefinitionRef = "git@git.example.com:tasks".parse()?;
    /// assert!(matches!(name, DefinitionRef::Unpinned(_)));
    /// # Ok::<(), windlass_core::verify::DefinitionRefError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let pinned = text.rsplit_once('@').and_then(|(uri, digest)| {
            let (algorithm, hex) = digest.split_once(':')?;
            let is_algorithm = |text: &str| {
                !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            };
            let (hex, path) = match hex.split_once('#') {
                Some((hex, path)) => (hex, Some(path.trim())),
                None => (hex, None),
            };
            is_algorithm(algorithm).then_some((uri, algorithm, hex, path))
        });
        let Some((uri, algorithm, hex, path)) = pinned else {
            return if text.is_empty() {
                Err(DefinitionRefError::Blank)
            } else {
                Ok(Self::Unpinned(text.to_owned()))
            };
        };
        if bare(uri).is_empty() {
            return Err(DefinitionRefError::Blank);
        }
        if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DefinitionRefError::Digest);
        }
        if path.is_some_and(|path| path_in_repository(path).is_empty()) {
            return Err(DefinitionRefError::Path);
        }
        Ok(Self::Pinned {
            uri: uri.to_owned(),
            algorithm: algorithm.to_owned(),
            digest: hex.to_owned(),
            path: path.map(str::to_owned),
        })
    }
}

impl fmt::Display for DefinitionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned {
                uri,
                algorithm,
                digest,
                path,
            } => {
                write!(f, "{uri}@{algorithm}:{digest}")?;
                path.iter().try_for_each(|path| write!(f, "#{path}"))
            }
            Self::Unpinned(text) => f.write_str(text),
        }
    }
}

/// A path without what writers put before it.
pub(super) fn path_in_repository(path: &str) -> &str {
    let path = path.trim();
    path.strip_prefix("./")
        .unwrap_or(path)
        .trim_start_matches('/')
}

/// A URI without what writers add to it; empty if it names nothing.
pub(super) fn bare(uri: &str) -> &str {
    let uri = uri.trim();
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let uri = uri.strip_suffix('/').unwrap_or(uri);
    uri.strip_suffix(".git").unwrap_or(uri).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_to_nothing_is_refused() {
        for text in ["", " ", "\t", "@sha1:55", " @sha1:55", "git+.git@sha1:55"] {
            assert_eq!(
                DefinitionRef::from_str(text),
                Err(DefinitionRefError::Blank),
                "{text:?}"
            );
        }
        for text in [
            "https://g.io/t@sha1:",
            "https://g.io/t@sha1:xy",
            "t@sha256: ",
        ] {
            assert_eq!(
                DefinitionRef::from_str(text),
                Err(DefinitionRefError::Digest),
                "{text:?}"
            );
        }
        for text in ["https://g.io/t@sha1:55#", "https://g.io/t@sha1:55# ./"] {
            assert_eq!(
                DefinitionRef::from_str(text),
                Err(DefinitionRefError::Path),
                "{text:?}"
            );
        }
    }
}
