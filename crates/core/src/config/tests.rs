use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::format::Format;

mod trusted_root;

fn parse(pairs: &[(&str, &str)]) -> Result<Parsed, ConfigError> {
    let chains = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Config::parse(&chains, &BTreeMap::new())
}

#[test]
fn nothing_configured_gives_the_defaults_of_the_reference() {
    let parsed = parse(&[]).unwrap();
    assert!(parsed.warnings.is_empty());
    let config = parsed.config;
    assert_eq!(config, Config::default());
    assert_eq!(config.taskrun.format, Format::SlsaV1);
    assert_eq!(config.taskrun.storage, BTreeSet::from([StoreKind::Tekton]));
    assert_eq!(config.oci.storage, BTreeSet::from([StoreKind::Oci]));
    assert_eq!(config.builder_id, "https://tekton.dev/chains/v2");
    assert_eq!(config.transparency.mode, TransparencyMode::Off);
    assert_eq!(
        config.transparency.url.expose(),
        "https://rekor.sigstore.dev"
    );
}

#[test]
fn the_configuration_of_the_users_guide_is_accepted() {
    let config = parse(&[
        ("artifacts.oci.storage", ""),
        ("artifacts.taskrun.format", "tekton"),
        ("artifacts.taskrun.storage", "tekton"),
    ])
    .unwrap()
    .config;
    assert_eq!(config.taskrun.format, Format::Tekton);
    assert!(config.taskrun.is_enabled());
    assert!(!config.oci.is_enabled());
}

#[test]
fn all_bad_values_are_reported_at_once_with_what_is_allowed() {
    let error = parse(&[
        ("artifacts.taskrun.format", "slsa"),
        ("artifacts.oci.signer", ""),
        ("artifacts.pipelinerun.storage", "tekton,kafka"),
        ("builddefinition.buildtype", "x"),
    ])
    .unwrap_err();
    assert_eq!(error.problems.len(), 4);
    let text = error.to_string();
    assert!(
        text.contains("artifacts.taskrun.format: \"slsa\" is not allowed; use in-toto"),
        "{text}"
    );
    assert!(
        text.contains("artifacts.oci.signer: \"\" is not allowed; use x509, kms, none"),
        "{text}"
    );
    assert!(text.contains("\"kafka\""), "{text}");
}

#[test]
fn a_list_is_trimmed_but_an_empty_part_is_refused() {
    let config = parse(&[("artifacts.taskrun.storage", " tekton , oci")])
        .unwrap()
        .config;
    assert_eq!(
        config.taskrun.storage,
        BTreeSet::from([StoreKind::Tekton, StoreKind::Oci])
    );
    assert!(parse(&[("artifacts.taskrun.storage", "tekton,")]).is_err());
    assert!(parse(&[("artifacts.taskrun.storage", " ")]).is_err());
}

#[test]
fn a_disabled_artifact_is_one_without_storage_or_signer() {
    let config = parse(&[
        ("artifacts.taskrun.storage", ""),
        ("artifacts.oci.signer", "none"),
    ]);
    let config = config.unwrap().config;
    assert!(!config.taskrun.is_enabled());
    assert!(!config.oci.is_enabled());
    assert!(config.pipelinerun.is_enabled());
}

#[test]
fn a_misspelt_boolean_keeps_the_default_and_warns() {
    let parsed = parse(&[
        ("signers.x509.fulcio.enabled", "yes"),
        ("transparency.enabled", "True"),
        ("storage.oci.repository", "r.io/signatures"),
        ("storage.oci.repository.insecure", "T"),
    ])
    .unwrap();
    assert!(!parsed.config.x509.fulcio_enabled);
    assert!(parsed.config.storage.oci_insecure);
    assert_eq!(parsed.config.transparency.mode, TransparencyMode::Off);
    let keys: Vec<_> = parsed
        .warnings
        .iter()
        .map(|warning| warning.key.as_str())
        .collect();
    assert_eq!(
        keys,
        ["signers.x509.fulcio.enabled", "transparency.enabled"]
    );
    assert!(parsed.warnings[0].message.contains("stays false"));
}

