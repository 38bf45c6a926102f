//! Accounts and their credentials for a registry, checked and granted on the command line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_sandbox::registry::{self, Accounts, Authentication, Grant, Registry, User};

use crate::scene::Scene;
use crate::shell::Outcome;

/// A cluster and a registry in which `robot` may push to `team` and `reader` may only pull.
struct RegistryScene {
    scene: Scene,
    registry: Registry,
}

impl RegistryScene {
    /// One where anybody may push.
    fn open() -> Self {
        let scene = Scene::new(&[]);
        let options = registry::Options::default();
        let registry = scene.runtime.block_on(Registry::start(options)).unwrap();
        Self { scene, registry }
    }

    fn new() -> Self {
        let users = [
            User::new(
                "robot",
                "wine-dark",
                [Grant::push("team"), Grant::pull("team")],
            ),
            User::new("reader", "rosy-fingered", [Grant::pull("team")]),
        ];
        let options = registry::Options {
            authentication: Authentication::Basic(Accounts::of(users)),
            ..registry::Options::default()
        };
        let scene = Scene::new(&[]);
        let registry = scene.runtime.block_on(Registry::start(options)).unwrap();
        for user in ["robot", "reader"] {
            let config = registry.docker_config(user).unwrap();
            scene.shell.write(user, config);
        }
        Self { scene, registry }
    }

    fn account(&self, secrets: &[&str]) {
        let names = secrets.iter().map(|name| json!({ "name": name }));
        let account = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": "bot", "namespace": "default" },
            "imagePullSecrets": names.collect::<Value>(),
        });
        self.scene.cluster.create(account).unwrap();
    }

    /// Grants the credential of a user under the name of a secret.
    fn grant(&self, user: &str, secret: &str) -> Outcome {
        self.scene.shell.run(&format!(
            "registry grant --docker-config {user} -n default --service-account bot --secret {secret}"
        ))
    }

    #[track_caller]
    fn check(&self, repository: &str, code: i32) -> String {
        let host = self.registry.host();
        let line = format!("registry check {host}/{repository} -n default --service-account bot");
        let outcome = self.scene.shell.run(&line);
        let all = outcome.stdout + &outcome.stderr;
        assert_eq!(outcome.code, code, "{all}");
        for password in ["wine-dark", "rosy-fingered"] {
            assert!(!all.contains(password), "{all}");
        }
        all.replace(&host, "HOST")
    }
}

/// The page on registries shows this output, columns aside.
#[track_caller]
fn is_shown_in_docs(output: &str) {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/registries.md");
    let page = std::fs::read_to_string(page).unwrap();
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let output = output.replace("HOST", "registry.example.com");
    assert!(plain(&page).contains(&plain(&output)), "{output}");
}

#[track_caller]
fn has(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted:?} is not in\n{text}");
    }
}

#[test]
fn an_account_that_was_granted_a_credential_may_push() {
    let it = RegistryScene::new();
    let outcome = it.grant("robot", "registry-credentials");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(
        outcome.stdout,
        "secret/registry-credentials created\nserviceaccount/bot created\n"
    );
    let text = it.check("team/app", 0);
    has(
        &text,
        &["push with: secret default/registry-credentials", "HOST"],
    );
    assert_eq!(it.registry.open_uploads(), 0);
}

#[test]
fn granting_twice_changes_nothing_and_keeps_what_the_account_has() {
    let it = RegistryScene::new();
    it.account(&["earlier"]);
    assert_eq!(it.grant("reader", "pull").code, 0);
    assert_eq!(it.grant("robot", "push").code, 0);
    let account = || {
        let found = it.scene.cluster.get("serviceaccounts", "default", "bot");
        found.unwrap()
    };
    let before = account();
    let names = json!([{ "name": "earlier" }, { "name": "pull" }, { "name": "push" }]);
    assert_eq!(before["imagePullSecrets"], names);
    let again = it.grant("robot", "push");
    assert_eq!(
        again.stdout,
        "secret/push unchanged\nserviceaccount/bot unchanged\n"
    );
    assert_eq!(account(), before);
    // another credential under the same name
    let outcome = it.grant("reader", "push");
    assert_eq!(
        outcome.stdout,
        "secret/push changed\nserviceaccount/bot unchanged\n"
    );
}

