//! The trusted root of `windlass-config`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::key::{Certificate, PublicKey};

/// A trusted root with everything, for a log at these addresses.
fn trusted_root(log: &str) -> Value {
    let key = include_bytes!("../../../tests/fixtures/keys/cosign3-p256/cosign.pub");
    let key = STANDARD.encode(PublicKey::from_pem(key).unwrap().der());
    let chain = include_str!("../../../tests/fixtures/x509/p256-certificate.pem");
    let chain = Certificate::all_from_pem(chain, 1).unwrap();
    let chain = json!([{ "certChain": { "certificates": [
        { "rawBytes": STANDARD.encode(chain[0].der()) },
    ] } }]);
    let log = json!([{ "baseUrl": log, "publicKey": { "rawBytes": key } }]);
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": log, "ctlogs": log, "certificateAuthorities": chain, "timestampAuthorities": chain,
    })
}

/// The settings of a controller without a key that asks for a log of version 2 and for timestamps.
fn with_root(root: &Value, own: &[(&str, &str)]) -> Result<Parsed, ConfigError> {
    let map = |entries: &[(&str, &str)]| {
        let entries = entries.iter();
        let entries = entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        entries.collect::<BTreeMap<_, _>>()
    };
    let chains = [
        ("transparency.enabled", "true"),
        ("transparency.url", "https://rekor.example/"),
        ("signers.x509.fulcio.enabled", "true"),
    ];
    let mut windlass = map(&[
        ("storage.oci.encoding-format", "both"),
        ("transparency.version", "2"),
        ("transparency.timestamp-url", "https://time.example"),
        ("trusted_root.json", &root.to_string()),
    ]);
    windlass.extend(map(own));
    Config::parse(&map(&chains), &windlass)
}

#[test]
fn a_trusted_root_says_whom_the_controller_believes() {
    let root = trusted_root("https://rekor.example");
    let parsed = with_root(&root, &[]).unwrap();
    assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
    let Config {
        transparency, x509, ..
    } = parsed.config;
    assert!(transparency.public_key.is_some());
    assert_eq!(transparency.timestamps.unwrap().authorities.len(), 1);
    assert!(x509.fulcio_root.contains("BEGIN CERTIFICATE"));
    assert!(x509.fulcio_ctlog_key.contains("BEGIN PUBLIC KEY"));
    // a log behind another address is known by what it calls itself
    let elsewhere = trusted_root("https://log.example");
    let named = [("transparency.origin", "log.example")];
    let parsed = with_root(&elsewhere, &named).unwrap();
    assert!(parsed.config.transparency.public_key.is_some());
}

#[test]
fn a_key_of_its_own_counts_before_the_trusted_root() {
    let root = trusted_root("https://rekor.example");
    let key = include_str!("../../../tests/fixtures/keys/import-ed25519/cosign.pub");
    let parsed = with_root(
        &root,
        &[
            ("signers.x509.fulcio.root", "mine"),
            ("signers.x509.fulcio.ctlog-key", "mine"),
            ("transparency.public-key", key),
        ],
    );
    let config = parsed.unwrap().config;
    let own = PublicKey::from_pem(key.as_bytes()).unwrap();
    assert_eq!(config.transparency.public_key, Some(own));
    assert_eq!(config.x509.fulcio_root, "mine");
    assert_eq!(config.x509.fulcio_ctlog_key, "mine");
}

#[test]
fn a_trusted_root_that_lacks_what_is_asked_for_is_refused_and_says_what_it_lacks() {
    let whole = trusted_root("https://rekor.example");
    for (member, lacks) in [
        ("tlogs", "without the log"),
        ("certificateAuthorities", "without a certificate authority"),
        ("timestampAuthorities", "without a timestamp authority"),
    ] {
        let mut root = whole.clone();
        root[member] = json!([]);
        let error = with_root(&root, &[]).unwrap_err().to_string();
        let what = format!("in windlass-config, trusted_root.json: a trusted root {lacks}");
        assert!(error.contains(&what), "{error}");
        assert!(error.contains("has 1 invalid value"), "{error}");
    }
    let other = trusted_root("https://other.example");
    let error = with_root(&other, &[]).unwrap_err().to_string();
    assert!(error.contains("without the log"), "{error}");
    for root in [json!({}), json!("x"), json!({ "mediaType": "planted" })] {
        let error = with_root(&root, &[]).unwrap_err().to_string();
        assert!(error.contains("trusted_root.json"), "{error}");
    }
    let mut many = whole;
    many["tlogs"] = json!(vec![many["tlogs"][0].clone(); 65]);
    let error = with_root(&many, &[]).unwrap_err().to_string();
    assert!(error.contains("more than 64"), "{error}");
}

/// The settings of a controller that follows a mirror, with these entries of both maps.
fn with_mirror(chains: &[(&str, &str)], own: &[(&str, &str)]) -> Parsed {
    let map = |entries: &[(&str, &str)]| {
        let entries = entries.iter();
        let entries = entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        entries.collect::<BTreeMap<_, _>>()
    };
    let mut all = map(&[("signers.x509.tuf.mirror.url", "https://tuf.example")]);
    all.extend(map(chains));
    Config::parse(&all, &map(own)).unwrap()
}

#[test]
fn a_mirror_is_asked_for_by_its_pinned_root_where_something_is_believed_by_it() {
    let keyless = ("signers.x509.fulcio.enabled", "true");
    let logged = ("transparency.enabled", "manual");
    let pin = ("signers.x509.tuf.root", " {} ");
    // what only the trusted root can say is not missing yet
    let version = [
        pin,
        ("transparency.version", "2"),
        ("transparency.timestamp-url", "https://time.example"),
        ("storage.oci.encoding-format", "both"),
    ];
    for chains in [keyless, logged] {
        let parsed = with_mirror(&[chains, ("transparency.enabled", "true")], &version);
        assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
        let origin = parsed.mirror.unwrap();
        assert_eq!(origin.mirror.expose(), "https://tuf.example");
        assert_eq!(origin.root.as_deref(), Some("{}"));
    }
    let public = ("signers.x509.tuf.root", "built-in");
    assert_eq!(
        with_mirror(&[keyless], &[public]).mirror.unwrap().root,
        None
    );
    // nothing is believed by it
    assert_eq!(with_mirror(&[], &[pin]).mirror, None);
    assert!(with_mirror(&[], &[]).warnings.is_empty());
}

#[test]
fn a_mirror_without_a_pinned_root_or_beside_a_trusted_root_is_not_asked_and_that_is_told() {
    let keyless = [
        ("signers.x509.fulcio.enabled", "true"),
        ("transparency.enabled", "true"),
    ];
    let warned = |parsed: &Parsed, text: &str| {
        assert_eq!(parsed.mirror, None);
        let mut warnings = parsed.warnings.iter().map(ToString::to_string);
        assert!(warnings.any(|warning| warning.contains(text)), "{text}");
    };
    warned(
        &with_mirror(&keyless, &[]),
        "has no effect without signers.x509.tuf.root",
    );
    let public = (
        "signers.x509.tuf.mirror.url",
        "https://tuf-repo-cdn.sigstore.dev/",
    );
    let usual = with_mirror(&[keyless[0], keyless[1], public], &[]);
    assert!(usual.warnings.is_empty(), "{:?}", usual.warnings);
    let root = trusted_root("https://rekor.sigstore.dev").to_string();
    let both = [
        ("trusted_root.json", root.as_str()),
        ("signers.x509.tuf.root", "{}"),
    ];
    warned(&with_mirror(&keyless, &both), "no mirror is asked");
}
