//! A real registry with a password, and every way in which a run's account may have it.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::guide;
use windlass_e2e::images::{account, configure, finish, push, secret, start, verify};
use windlass_e2e::{Cosign, Kind, Registry, RunRecord, Shell, Testbed, on_both_clusters, runs};

on_both_clusters!(
    each_way_of_giving_an_account_its_credential_is_used,
    a_pull_only_credential_before_the_right_one_is_passed_over_in_both_orders,
    a_credential_of_another_path_and_one_that_was_taken_away_leave_the_run_unmarked_and_say_so
);

/// A registry, a secret with its credential, and the guide's key and settings.
fn with_registry(
    kind: Kind,
    start: fn(&Path) -> Result<Registry>,
    scenario: impl FnOnce(&Shell, &Registry, &str) -> Result<()>,
) -> Result<()> {
    Testbed::with(kind, Cosign::Two, |testbed| {
        let registry = start(&testbed.shell().folder().join("registry"))?;
        let shell = testbed.shell_with_login(&registry.docker_config(""))?;
        shell.ok(guide::KEY_PAIR)?;
        let settings = [
            ("artifacts.oci.storage", "oci"),
            ("artifacts.taskrun.storage", "tekton,oci"),
        ];
        configure(&shell, &settings)?;
        secret(&shell, "right", &registry.docker_config(""))?;
        scenario(&shell, &registry, &registry.host())?;
        // the credential is nowhere to be seen
        let seen = shell.ok("kubectl get taskruns,events -o json")?;
        for password in Registry::PASSWORDS {
            ensure!(!seen.contains(password), "a password was written down");
        }
        Ok(())
    })
}

fn named(secrets: &[&str]) -> Value {
    let names = secrets.iter().map(|name| json!({ "name": name }));
    names.collect()
}

fn each_way_of_giving_an_account_its_credential_is_used(kind: Kind) -> Result<()> {
    with_registry(kind, Registry::start, |shell, registry, host| {
        // not base64, which an API server does not look at
        let corrupt = json!({ "auths": { host: { "auth": "%%%" } } }).to_string();
        secret(shell, "corrupt", &corrupt)?;
        secret(shell, "elsewhere", &registry.docker_config("/elsewhere"))?;
        let ways = [
            (
                "secrets",
                json!({ "secrets": named(&["right"]) }),
                json!({}),
            ),
            (
                "pull-secrets",
                json!({ "imagePullSecrets": named(&["right"]) }),
                json!({}),
            ),
            (
                "pod-template",
                json!({}),
                json!({ "imagePullSecrets": named(&["right"]) }),
            ),
            (
                "corrupt-among-three",
                json!({ "secrets": named(&["corrupt", "elsewhere", "gone", "right"]) }),
                json!({}),
            ),
        ];
        for (name, lists, template) in ways {
            account(shell, name, &lists)?;
            let image = push(shell, &format!("{host}/team/{name}"))?;
            start(shell, name, name, &template)?;
            finish(shell, name, &image)?;
            runs::wait_until_signed(shell, &format!("taskrun/{name}"))?;
            verify(shell, &image)?;
        }
        Ok(())
    })
}

fn a_pull_only_credential_before_the_right_one_is_passed_over_in_both_orders(
    kind: Kind,
) -> Result<()> {
    with_registry(
        kind,
        Registry::start_with_tokens,
        |shell, registry, host| {
            secret(shell, "pull", &registry.pull_only())?;
            for (name, order) in [
                ("pull-first", ["pull", "right"]),
                ("push-first", ["right", "pull"]),
            ] {
                account(shell, name, &json!({ "imagePullSecrets": named(&order) }))?;
                let image = push(shell, &format!("{host}/team/{name}"))?;
                start(shell, name, name, &json!({}))?;
                finish(shell, name, &image)?;
                runs::wait_until_signed(shell, &format!("taskrun/{name}"))?;
                verify(shell, &image)?;
            }
            // it may indeed not push
            account(
                shell,
                "pull-only",
                &json!({ "imagePullSecrets": named(&["pull"]) }),
            )?;
            let image = push(shell, &format!("{host}/team/pull-only"))?;
            start(shell, "pull-only", "pull-only", &json!({}))?;
            finish(shell, "pull-only", &image)?;
            waits(shell, "pull-only", "secret openshift-pipelines/pull")
        },
    )
}

fn a_credential_of_another_path_and_one_that_was_taken_away_leave_the_run_unmarked_and_say_so(
    kind: Kind,
) -> Result<()> {
    with_registry(kind, Registry::start, |shell, registry, host| {
        secret(shell, "team", &registry.docker_config("/team"))?;
        account(
            shell,
            "path",
            &json!({ "imagePullSecrets": named(&["team"]) }),
        )?;
        let image = push(shell, &format!("{host}/team-b/app"))?;
        start(shell, "path", "path", &json!({}))?;
        finish(shell, "path", &image)?;
        waits(shell, "path", "no credential: HTTP 401")?;

        account(
            shell,
            "reset",
            &json!({ "imagePullSecrets": named(&["right"]) }),
        )?;
        start(shell, "reset", "reset", &json!({}))?;
        // as the operator does with the account `pipeline`
        let reset = r#"[{"op": "replace", "path": "/imagePullSecrets", "value": []}]"#;
        shell.write("reset.json", reset)?;
        shell.ok("kubectl patch serviceaccount reset --type=json --patch-file reset.json")?;
        finish(shell, "reset", &image)?;
        waits(shell, "reset", "no credential: HTTP 401")?;
        let nothing = shell.ok(&format!("windlass tree {image}"))?;
        ensure!(nothing.contains("nothing is attached"), "{nothing}");

        // the run is not lost: it is signed once its account has the credential again
        shell.write(
            "account.json",
            json!({ "secrets": named(&["right"]) }).to_string(),
        )?;
        shell.ok("kubectl patch serviceaccount reset --patch-file account.json")?;
        runs::wait_until_signed(shell, "taskrun/reset")?;
        verify(shell, &image)
    })
}

/// Waits until the run says that nobody may push, and sees that it is not marked.
fn waits(shell: &Shell, name: &str, why: &str) -> Result<()> {
    let run = RunRecord::wait(shell, name, "said why it waits", |run| {
        run.annotation("reason").contains(why)
    })?;
    let signed = run.annotation("signed");
    ensure!(signed.is_empty(), "{name} is marked {signed:?}");
    Ok(())
}
