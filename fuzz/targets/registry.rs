//! Responses of registries: manifests and indexes read back as they were, and no header leads a
//! client to where it may not go.
//!
//! The first byte chooses what the rest is.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use windlass_registry::fuzzing::{Headers, TokenEndpoint, Url};
use windlass_registry::manifest::{INDEX, Index, MANIFEST, Manifest, StoredManifest};
use windlass_registry::{Digest, Reference};

/// Longest error, in bytes.
const LONGEST: usize = 2_000;

static HEADERS: LazyLock<Headers> = LazyLock::new(|| Headers::new().expect("a client"));

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(data);
    match choice {
        b'm' => manifest(data),
        b'i' => index(data),
        b'c' => challenge(&text),
        b'n' => address(HEADERS.next_page(&text), true),
        b'l' => address(HEADERS.location(&text), false),
        _ => reference(&text),
    }
});

fn stored(media_type: &str, data: &[u8]) -> StoredManifest {
    StoredManifest {
        media_type: media_type.to_owned(),
        digest: Digest::of(data),
        bytes: data.to_vec().into(),
    }
}

fn manifest(data: &[u8]) {
    let stored = stored(MANIFEST, data);
    assert!(!stored.is_index());
    let descriptor = stored.descriptor();
    assert!(descriptor.digest.names(data) && descriptor.size == data.len() as u64);
    let (Ok(manifest), false) = (stored.manifest(), has_fractions(data)) else {
        return;
    };
    let written = serde_json::to_vec(&manifest).expect("JSON");
    let again: Manifest = serde_json::from_slice(&written).expect("what was written");
    assert_eq!(again, manifest);
    assert_eq!(again.kind(), manifest.kind());
}

fn index(data: &[u8]) {
    let stored = stored(INDEX, data);
    assert!(stored.is_index());
    let (Ok(index), false) = (stored.index(), has_fractions(data)) else {
        return;
    };
    let written = serde_json::to_vec(&index).expect("JSON");
    let again: Index = serde_json::from_slice(&written).expect("what was written");
    assert_eq!(again, index);
}

/// Whether a number may be another one once it is written: fractions are not read to the last bit.
fn has_fractions(data: &[u8]) -> bool {
    fn any(value: &Value) -> bool {
        match value {
            Value::Number(number) => number.is_f64(),
            Value::Array(items) => items.iter().any(any),
            Value::Object(members) => members.values().any(any),
            _ => false,
        }
    }
    serde_json::from_slice(data).is_ok_and(|value| any(&value))
}

fn challenge(header: &str) {
    match windlass_registry::fuzzing::challenge(header) {
        Ok(None) => {}
        Ok(Some(TokenEndpoint { realm, scopes })) => {
            assert!(matches!(realm.scheme(), "http" | "https"), "{realm}");
            assert!(realm.has_host(), "{realm}");
            assert!(realm.username().is_empty() && realm.password().is_none());
            let again = windlass_registry::fuzzing::scopes(&scopes);
            assert_eq!(again, scopes);
        }
        Err(error) => assert!(!error.is_empty() && error.len() <= LONGEST),
    }
}

/// An address is HTTPS without a name or password, and the next page is at the same origin.
fn address(found: Result<Option<Url>, String>, at_home: bool) {
    match found {
        Ok(None) => {}
        Ok(Some(url)) => {
            assert_eq!(url.scheme(), "https", "{url}");
            assert!(url.username().is_empty() && url.password().is_none());
            assert!(!at_home || url.origin() == HEADERS.here().origin(), "{url}");
        }
        Err(error) => assert!(!error.is_empty() && error.len() <= LONGEST, "{error}"),
    }
}

fn reference(text: &str) {
    if let Ok(reference) = Reference::parse(text) {
        let written = reference.to_string();
        let again = Reference::parse(&written).expect("what was written");
        assert_eq!(again.to_string(), written);
    }
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.to_string(), text);
    }
}