#[test]
fn an_unknown_key_is_a_warning_with_a_suggestion_and_a_comment_is_none() {
    let parsed = parse(&[
        ("artifacts.taskrun.fromat", "secret-value"),
        ("_example", "artifacts.taskrun.format: tekton"),
        ("zzz", ""),
    ])
    .unwrap();
    assert_eq!(parsed.warnings.len(), 2);
    let first = parsed.warnings[0].to_string();
    assert!(
        first.contains("did you mean artifacts.taskrun.format?"),
        "{first}"
    );
    assert!(!first.contains("secret-value"));
    assert!(parsed.warnings[1].message.contains("ignored"));
}

#[test]
fn unknown_keys_of_windlass_config_are_warnings_too() {
    let own = BTreeMap::from([("x".to_owned(), "y".to_owned())]);
    let parsed = Config::parse(&BTreeMap::new(), &own).unwrap();
    assert!(parsed.warnings[0].message.contains("windlass-config"));
}

#[test]
fn the_encoding_may_be_both_and_windlass_config_has_the_last_word() {
    let encoding = |chains: &[(&str, &str)], own: &str| {
        let chains = chains
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let own = BTreeMap::from([("storage.oci.encoding-format".to_owned(), own.to_owned())]);
        let parsed = Config::parse(&chains.collect(), &own)?;
        assert_eq!(parsed.warnings, []);
        Ok::<_, ConfigError>(parsed.config.storage.oci_encoding)
    };
    let bundles = [("storage.oci.encoding-format", "sigstore-bundle")];
    assert_eq!(encoding(&bundles, "both"), Ok(Encoding::Both));
    assert_eq!(encoding(&[], "both"), Ok(Encoding::Both));
    assert_eq!(encoding(&bundles, "dsse"), Ok(Encoding::Dsse));
    let error = encoding(&bundles, "all").unwrap_err().to_string();
    let place = "in windlass-config, storage.oci.encoding-format";
    assert!(error.contains(place), "{error}");
    let both = parse(&[("storage.oci.encoding-format", "both")]).unwrap();
    assert_eq!(both.config.storage.oci_encoding, Encoding::Both);
}

