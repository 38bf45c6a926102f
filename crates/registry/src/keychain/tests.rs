//! Facts about candidates: which there are, in which order, and what is said of the others.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::*;
use crate::auth::Credential;
use crate::auth::challenge::Access;

fn repository(name: &str) -> Repository {
    Repository::parse(name).unwrap()
}

fn secret(name: &str, kind: &str, entry: &str, content: &str) -> Source {
    Source::Secret(Secret {
        name: format!("ns/{name}"),
        kind: kind.to_owned(),
        data: BTreeMap::from([(entry.to_owned(), Zeroizing::new(content.into()))]),
        annotations: BTreeMap::new(),
    })
}

fn docker(name: &str, content: &str) -> Source {
    secret(
        name,
        "kubernetes.io/dockerconfigjson",
        ".dockerconfigjson",
        content,
    )
}

/// `{"auths": {KEY: {username: "u", password: PASSWORD}}}`.
fn auths(entries: &[(&str, &str)]) -> String {
    let entry = |password: &str| serde_json::json!({"username": "u", "password": password});
    let entries = entries
        .iter()
        .map(|(key, password)| ((*key).to_owned(), entry(password)));
    let entries: serde_json::Map<_, _> = entries.collect();
    serde_json::json!({ "auths": entries }).to_string()
}

/// Passwords of the candidates, `-` for none.
fn passwords(found: &Lookup) -> Vec<&str> {
    let password = |candidate: &'_ Candidate| match &candidate.credential {
        Credential::Password { .. } => candidate.credential.secrets()[0].to_owned().leak() as &str,
        _ => "-",
    };
    found.candidates.iter().map(password).collect()
}

#[test]
fn a_credential_that_no_registry_accepts_is_not_used_and_says_so() {
    let long = "x".repeat(700_000);
    let content = auths(&[("r.io", "1"), ("r.io/team", &long)]);
    let token = serde_json::json!({ "auths": { "r.io": { "registrytoken": long } } });
    let sources = [docker("a", &content), docker("b", &token.to_string())];
    let found = find(&sources, &repository("r.io/team/app"));
    assert_eq!(passwords(&found), ["1", "-"]);
    let warnings: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for (warning, source) in warnings.iter().zip(["secret ns/a", "secret ns/b"]) {
        assert!(warning.starts_with(source), "{warning}");
        assert!(warning.contains("more than 65536 bytes"), "{warning}");
    }
}

#[test]
fn no_more_credentials_are_tried_than_a_run_has_time_for() {
    let numbers: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let sources: Vec<Source> = numbers
        .iter()
        .map(|number| docker(number, &auths(&[("r.io", number), ("r.io/team", number)])))
        .collect();
    let found = find(&sources, &repository("r.io/team/app"));
    assert!(found.candidates.iter().count() <= read::TRIED + 1);
    assert!(
        found.warnings[0]
            .to_string()
            .contains("more than 64 credentials")
    );
}

#[test]
fn sources_count_in_their_order_and_within_one_the_longest_match() {
    let sources = [
        docker(
            "a",
            &auths(&[("r.io", "1"), ("r.io/team", "2"), ("r.io/team-b", "3")]),
        ),
        docker("b", &auths(&[("r.io/team/app", "4"), ("q.io", "5")])),
    ];
    let found = find(&sources, &repository("r.io/team/app"));
    assert_eq!(passwords(&found), ["2", "1", "4", "-"]);
    assert_eq!(found.warnings, []);
    let first = found.candidates.iter().next().unwrap();
    assert_eq!(first.source, "secret ns/a");
    assert_eq!(first.key.as_deref(), Some("r.io/team"));
}

#[test]
fn the_same_credential_is_tried_once() {
    let twice = auths(&[("r.io", "1")]);
    let sources = [docker("a", &twice), docker("b", &twice)];
    assert_eq!(
        passwords(&find(&sources, &repository("r.io/app"))),
        ["1", "-"]
    );
}

