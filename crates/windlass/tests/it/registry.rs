//! Accounts and their credentials for a registry, checked and granted on the command line.

use serde_json::{Value, json};
use windlass_sandbox::registry::{self, Accounts, Authentication, Grant, Registry, User};
use windlass_sandbox::{Cluster, Options};

use crate::shell::{Outcome, Shell};

/// A cluster and a registry in which `robot` may push to `team` and `reader` may only pull.
struct Setting {
    shell: Shell,
    cluster: Cluster,
    registry: Registry,
    _runtime: tokio::runtime::Runtime,
}

impl Setting {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
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
        let registry = runtime.block_on(Registry::start(options)).unwrap();
        let cluster = runtime
            .block_on(Cluster::start(Options::default()))
            .unwrap();
        let mut shell = Shell::new();
        shell.kubeconfig = Some(cluster.kubeconfig());
        for user in ["robot", "reader"] {
            shell.write(user, registry.docker_config(user).unwrap());
        }
        Self {
            shell,
            cluster,
            registry,
            _runtime: runtime,
        }
    }

    fn account(&self, secrets: &[&str]) {
        let names = secrets.iter().map(|name| json!({ "name": name }));
        let account = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": "bot", "namespace": "default" },
            "imagePullSecrets": names.collect::<Value>(),
        });
        self.cluster.create(account).unwrap();
    }

    /// Grants the credential of a user under the name of a secret.
    fn grant(&self, user: &str, secret: &str) -> Outcome {
        self.shell.run(&format!(
            "registry grant --docker-config {user} -n default --service-account bot --secret {secret}"
        ))
    }

    #[track_caller]
    fn check(&self, repository: &str, code: i32) -> String {
        let host = self.registry.host();
        let line = format!("registry check {host}/{repository} -n default --service-account bot");
        let outcome = self.shell.run(&line);
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
    let setting = Setting::new();
    let outcome = setting.grant("robot", "registry-credentials");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(
        outcome.stdout,
        "secret/registry-credentials created\nserviceaccount/bot created\n"
    );
    let text = setting.check("team/app", 0);
    has(
        &text,
        &["push with: secret default/registry-credentials", "HOST"],
    );
    assert_eq!(setting.registry.open_uploads(), 0);
}

#[test]
fn granting_twice_changes_nothing_and_keeps_what_the_account_has() {
    let setting = Setting::new();
    setting.account(&["earlier"]);
    assert_eq!(setting.grant("reader", "pull").code, 0);
    assert_eq!(setting.grant("robot", "push").code, 0);
    let account = || {
        let found = setting.cluster.get("serviceaccounts", "default", "bot");
        found.unwrap()
    };
    let before = account();
    let names = json!([{ "name": "earlier" }, { "name": "pull" }, { "name": "push" }]);
    assert_eq!(before["imagePullSecrets"], names);
    let again = setting.grant("robot", "push");
    assert_eq!(
        again.stdout,
        "secret/push unchanged\nserviceaccount/bot unchanged\n"
    );
    assert_eq!(account(), before);
    // another credential under the same name
    let outcome = setting.grant("reader", "push");
    assert_eq!(
        outcome.stdout,
        "secret/push changed\nserviceaccount/bot unchanged\n"
    );
}

#[test]
fn an_account_without_a_credential_is_told_how_to_get_one() {
    let setting = Setting::new();
    setting.account(&["gone"]);
    let text = setting.check("team/app", 1);
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
    let setting = Setting::new();
    setting.grant("reader", "pull");
    let text = setting.check("team/app", 1);
    is_shown_in_docs(&text);
    has(
        &text,
        &[
            "1   secret default/pull",
            "yes, image not found   no, HTTP 403",
            "none of its credentials has push access",
        ],
    );
    setting.grant("robot", "push");
    has(
        &setting.check("team/app", 0),
        &["push with: secret default/push"],
    );
}

#[test]
fn a_credential_for_another_path_is_named_as_without_an_entry() {
    let setting = Setting::new();
    let config = setting.registry.docker_config("robot").unwrap();
    let host = setting.registry.host();
    setting
        .shell
        .write("team", config.replace(&host, &format!("{host}/team")));
    setting.grant("team", "team");
    let text = setting.check("team-b/app", 1);
    is_shown_in_docs(&text);
    has(
        &text,
        &["secret default/team: it has no entry for HOST/team-b/app"],
    );
    setting.check("team/app", 0);
}

#[test]
fn the_account_of_the_operator_is_warned_of_with_the_way_round_it() {
    let setting = Setting::new();
    let line = "registry grant --docker-config robot -n default --service-account pipeline";
    let outcome = setting.shell.run(line);
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
    let setting = Setting::new();
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
        setting.shell.write("config", content);
        let outcome = setting.grant("config", "x");
        assert_eq!(outcome.code, 2, "{content}");
        has(&outcome.stderr, &[text]);
    }
    assert!(setting.cluster.get("secrets", "default", "x").is_none());
    let opaque = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": { "name": "x", "namespace": "default" },
    });
    setting.cluster.create(opaque).unwrap();
    has(
        &setting.grant("robot", "x").stderr,
        &["with the type Opaque"],
    );
}

#[test]
fn a_registry_that_does_not_answer_is_no_verdict() {
    let setting = Setting::new();
    setting.account(&[]);
    let line = "registry check 127.0.0.1:1/team/app -n default --service-account bot";
    setting
        .shell
        .fail(2, line, "no complete response from 127.0.0.1:1");
}
