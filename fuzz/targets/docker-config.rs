//! Docker configurations: entries are found and selected without a panic, no warning repeats a
//! value, and a selection has nothing but what was asked for.

#![no_main]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use windlass_registry::Repository;
use windlass_registry::keychain::{Lookup, Scope, Secret, Selection, Source, find};
use zeroize::Zeroizing;

/// Longest warning or error without the keys of entries, in bytes.
const LONGEST: usize = 2_000;
/// Most warnings of one source.
const MOST_WARNINGS: usize = 21;
/// A value that no warning repeats.
const SECRET: &str = "s3cr3t-h4rd-t0-gu3ss";
const REPOSITORIES: [&str; 4] = [
    "registry.example.com/team/app",
    "r.io:5000/a/b/c",
    "docker.io/library/app",
    "[::1]:5000/app",
];
const SCOPES: [&str; 4] = [
    "registry.example.com/team",
    "r.io:5000",
    "docker.io",
    "[::1]:5000",
];
const KINDS: [(&str, &str); 4] = [
    ("kubernetes.io/dockerconfigjson", ".dockerconfigjson"),
    ("kubernetes.io/dockercfg", ".dockercfg"),
    ("Opaque", "config.json"),
    ("kubernetes.io/basic-auth", "password"),
];

fuzz_target!(|data: &[u8]| {
    let file = source(data);
    let secrets = KINDS.map(|(kind, entry)| secret(kind, entry, data));
    for repository in REPOSITORIES {
        let repository = Repository::parse(repository).expect("a repository");
        for source in secrets.iter().chain([&file]) {
            check(&find([source], &repository));
        }
    }
    hidden(&String::from_utf8_lossy(data));
    for scope in SCOPES {
        let scope: Scope = scope.parse().expect("a scope");
        select(data, &[scope]);
    }
    select(data, &[]);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(scope) = text.parse::<Scope>()
    {
        assert!(!text.trim().is_empty());
        select(br#"{"auths": {"*.io": {"auth": "YTpi"}}}"#, &[scope]);
    }
});

fn source(content: &[u8]) -> Source {
    Source::DockerConfig {
        path: "config.json".to_owned(),
        content: Zeroizing::new(content.to_vec()),
    }
}

fn secret(kind: &str, entry: &str, data: &[u8]) -> Source {
    let content = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
    let key = String::from_utf8_lossy(data).into_owned();
    Source::Secret(Secret {
        name: "team/registry".to_owned(),
        kind: kind.to_owned(),
        data: BTreeMap::from([
            ("username".to_owned(), content(b"user")),
            (entry.to_owned(), content(data)),
        ]),
        annotations: BTreeMap::from([("tekton.dev/docker-0".to_owned(), key)]),
    })
}

fn check(lookup: &Lookup) {
    let candidates: Vec<_> = lookup.candidates.iter().collect();
    assert!(
        !candidates.is_empty(),
        "no credential is always a candidate"
    );
    assert!(lookup.warnings.len() <= MOST_WARNINGS);
    for warning in &lookup.warnings {
        assert!(!warning.problem.is_empty() && warning.problem.len() <= LONGEST);
    }
}

/// Nothing of an entry is repeated, whatever is wrong with it.
fn hidden(text: &str) {
    let value = format!("{SECRET}{text}");
    let entries = [
        json!({ "auth": &value }),
        json!({ "auth": STANDARD.encode(&value) }),
        json!({ "username": "user", "password": [&value] }),
        json!({ "identitytoken": { (value.as_str()): 1 } }),
        json!(&value),
    ];
    let repository = Repository::parse("r.io/app").expect("a repository");
    for entry in entries {
        let config = json!({ "auths": { "r.io": entry } }).to_string();
        for content in [config.as_str(), &config[..config.len() - 1]] {
            let lookup = find([&source(content.as_bytes())], &repository);
            assert!(!format!("{lookup:?}").contains(SECRET));
            if let Err(error) = Selection::of(content.as_bytes(), &[]) {
                assert!(!error.to_string().contains(SECRET));
            }
        }
    }
}

fn select(config: &[u8], scopes: &[Scope]) {
    let selection = match Selection::of(config, scopes) {
        Ok(selection) => selection,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let keys: Vec<_> = selection.keys().collect();
    assert!(!keys.is_empty());
    let text = selection.to_config();
    let written: Value = serde_json::from_str(&text).expect("JSON");
    let given: Value = serde_json::from_slice(config).expect("JSON");
    for key in keys {
        assert_eq!(written["auths"][key], given["auths"][key]);
    }
    assert_eq!(written.as_object().map(serde_json::Map::len), Some(1));
    let again = Selection::of(text.as_bytes(), scopes).expect("what was written");
    assert!(again == selection);
    assert_eq!(
        selection.added_to(text.as_bytes()).as_deref(),
        Some(text.as_bytes())
    );
}