#[test]
fn every_form_of_secret_is_read() {
    let mut basic = Secret {
        name: "ns/basic".to_owned(),
        kind: "kubernetes.io/basic-auth".to_owned(),
        data: BTreeMap::from([
            ("username".to_owned(), Zeroizing::new(b"u".to_vec())),
            ("password".to_owned(), Zeroizing::new(b"3".to_vec())),
        ]),
        annotations: BTreeMap::from([
            ("tekton.dev/docker-0".to_owned(), "https://q.io".to_owned()),
            ("tekton.dev/docker-1".to_owned(), "https://r.io".to_owned()),
        ]),
    };
    let legacy = r#"{"https://r.io/v1/":{"username":"u","password":"1"}}"#;
    let sources = [
        secret("cfg", "kubernetes.io/dockercfg", ".dockercfg", legacy),
        secret("opaque", "Opaque", "config.json", &auths(&[("r.io", "2")])),
        Source::Secret(basic.clone()),
        Source::DockerConfig {
            path: "/d/config.json".to_owned(),
            content: Zeroizing::new(auths(&[("r.io", "4")]).into()),
        },
    ];
    let found = find(&sources, &repository("r.io/app"));
    assert_eq!(passwords(&found), ["1", "2", "3", "4", "-"]);
    assert_eq!(found.warnings, []);
    basic.annotations.clear();
    let found = find(&[Source::Secret(basic)], &repository("r.io/app"));
    assert_eq!(passwords(&found), ["-"]);
}

#[test]
fn secrets_that_are_not_for_registries_are_passed_over() {
    let sources = [
        secret("ssh", "kubernetes.io/ssh-auth", "ssh-privatekey", "x"),
        secret("other", "Opaque", "key", "x"),
    ];
    let found = find(&sources, &repository("r.io/app"));
    assert_eq!(passwords(&found), ["-"]);
    assert_eq!(found.warnings, []);
}