#[test]
fn a_store_that_is_none_is_refused_with_those_that_windlass_has() {
    let error = parse(&[("artifacts.taskrun.storage", "oci,tektn")]).unwrap_err();
    let expected = "\"tektn\" is not allowed; use tekton, oci, \"\" (disabled)";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn only_windlass_config_makes_signing_recursive() {
    let map =
        |value: &str| BTreeMap::from([("artifacts.oci.recursive".to_owned(), value.to_owned())]);
    let none = BTreeMap::new();
    assert!(!Config::parse(&none, &none).unwrap().config.oci_recursive);
    assert!(
        Config::parse(&none, &map("true"))
            .unwrap()
            .config
            .oci_recursive
    );
    // Chains does not know it, and a cluster that goes back to it is to behave the same
    let parsed = Config::parse(&map("true"), &none).unwrap();
    assert!(!parsed.config.oci_recursive);
    assert_eq!(parsed.warnings[0].key, "artifacts.oci.recursive");
}

#[test]
fn aliases_name_the_format_they_give() {
    let format = |name| {
        parse(&[("artifacts.taskrun.format", name)])
            .unwrap()
            .config
            .taskrun
            .format
    };
    assert_eq!(format("in-toto"), Format::SlsaV1);
    assert_eq!(format("slsa-provenance/v0.2"), Format::SlsaV1);
    assert_eq!(format("slsa-provenance/v1"), Format::SlsaV2Alpha4);
}

#[test]
fn debug_output_holds_no_token_and_no_password() {
    let config = parse(&[
        ("signers.kms.auth.token", "s3cret-token"),
        (
            "storage.docdb.mongo-server-url",
            "mongodb://user:s3cret/pw@host/db?key=s3cret",
        ),
    ])
    .unwrap()
    .config;
    assert_eq!(config.kms.auth_token.expose(), "s3cret-token");
    let debug = format!("{config:?}");
    assert!(!debug.contains("s3cret"), "{debug}");
    assert!(
        debug.contains("mongodb://[redacted]@host/db?[redacted]"),
        "{debug}"
    );
}

fn parse_own(value: &str) -> Result<Parsed, ConfigError> {
    let key = "registries.shared-credentials".to_owned();
    Config::parse(&BTreeMap::new(), &[(key, value.to_owned())].into())
}

#[test]
fn credentials_are_shared_as_windlass_config_says_and_not_unless_it_does() {
    assert_eq!(parse(&[]).unwrap().config.storage.shared_credentials, None);
    let config = parse_own("team-a r.io/team-a\n").unwrap().config;
    let shared = config.storage.shared_credentials.unwrap();
    assert!(shared.include("team-a", "r.io", "team-a/app"));
    assert!(!shared.include("team-b", "r.io", "team-a/app"));
    // the operator that owns chains-config may refuse it there
    let parsed = parse(&[("registries.shared-credentials", "* *")]).unwrap();
    assert_eq!(parsed.config.storage.shared_credentials, None);
    assert_eq!(parsed.warnings[0].key, "registries.shared-credentials");
}

#[test]
fn a_malformed_line_is_named_with_what_to_write_instead() {
    let error = parse_own("team-a r.io/a\nteam-b r.io/b/*\nteam-c u:hunter2@r.io").unwrap_err();
    assert_eq!(error.problems.len(), 2);
    let text = error.to_string();
    let place = "in windlass-config, registries.shared-credentials: line 2, \"team-b r.io/b/*\", \
                 is not allowed; use a path of";
    assert!(text.contains(place), "{text}");
    assert!(text.contains("line 3 is not allowed"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let many = "x\n".repeat(1000);
    assert!(parse_own(&many).unwrap_err().to_string().len() < 2000);
}

#[test]
fn no_check_of_certificates_without_a_repository_has_no_effect_and_warns() {
    let insecure = ("storage.oci.repository.insecure", "true");
    let parsed = parse(&[insecure]).unwrap();
    assert_eq!(parsed.warnings[0].key, "storage.oci.repository.insecure");
    assert!(parsed.warnings[0].message.contains("has no effect"));
    let parsed = parse(&[insecure, ("storage.oci.repository", "r.io/sigs")]).unwrap();
    assert!(parsed.warnings.is_empty());
}

#[test]
fn the_grace_of_a_deleted_run_is_a_duration_as_go_writes_it() {
    let grace = |value: &str| {
        let own = BTreeMap::from([("finalizer.grace".to_owned(), value.to_owned())]);
        let parsed = Config::parse(&BTreeMap::new(), &own);
        parsed.map(|parsed| parsed.config.finalizer_grace.as_secs())
    };
    for (value, seconds) in [("10m", 600), ("1h30m", 5400), ("0s", 0), ("0", 0)] {
        assert_eq!(grace(value).unwrap(), seconds, "{value}");
    }
    for value in ["", "10", "-1m", "ten minutes", "9999999999h"] {
        let text = grace(value).unwrap_err().to_string();
        assert!(
            text.contains("in windlass-config, finalizer.grace"),
            "{text}"
        );
    }
    assert_eq!(Config::default().finalizer_grace.as_secs(), 600);
}

fn parse_windlass(pairs: &[(&str, &str)]) -> Result<Parsed, ConfigError> {
    let own = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Config::parse(&BTreeMap::new(), &own)
}

#[test]
fn networks_and_token_services_are_read_from_windlass_config() {
    let parsed = parse_windlass(&[
        ("network.allow", "127.0.0.0/8, registry.corp"),
        ("network.deny", "10.0.0.0/8"),
        (
            "registries.token-services",
            "registry.corp login.example.com\n",
        ),
    ])
    .unwrap();
    assert!(parsed.warnings.is_empty());
    let storage = parsed.config.storage;
    assert_eq!(
        storage.network.allow.to_string(),
        "127.0.0.0/8,registry.corp"
    );
    assert_eq!(storage.network.deny.to_string(), "10.0.0.0/8");
    assert!(
        storage
            .token_services
            .has("registry.corp", "login.example.com")
    );
}

#[test]
fn an_entry_that_is_no_network_or_token_service_is_an_error_that_names_it() {
    let error = parse_windlass(&[
        ("network.allow", "127.0.0.0/8,10.0.0.0/99"),
        ("network.deny", "registry:5000"),
        (
            "registries.token-services",
            "registry.corp https://login.corp",
        ),
    ])
    .unwrap_err();
    let text = error.to_string();
    for part in [
        "network.allow: \"10.0.0.0/99\" is not allowed",
        "network.deny: \"registry:5000\" is not allowed",
        "host names without port",
        "use lines of REGISTRY HOST",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn the_log_has_settings_of_our_own_and_an_invalid_one_is_refused_by_name() {
    let both = |chains: &[(&str, &str)], own: &[(&str, &str)]| {
        let map = |entries: &[(&str, &str)]| {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            entries.collect::<BTreeMap<_, _>>()
        };
        Config::parse(&map(chains), &map(own))
    };
    let key = include_str!("../../tests/fixtures/keys/cosign3-p256/cosign.pub");
    let own = [
        ("transparency.mode", "deferred"),
        ("transparency.public-key", key),
    ];
    let settings = both(&[], &own).unwrap().config.transparency;
    assert_eq!(settings.need, LogNeed::Deferred);
    assert_eq!(settings.public_key.unwrap().to_pem(), key);
    assert_eq!(
        both(&[], &[]).unwrap().config.transparency.need,
        LogNeed::Required
    );
    for (name, value) in [
        ("transparency.mode", "later"),
        ("transparency.public-key", "x"),
    ] {
        let error = both(&[], &[(name, value)]).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    let warnings = |url: &str, own: &[(&str, &str)]| {
        let chains = [("transparency.enabled", "true"), ("transparency.url", url)];
        both(&chains, own).unwrap().warnings.len()
    };
    for (url, count) in [
        ("https://rekor.example", 0),
        ("http://rekor-server.rekor-system.svc", 1),
        ("http://127.0.0.1:3000", 0),
        ("http://127.0.0.1.example", 1),
        ("http://localhost.example", 1),
    ] {
        assert_eq!(warnings(url, &[]), count, "{url}");
        assert_eq!(warnings(url, &own), 0, "{url}");
    }
}

#[test]
fn a_log_of_version_2_needs_its_key_and_a_timestamp_authority_its_certificates() {
    let parse = |enabled: &str, keyless: &str, own: &[(&str, &str)]| {
        let map = |entries: &[(&str, &str)]| {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            entries.collect::<BTreeMap<_, _>>()
        };
        let chains = [
            ("transparency.enabled", enabled),
            ("signers.x509.fulcio.enabled", keyless),
        ];
        Config::parse(&map(&chains), &map(own))
    };
    let key = include_str!("../../tests/fixtures/keys/cosign3-p256/cosign.pub");
    let chain = include_str!("../../tests/fixtures/x509/p256-certificate.pem");
    let two = ("transparency.version", "2");
    let public = ("transparency.public-key", key);
    let url = (
        "transparency.timestamp-url",
        "https://time.example/api/v1/timestamp",
    );
    let certificates = ("transparency.timestamp-chain", chain);
    let bundles = ("storage.oci.encoding-format", "both");
    let all = [two, public, url, certificates, bundles];
    let parsed = parse("true", "true", &all).unwrap();
    assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
    let settings = parsed.config.transparency;
    assert_eq!(settings.version, LogVersion::Two);
    assert_eq!(settings.timestamps.unwrap().authorities[0].chain.len(), 1);
    for (own, key) in [
        (&[two][..], "transparency.public-key"),
        (&[("transparency.version", "3")], "transparency.version"),
        (&[url], "transparency.timestamp-chain"),
        (
            &[url, ("transparency.timestamp-chain", "x")],
            "transparency.timestamp-chain",
        ),
        (&[("transparency.origin", "a b")], "transparency.origin"),
        (&[("transparency.origin", "a\nb")], "transparency.origin"),
    ] {
        let error = parse("true", "false", own).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
    // nothing is asked of a log that is off
    assert!(parse("false", "false", &[two]).is_ok());
    for (keyless, own, warned) in [
        ("true", &[two, public, bundles][..], "tells no time"),
        ("false", &[two, public], "under tags"),
    ] {
        let warnings = parse("true", keyless, own).unwrap().warnings;
        let [warning] = &warnings[..] else {
            panic!("one warning, not {warnings:?}");
        };
        assert!(warning.message.contains(warned), "{warning:?}");
    }
    let off = parse("false", "false", &[url, certificates])
        .unwrap()
        .warnings;
    assert!(off[0].message.contains("transparency.enabled is not set"));
}