#[test]
fn an_account_without_a_credential_is_told_how_to_get_one() {
    let it = RegistryScene::new();
    it.account(&["gone"]);
    let text = it.check("team/app", 1);
    is_shown_in_docs(&text);
    has(
        &text,
        &[
            "secret default/gone",
            "it does not exist",
            "no, HTTP 401",
            "windlass registry grant --docker-config FILE -n default --service-account bot",
        ],
    );
}

#[test]
fn a_credential_that_may_only_pull_is_shown_as_that_and_the_next_one_is_used() {
    let it = RegistryScene::new();
    it.grant("reader", "pull");
    let text = it.check("team/app", 1);
    is_shown_in_docs(&text);
    has(
        &text,
        &[
            "1   secret default/pull",
            "yes, image not found   no, HTTP 403",
            "none of its credentials has push access",
        ],
    );
    it.grant("robot", "push");
    has(
        &it.check("team/app", 0),
        &["push with: secret default/push"],
    );
}

#[test]
fn a_credential_for_another_path_is_named_as_without_an_entry() {
    let it = RegistryScene::new();
    let config = it.registry.docker_config("robot").unwrap();
    let host = it.registry.host();
    it.scene
        .shell
        .write("team", config.replace(&host, &format!("{host}/team")));
    it.grant("team", "team");
    let text = it.check("team-b/app", 1);
    is_shown_in_docs(&text);
    has(
        &text,
        &["secret default/team: it has no entry for HOST/team-b/app"],
    );
    it.check("team/app", 0);
}

#[test]
fn the_account_of_the_operator_is_warned_of_with_the_way_round_it() {
    let it = RegistryScene::new();
    let line = "registry grant --docker-config robot -n default --service-account pipeline";
    let outcome = it.scene.shell.run(line);
    assert_eq!(outcome.code, 0);
    has(
        &outcome.stderr,
        &[
            "resets the account pipeline",
            "spec.taskRunTemplate.serviceAccountName",
        ],
    );
}

#[test]
fn a_file_without_credentials_is_refused_before_anything_is_written() {
    let it = RegistryScene::new();
    for (content, text) in [
        ("no", "is not JSON"),
        ("{}", "has no `auths`"),
        (
            r#"{"auths": {"r.io": {}}, "credsStore": "desktop"}"#,
            "credential helper",
        ),
        (
            r#"{"auths": {"r.io": {"auth": ""}}}"#,
            "log in to the registry first",
        ),
    ] {
        it.scene.shell.write("config", content);
        let outcome = it.grant("config", "x");
        assert_eq!(outcome.code, 2, "{content}");
        has(&outcome.stderr, &[text]);
    }
    assert!(it.scene.cluster.get("secrets", "default", "x").is_none());
    let opaque = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": { "name": "x", "namespace": "default" },
    });
    it.scene.cluster.create(opaque).unwrap();
    has(&it.grant("robot", "x").stderr, &["with the type Opaque"]);
}

#[test]
fn only_the_entries_of_the_registries_asked_for_get_into_the_cluster() {
    let it = RegistryScene::new();
    let config = r#"{"auths": {
        "r.io/team": {"auth": "YTpi"}, "r.io/other": {"auth": "Yzpk"}, "docker.io": {"auth": "ZTpm"}
    }, "HttpHeaders": {"X-Secret": "wine-dark"}}"#;
    it.scene.shell.write("all", config);
    let refused = it.grant("all", "x");
    assert_eq!(refused.code, 2);
    has(
        &refused.stderr,
        &["docker.io, r.io/other, r.io/team", "--registry"],
    );
    assert!(it.scene.cluster.get("secrets", "default", "x").is_none());

    let entries = || {
        let secret = it.scene.cluster.get("secrets", "default", "x").unwrap();
        let config = secret["data"][".dockerconfigjson"]
            .as_str()
            .unwrap()
            .to_owned();
        let config: Value = serde_json::from_slice(&STANDARD.decode(config).unwrap()).unwrap();
        config
    };
    let granted = it.grant("all", "x --registry r.io/team");
    assert_eq!(granted.code, 0, "{}", granted.stderr);
    has(&granted.stderr, &["copying the entries for r.io/team"]);
    assert_eq!(entries(), json!({"auths": {"r.io/team": {"auth": "YTpi"}}}));
    // another one is added, and what the secret has stays
    assert_eq!(it.grant("all", "x --registry docker.io").code, 0);
    let both = json!({"auths": {"r.io/team": {"auth": "YTpi"}, "docker.io": {"auth": "ZTpm"}}});
    assert_eq!(entries(), both);
    let again = it.grant("all", "x --registry r.io/team --registry docker.io");
    has(&again.stdout, &["secret/x unchanged"]);
    for (registry, text) in [
        ("r.com", "no credential for r.com"),
        ("*", "without wildcards"),
    ] {
        let refused = it.grant("all", &format!("x --registry {registry}"));
        assert_eq!(refused.code, 2);
        has(&refused.stderr, &[text]);
    }
}

