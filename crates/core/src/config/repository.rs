//! `storage.oci.repository`: a repository, without anything that belongs to an image or a URL.
//!
//! What the value is instead is told by its most likely cause, so that nobody looks at the letters of
//! a name when a tag has to be left out.

/// Length of the path of a repository.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=255;

/// What to write instead of a value that is no repository; nothing if it is one.
pub(super) fn instead(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        return None;
    }
    if value.trim() != value || value.contains(char::is_whitespace) {
        return Some("a repository without blanks around it or in it");
    }
    if value.contains("://") {
        return Some("a repository without a scheme: leave out what ends with ://");
    }
    if value.contains('@') {
        return Some("a repository without a digest: leave out what begins with @");
    }
    let (first, rest) = value.split_once('/').unwrap_or((value, ""));
    let is_host = first.contains(['.', ':']) || first == "localhost";
    let path = if is_host { rest } else { value };
    if path.is_empty() {
        return Some(
            "a registry with a path, such as registry.example.com/signatures; this is a registry alone",
        );
    }
    if path.contains(':') {
        return Some("a repository without a tag: leave out what follows the last colon");
    }
    if path.starts_with('/') || path.ends_with('/') || path.contains("//") {
        return Some("a repository without an empty part: leave out a slash");
    }
    if path.contains(char::is_uppercase) {
        return Some("a repository in lower case");
    }
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    if !path.chars().all(is_legal) || !LENGTHS.contains(&path.len()) {
        return Some("a repository whose path has 2 to 255 of a-z, 0-9 and _ . / -");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_taken_as_it_is() {
        for value in [
            "",
            "r.io/signatures",
            "r.io:5000/a/b_c.d-e",
            "localhost/sigs",
            "[::1]:5000/sigs",
            "team/signatures",
            "R.io/signatures",
        ] {
            assert_eq!(instead(value), None, "{value}");
        }
    }

    #[test]
    fn each_cause_is_told_by_itself() {
        for (value, cause) in [
            ("oci://r.io/sigs", "scheme"),
            ("https://r.io/sigs", "scheme"),
            ("docker://r.io/sigs:v1", "scheme"),
            ("r.io/sigs:v1", "tag"),
            ("r.io:5000/sigs:latest", "tag"),
            ("sigs:v1/x:v1", "tag"),
            ("r.io/sigs@sha256:00", "digest"),
            (" r.io/sigs", "blanks"),
            ("r.io/sigs\n", "blanks"),
            ("r.io/si gs", "blanks"),
            ("r.io", "registry alone"),
            ("127.0.0.1:5000", "registry alone"),
            ("localhost", "registry alone"),
            ("r.io/", "registry alone"),
            ("r.io/sigs/", "slash"),
            ("r.io//sigs", "slash"),
            ("r.io/Sigs", "lower case"),
            ("r.io/a?b", "2 to 255"),
            ("r.io/a", "2 to 255"),
        ] {
            let told = instead(value).unwrap_or_default();
            assert!(told.contains(cause), "{value:?}: {told}");
            assert_eq!(told.contains("2 to 255"), cause == "2 to 255", "{value:?}");
        }
    }
}
