//! What a vault says of a version of a key: the public key, and whether it may sign.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use windlass_core::key::{KeyError, PublicKey};

/// A version of a key.
#[derive(Deserialize)]
pub(super) struct Bundle {
    key: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize, Default)]
struct Attributes {
    enabled: Option<bool>,
    /// Seconds since 1970, as the next one.
    nbf: Option<u64>,
    exp: Option<u64>,
}

impl Bundle {
    /// The version, which the identifier of the key ends with.
    pub(super) fn version(&self, name: &str) -> Option<&str> {
        version(self.key.get("kid")?.as_str()?, name)
    }

    /// The key. One of a hardware module has a type of its own, which no other reader knows.
    pub(super) fn public_key(&self) -> Result<PublicKey, KeyError> {
        let mut key = self.key.clone();
        if let Some(serde_json::Value::String(kind)) = key.get_mut("kty") {
            *kind = kind.trim_end_matches("-HSM").to_owned();
        }
        PublicKey::from_jwk(serde_json::Value::Object(key).to_string().as_bytes())
    }

    /// Why it may not sign at this time, if it may not.
    pub(super) fn obstacle(&self, now: SystemTime) -> Option<&'static str> {
        let attributes = &self.attributes;
        let time = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let operations = self.key.get("key_ops").and_then(|named| named.as_array());
        let signs =
            operations.is_none_or(|named| named.iter().any(|operation| operation == "sign"));
        if attributes.enabled == Some(false) {
            return Some(
                "it is disabled; enable it with `az keyvault key set-attributes --enabled true`",
            );
        }
        if !signs {
            return Some(
                "`sign` is not among its operations; add it with `az keyvault key set-attributes --ops \
                 sign verify`, or use a key for signing",
            );
        }
        if attributes.exp.and_then(time).is_some_and(|end| end <= now) {
            return Some("it has expired; rotate it, or set a later `--expires`");
        }
        if attributes
            .nbf
            .and_then(time)
            .is_some_and(|start| start > now)
        {
            return Some("it is not valid yet; set an earlier `--not-before`, or the clock");
        }
        None
    }
}

/// The version in an identifier, `https://HOST/keys/NAME/VERSION`.
pub(super) fn version<'a>(identifier: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = identifier.rsplit('/');
    let (version, key, keys) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = (1..=64).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_whole && keys == "keys" && key.eq_ignore_ascii_case(name)).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_of_a_key_ends_with_its_version() {
        let of = |identifier| version(identifier, "Signer");
        assert_eq!(
            of("https://v.vault.azure.net/keys/signer/0123abcd"),
            Some("0123abcd")
        );
        for other in [
            "https://v.vault.azure.net/keys/other/0123abcd",
            "https://v.vault.azure.net/keys/signer/",
            "https://v.vault.azure.net/keys/signer",
            "https://v.vault.azure.net/secrets/signer/0123abcd",
            "https://v.vault.azure.net/keys/signer/..%2f",
            "",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_key_that_may_not_sign_says_why() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let of = |text: &str| {
            let bundle: Bundle = serde_json::from_str(text).unwrap();
            bundle.obstacle(now).unwrap_or("nothing").to_owned()
        };
        for (text, expected) in [
            (
                r#"{"key":{"key_ops":["sign","verify"]},"attributes":{"enabled":true}}"#,
                "nothing",
            ),
            (
                r#"{"key":{},"attributes":{"exp":1800000001,"nbf":1800000000}}"#,
                "nothing",
            ),
            (r#"{"key":{"key_ops":["wrapKey"]}}"#, "`sign` is not among"),
            (r#"{"key":{},"attributes":{"enabled":false}}"#, "disabled"),
            (r#"{"key":{},"attributes":{"exp":1800000000}}"#, "expired"),
            (
                r#"{"key":{},"attributes":{"nbf":1800000001}}"#,
                "not valid yet",
            ),
        ] {
            assert!(of(text).contains(expected), "{text}");
        }
    }
}