#[test]
fn a_registry_that_does_not_answer_is_no_verdict() {
    let it = RegistryScene::new();
    it.account(&[]);
    let line = "registry check 127.0.0.1:1/team/app -n default --service-account bot";
    it.scene
        .shell
        .fail(2, line, "no complete response from 127.0.0.1:1");
}

#[test]
fn an_account_that_does_not_exist_is_no_verdict_and_is_named() {
    let it = RegistryScene::new();
    let host = it.registry.host();
    for flags in [
        "-n default --service-account typo",
        "-n nope --service-account bot",
    ] {
        let line = format!("registry check {host}/team/app {flags}");
        let outcome = it.scene.shell.run(&line);
        assert_eq!(outcome.code, 2, "{flags}: {}", outcome.stdout);
        has(&outcome.stdout, &["it does not exist", "is not known"]);
        assert!(!outcome.stdout.contains("Grant one"), "{}", outcome.stdout);
    }
}

#[test]
fn an_account_that_does_not_exist_is_named_where_anybody_may_push_too() {
    let it = RegistryScene::open();
    let host = it.registry.host();
    let line = format!("registry check {host}/team/app -n default --service-account typo");
    let outcome = it.scene.shell.run(&line);
    assert_eq!(outcome.code, 0, "{}", outcome.stdout);
    has(
        &outcome.stdout,
        &[
            "warning: service account default/typo: it does not exist",
            "push with: no credential",
        ],
    );
}

#[test]
fn a_secret_of_the_wrong_type_is_told_by_its_type() {
    let it = RegistryScene::new();
    let config = it.registry.docker_config("robot").unwrap();
    let secrets = [
        (
            "a",
            ".dockerconfigjson",
            "--type=kubernetes.io/dockerconfigjson",
        ),
        ("b", ".dockercfg", "--type=kubernetes.io/dockercfg"),
        (
            "c",
            "docker-config.json",
            "none of the entries with credentials",
        ),
    ];
    for (name, entry, _) in secrets {
        it.scene.create(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": { "name": name, "namespace": "default" },
            "data": { entry: STANDARD.encode(&config) },
        }));
    }
    it.account(&secrets.map(|(name, ..)| name));
    let text = it.check("team/app", 1);
    for (name, _, told) in secrets {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("secret default/{name}:")));
        has(line.unwrap_or_default(), &["type is Opaque", told]);
    }
    assert!(!text.contains("no entry for"), "{text}");
}

#[test]
fn a_refusal_of_the_api_server_is_one_short_sentence() {
    let it = RegistryScene::new();
    let grant = |flags: &str| {
        let line = format!("registry grant --docker-config robot {flags}");
        it.scene.shell.run(&line)
    };
    for (flags, told) in [
        (
            "-n nope --service-account bot",
            "namespaces \"nope\" not found (HTTP 404)",
        ),
        (
            "-n default --service-account Bad_Name",
            "service account \"Bad_Name\"",
        ),
        (
            "-n default --service-account bot --secret A",
            "secret \"A\"",
        ),
    ] {
        let outcome = grant(flags);
        assert_eq!(outcome.code, 2, "{flags}");
        has(&outcome.stderr, &[told]);
        for word in ["Status {", "ApiError", "Some("] {
            assert!(!outcome.stderr.contains(word), "{}", outcome.stderr);
        }
        assert!(outcome.stderr.len() < 400, "{}", outcome.stderr);
    }
}
