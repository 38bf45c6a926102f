//! Names of objects that belong to others.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Longest name, as that of a label's value.
const LONGEST: usize = 63;
/// Hexadecimal digits of the digest in place of what is cut off.
const DIGITS: usize = 32;

/// The name of a parent with a suffix. One that is too long is cut and gets a digest, so that two
/// parents do not share a child. Tekton has another digest there.
pub(crate) fn child_name(parent: &str, suffix: &str) -> String {
    if parent.len() + suffix.len() <= LONGEST {
        return format!("{parent}{suffix}");
    }
    let kept = LONGEST - DIGITS;
    if suffix.len() < kept {
        let cut = head(parent, kept - suffix.len());
        return format!("{cut}{}{suffix}", digest(parent));
    }
    format!(
        "{}{}",
        head(parent, kept),
        digest(&format!("{parent}{suffix}"))
    )
}

fn head(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

fn digest(text: &str) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(text.as_bytes()).iter().take(DIGITS / 2) {
        // writing to a string does not fail
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_and_stays_its_own() {
        assert_eq!(child_name("run", "-task"), "run-task");
        let (one, other) = ("a".repeat(60) + "1", "a".repeat(60) + "2");
        assert_ne!(child_name(&one, "-task"), child_name(&other, "-task"));
        for suffix in ["-task", &"-t".repeat(40)] {
            assert_eq!(child_name(&one, suffix).len(), LONGEST);
        }
        assert!(child_name(&one, "-task").ends_with("-task"));
    }
}
