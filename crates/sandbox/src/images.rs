//! The images that steps name. None is pulled or run here; it is told whether an image exists, and
//! what a node would call it.

use std::sync::Arc;

/// What an image reference stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// The name a node reports, with the digest: `docker.io/library/busybox@sha256:…`.
    Known(String),
    /// It is in a registry that this process does not look into.
    Elsewhere,
    /// It cannot be pulled, and why.
    Unknown(String),
}

/// Finds the digest of a tag in the registry of a host; the arguments are host, repository and tag.
/// None for a host that is not looked into, an inner none for a tag that does not exist.
pub type Digests = Arc<dyn Fn(&str, &str, &str) -> Option<Option<String>> + Send + Sync>;

/// Longest reference.
const LONGEST: usize = 512;

/// What a reference stands for.
pub(crate) fn find(reference: &str, digests: Option<&Digests>) -> Image {
    let Some(parts) = parts(reference) else {
        return Image::Unknown("invalid reference format".to_owned());
    };
    let name = format!("{}/{}", parts.host, parts.repository);
    if let Some(digest) = parts.digest {
        return Image::Known(format!("{name}@{digest}"));
    }
    let found = digests.and_then(|digests| digests(&parts.host, &parts.repository, parts.tag));
    match found {
        None => Image::Elsewhere,
        Some(Some(digest)) => Image::Known(format!("{name}@{digest}")),
        Some(None) => Image::Unknown(format!("{name}:{}: not found", parts.tag)),
    }
}

struct Parts<'a> {
    host: String,
    repository: String,
    tag: &'a str,
    digest: Option<&'a str>,
}

fn parts(reference: &str) -> Option<Parts<'_>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+[]".contains(c);
    if reference.is_empty() || reference.len() > LONGEST || !reference.chars().all(is_plain) {
        return None;
    }
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return None;
    }
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (rest, "latest"),
    };
    let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let (host, repository) = match name.split_once('/') {
        Some((host, repository)) if is_host(host) => (host.to_owned(), repository.to_owned()),
        Some(_) => ("docker.io".to_owned(), name.to_owned()),
        None => ("docker.io".to_owned(), format!("library/{name}")),
    };
    let is_segment = |segment: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        !segment.is_empty() && segment.chars().all(plain)
    };
    let is_valid = repository.split('/').all(is_segment) && !tag.is_empty();
    is_valid.then_some(Parts {
        host,
        repository,
        tag,
        digest,
    })
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:");
    hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_digest_or_from_a_registry_of_this_process() {
        let hex = "1".repeat(64);
        let digest = format!("sha256:{hex}");
        let known = digest.clone();
        let digests: Digests = Arc::new(move |host, repository, tag| {
            let is_there = repository == "team/app" && tag == "v1";
            (host == "127.0.0.1:5000").then(|| is_there.then(|| known.clone()))
        });
        let find = |reference: &str| find(reference, Some(&digests));
        for (reference, name) in [
            (format!("busybox@{digest}"), "docker.io/library/busybox"),
            (format!("bitnami/git:1@{digest}"), "docker.io/bitnami/git"),
            (
                "127.0.0.1:5000/team/app:v1".to_owned(),
                "127.0.0.1:5000/team/app",
            ),
        ] {
            assert_eq!(
                find(&reference),
                Image::Known(format!("{name}@{digest}")),
                "{reference}"
            );
        }
        for reference in ["busybox", "busybox:1", "ghcr.io/a/b", "localhost/x:1"] {
            assert_eq!(find(reference), Image::Elsewhere, "{reference}");
        }
        for reference in [
            "",
            "Busy",
            "a b",
            "busybox@sha256:12",
            "a//b",
            "$(x)",
            "127.0.0.1:5000/team/app:v2",
            "127.0.0.1:5000/team/app",
            "busybox:",
        ] {
            assert!(matches!(find(reference), Image::Unknown(_)), "{reference}");
        }
    }
}