#[test]
fn one_corrupt_secret_among_three_leaves_the_others_alone() {
    let mixed = r#"{"auths":{"r.io/team":{"auth":"hunter2"},"r.io":{"auth":"dToy"},"user:hunter2@q.io":{}}}"#;
    let sources = [
        docker("corrupt", r#"{"auths":{"r.io":"hunter2"#),
        docker("shape", r#"{"auths":["hunter2"]}"#),
        docker("mixed", mixed),
        secret(
            "missing",
            "kubernetes.io/dockerconfigjson",
            "other",
            "hunter2",
        ),
        Source::Missing {
            name: "ns/gone".to_owned(),
            why: "it does not exist".to_owned(),
        },
        docker("good", &auths(&[("r.io", "3")])),
    ];
    let found = find(&sources, &repository("r.io/team/app"));
    assert_eq!(passwords(&found), ["2", "3", "-"]);
    let warnings: Vec<_> = found.warnings.iter().map(Warning::to_string).collect();
    for name in ["corrupt", "shape", "mixed", "missing", "gone"] {
        let named = format!("secret ns/{name}: ");
        assert!(
            warnings.iter().any(|text| text.starts_with(&named)),
            "{name}: {warnings:?}"
        );
    }
    assert!(!warnings.concat().contains("hunter2"), "{warnings:?}");
}

#[test]
fn a_credential_helper_is_named_as_what_is_missing() {
    let content = r#"{"auths":{"q.io":{}},"credHelpers":{"r.io":"gcloud"},"credsStore":"x"}"#;
    let sources = [docker("a", content)];
    let found = find(&sources, &repository("r.io/app"));
    assert_eq!(found.warnings.len(), 1);
    assert!(found.warnings[0].problem.contains("credential helper"));
}

#[test]
fn what_worked_is_remembered_until_the_secrets_change() {
    let keychain = Keychain::default();
    let account = Account {
        namespace: "ns".to_owned(),
        name: "builder".to_owned(),
    };
    let first = |keys: &[(&str, &str)], account: &Account, name: &str| {
        let sources = [docker("a", &auths(keys))];
        let found = keychain.candidates(account, &sources, &repository(name));
        let order = found
            .candidates
            .order(Access::Push)
            .next()
            .map(|(number, _)| number);
        (order.unwrap(), found.candidates)
    };
    let keys = [("r.io", "1"), ("r.io/team", "2")];
    let (number, candidates) = first(&keys, &account, "r.io/team/app");
    assert_eq!(number, 0);
    candidates.remember(Access::Push, 1);
    assert_eq!(first(&keys, &account, "r.io/team/app").0, 1);
    assert_eq!(first(&keys, &account, "r.io/team/other").0, 0);
    let other = Account {
        namespace: "ns".to_owned(),
        name: "other".to_owned(),
    };
    assert_eq!(first(&keys, &other, "r.io/team/app").0, 0);
    assert_eq!(
        first(
            &[("r.io", "1"), ("r.io/team", "3")],
            &account,
            "r.io/team/app"
        )
        .0,
        0
    );
}

#[test]
fn what_may_push_is_tried_first_for_pulls_too() {
    let sources = [docker("a", &auths(&[("r.io", "1"), ("r.io/team", "2")]))];
    let candidates = find(&sources, &repository("r.io/team/app")).candidates;
    candidates.remember(Access::Push, 1);
    let order: Vec<_> = candidates
        .order(Access::Pull)
        .map(|(number, _)| number)
        .collect();
    assert_eq!(order, [1, 0, 2]);
}

#[test]
fn a_secret_is_printed_without_its_entries() {
    let printed = format!("{:?}", docker("a", &auths(&[("r.io", "hunter2")])));
    assert!(printed.contains("ns/a") && !printed.contains("hunter2"));
}

#[test]
fn a_source_with_many_problems_has_some_of_them_listed_and_no_long_key() {
    let keys = (0..1_000).map(|number| (format!("not an address {number}"), "1".to_owned()));
    let keys: Vec<_> = keys.collect();
    let keys: Vec<_> = keys
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let found = find(&[docker("a", &auths(&keys))], &repository("r.io/app"));
    assert_eq!(found.warnings.len(), 21);
    let last = &found.warnings[20].problem;
    assert_eq!(last, "it has more problems, which are not listed");

    let long = format!(r#"{{"auths": {{"r.io/{}": {{}}}}}}"#, "/".repeat(100_000));
    let found = find(&[docker("a", &long)], &repository("r.io/app"));
    assert!(found.warnings[0].problem.len() < 500);
}

#[test]
fn a_secret_made_without_a_type_is_told_by_what_keeps_it_from_being_read() {
    let config = auths(&[("r.io", "1")]);
    for (entry, told) in [
        (".dockerconfigjson", "--type=kubernetes.io/dockerconfigjson"),
        (".dockercfg", "--type=kubernetes.io/dockercfg"),
        ("docker-config.json", "none of the entries with credentials"),
        ("auth", "none of the entries with credentials"),
    ] {
        let sources = [secret("x", "Opaque", entry, &config)];
        let found = find(&sources, &repository("r.io/app"));
        assert_eq!(passwords(&found), ["-"], "{entry}");
        let problem = &found.warnings[0].problem;
        assert!(problem.contains("type is Opaque"), "{entry}: {problem}");
        assert!(problem.contains(told), "{entry}: {problem}");
    }
}

#[test]
fn a_problem_is_a_candidate_that_is_reported_and_never_sent() {
    let sources = [
        secret("x", "Opaque", ".dockercfg", "{}"),
        docker("a", &auths(&[("r.io", "1")])),
    ];
    let found = find(&sources, &repository("r.io/app"));
    let all = found.candidates.with_problems(&found.warnings);
    let last = all.iter().last().unwrap();
    assert_eq!(last.source, "secret ns/x");
    assert!(matches!(&last.credential, Credential::Unavailable(why) if why.contains("Opaque")));
}
