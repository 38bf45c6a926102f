//! Paths and their endpoints. Source: OCI distribution specification 1.1, "Endpoints" and "Pull"
//! (the grammar of names and references).

use crate::query::{Plus, decode};

use super::digest::Digest;
use super::response::Refusal;

/// A path of the registry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/v2/`
    Base,
    /// `/token`
    Token,
    /// `/v2/_catalog`
    Catalog,
    /// A path inside one repository.
    In(String, Place),
}

/// A path inside one repository.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Tags,
    Uploads,
    Upload(String),
    Blob(Digest),
    Manifest(Reference),
    Referrers(Digest),
}

/// How a request names a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    Tag(String),
    Digest(Digest),
}

impl Reference {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains(':') {
            return digest(text).map(Self::Digest);
        }
        if !is_tag(text) {
            return Err(Refusal::bad("MANIFEST_INVALID", "invalid tag name"));
        }
        Ok(Self::Tag(text.to_owned()))
    }
}

impl Route {
    /// Reads a path as it was sent.
    pub(crate) fn parse(path: &str) -> Result<Self, Refusal> {
        let path = decode(path, Plus::IsPlus);
        match path.as_str() {
            "/v2" | "/v2/" => return Ok(Self::Base),
            "/v2/_catalog" => return Ok(Self::Catalog),
            "/token" => return Ok(Self::Token),
            _ => {}
        }
        let no_such_path = || Refusal::unknown("UNSUPPORTED", "there is nothing at this path");
        let rest = path.strip_prefix("/v2/").ok_or_else(no_such_path)?;
        let (name, place) = place(rest)?.ok_or_else(no_such_path)?;
        if !is_name(name) {
            return Err(Refusal::bad("NAME_INVALID", "invalid repository name"));
        }
        Ok(Self::In(name.to_owned(), place))
    }
}

fn place(rest: &str) -> Result<Option<(&str, Place)>, Refusal> {
    if let Some(name) = rest.strip_suffix("/tags/list") {
        return Ok(Some((name, Place::Tags)));
    }
    let started = rest.strip_suffix("/blobs/uploads/");
    if let Some(name) = started.or_else(|| rest.strip_suffix("/blobs/uploads")) {
        return Ok(Some((name, Place::Uploads)));
    }
    let Some((head, last)) = rest.rsplit_once('/') else {
        return Ok(None);
    };
    if let Some(name) = head.strip_suffix("/blobs/uploads") {
        return Ok(Some((name, Place::Upload(last.to_owned()))));
    }
    if let Some(name) = head.strip_suffix("/blobs") {
        return Ok(Some((name, Place::Blob(digest(last)?))));
    }
    if let Some(name) = head.strip_suffix("/manifests") {
        return Ok(Some((name, Place::Manifest(Reference::parse(last)?))));
    }
    if let Some(name) = head.strip_suffix("/referrers") {
        return Ok(Some((name, Place::Referrers(digest(last)?))));
    }
    Ok(None)
}

fn digest(text: &str) -> Result<Digest, Refusal> {
    Digest::parse(text).ok_or_else(|| Refusal::bad("DIGEST_INVALID", "invalid digest"))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let rest = |byte: u8| word(byte) || byte == b'.' || byte == b'-';
    text.len() <= 128 && text.bytes().next().is_some_and(word) && text.bytes().all(rest)
}

/// Components joined by slashes, each of lower-case words joined by `.`, `_`, `__` or dashes.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(word) && text.bytes().last().is_some_and(word);
    let mut separators =
        text.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    ends && separators.all(|separator| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_grammar() {
        for good in ["a", "team/app", "a.b/c_d/e__f/g--h", "library/x0"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "", "/a", "a/", "a//b", "A", "a..b", "a___b", "-a", "a.", "a_.b", "ü",
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_repository_may_be_called_like_a_part_of_the_path() {
        assert_eq!(
            Route::parse("/v2/blobs/uploads/tags/list").unwrap(),
            Route::In("blobs/uploads".into(), Place::Tags)
        );
        assert_eq!(
            Route::parse("/v2/a/manifests/manifests/v1").unwrap(),
            Route::In(
                "a/manifests".into(),
                Place::Manifest(Reference::Tag("v1".into()))
            )
        );
    }

    #[test]
    fn an_encoded_colon_is_a_colon() {
        let digest = format!("sha256%3A{}", "0".repeat(64));
        let route = Route::parse(&format!("/v2/a/blobs/{digest}")).unwrap();
        assert!(matches!(route, Route::In(_, Place::Blob(_))));
    }

    #[test]
    fn what_is_malformed_is_refused_with_its_code() {
        let code = |path: &str| Route::parse(path).unwrap_err().code;
        assert_eq!(code("/v2/UP/tags/list"), "NAME_INVALID");
        assert_eq!(code("/v2/a/blobs/sha256:short"), "DIGEST_INVALID");
        assert_eq!(code("/v2/a/manifests/.tag"), "MANIFEST_INVALID");
        assert_eq!(code("/v1/a"), "UNSUPPORTED");
    }
}
