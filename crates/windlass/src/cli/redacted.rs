//! Errors of arguments without the secrets that were typed: an error that repeats a key reference would
//! repeat the PIN or the password in it, into the log of a pipeline.

use clap::error::{ContextKind, ContextValue};

/// The flag whose value may have a secret in it.
const KEY: &str = "--key ";
/// What stands for what is left out.
const LEFT_OUT: char = '\u{2026}';

/// The error, with no more of a key reference than says which one it is.
pub(super) fn without_secrets(mut error: clap::Error) -> clap::Error {
    let is_key = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(flag)) if flag.starts_with(KEY)
    );
    if let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidValue)
        && is_key
    {
        let shown = shown(typed);
        error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
    }
    error
}

/// A key reference without its query, a PIN at another place, and whoever it names before an `@`.
fn shown(reference: &str) -> String {
    let lower = reference.to_ascii_lowercase();
    let end = [lower.find('?'), lower.find("pin-value")];
    let end = end.into_iter().flatten().min();
    let kept = &reference[..end.unwrap_or(reference.len())];
    let scheme = kept
        .split_once("://")
        .map_or("", |(scheme, _)| &kept[..scheme.len() + 3]);
    let mut shown = match kept.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{LEFT_OUT}@{host}"),
        None => kept.to_owned(),
    };
    if end.is_some() {
        shown.push(LEFT_OUT);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reference_is_shown_without_what_may_be_secret() {
        for (typed, expected) in [
            ("cosign.key", "cosign.key"),
            ("k8s://a/b/c", "k8s://a/b/c"),
            (
                "pkcs11:token=t;object=o?pin-value=%zz",
                "pkcs11:token=t;object=o…",
            ),
            ("pkcs11:token=t;PIN-Value=1", "pkcs11:token=t;…"),
            ("https://user:pass@host/key.pub", "https://…@host/key.pub"),
            ("acme://k?token=1", "acme://k…"),
            ("é?x", "é…"),
        ] {
            assert_eq!(shown(typed), expected);
        }
    }
}
