//! A real registry with a password, and every way in which a run's account may have it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use windlass_e2e::guide;
use windlass_e2e::images::{account, finish, push, secret, start, verified};
use windlass_e2e::{Cosign, Kind, Recorded, Registry, Shell, World, on_both_clusters, runs};

on_both_clusters!(
    each_way_of_giving_an_account_its_credential_is_used,
    bundles_listed_under_a_tag_are_verified_by_cosign_3_and_found_by_oras,
    what_is_in_both_encodings_is_verified_by_cosign_2_too,
    a_credential_of_another_path_and_one_that_was_taken_away_leave_the_run_unmarked_and_say_so
);

/// Bound on the time until a run says why it waits.
const LIMIT: Duration = Duration::from_secs(60);

/// A registry, a secret with its credential, and the guide's key and settings.
fn with_registry(
    kind: Kind,
    cosign: Cosign,
    encoding: &str,
    scenario: impl FnOnce(&Shell, &Registry, &str) -> Result<()>,
) -> Result<()> {
    World::with(kind, cosign, |world| {
        let folder = world.shell().folder().to_owned();
        let registry = Registry::start(&folder.join("registry"))?;
        let shell = world
            .shell()
            .clone()
            .with("DOCKER_CONFIG", &folder.display().to_string());
        shell.write("config.json", registry.docker_config(""))?;
        shell.ok(guide::KEY_PAIR)?;
        let data = json!({"data": {
            "artifacts.oci.storage": "oci",
            "artifacts.taskrun.storage": "tekton,oci",
            "storage.oci.encoding-format": encoding,
        }});
        shell.write("settings.json", data.to_string())?;
        shell.ok("kubectl patch configmap chains-config --patch-file settings.json")?;
        secret(&shell, "right", &registry.docker_config(""))?;
        scenario(&shell, &registry, &registry.host())?;
        // the credential is nowhere to be seen
        let seen = shell.ok("kubectl get taskruns,events -o json")?;
        ensure!(
            !seen.contains(Registry::PASSWORD),
            "a password was written down"
        );
        Ok(())
    })
}

fn named(secrets: &[&str]) -> Value {
    let names = secrets.iter().map(|name| json!({ "name": name }));
    names.collect()
}

fn each_way_of_giving_an_account_its_credential_is_used(kind: Kind) -> Result<()> {
    with_registry(kind, Cosign::Two, "dsse", |shell, registry, host| {
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
            verified(shell, &image)?;
        }
        Ok(())
    })
}

/// Lets a run build an image under an account that has the credential.
fn built(shell: &Shell, host: &str) -> Result<String> {
    account(
        shell,
        "build-bot",
        &json!({ "imagePullSecrets": named(&["right"]) }),
    )?;
    let image = push(shell, &format!("{host}/team/app"))?;
    start(shell, "app", "build-bot", &json!({}))?;
    finish(shell, "app", &image)?;
    runs::wait_until_signed(shell, "taskrun/app")?;
    Ok(image)
}

fn bundles_listed_under_a_tag_are_verified_by_cosign_3_and_found_by_oras(kind: Kind) -> Result<()> {
    const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
    for encoding in ["sigstore-bundle", "both"] {
        with_registry(kind, Cosign::Three, encoding, |shell, _, host| {
            let image = built(shell, host)?;
            let key = "--key k8s://openshift-pipelines/signing-secrets";
            let flags = format!("--insecure-ignore-tlog {key}");
            shell.ok(&format!("cosign verify {flags} {image}"))?;
            let kind = "--type slsaprovenance";
            shell.ok(&format!("cosign verify-attestation {flags} {kind} {image}"))?;
            shell.ok(&format!("windlass verify {key} {kind} {image}"))?;
            let listed = shell.ok(&format!("oras discover --plain-http --format json {image}"))?;
            let found = listed.matches(BUNDLE).count();
            ensure!(found == 2, "oras lists {found} bundles, not two: {listed}");
            Ok(())
        })?;
    }
    Ok(())
}

fn what_is_in_both_encodings_is_verified_by_cosign_2_too(kind: Kind) -> Result<()> {
    with_registry(kind, Cosign::Two, "both", |shell, _, host| {
        let image = built(shell, host)?;
        verified(shell, &image)
    })
}

fn a_credential_of_another_path_and_one_that_was_taken_away_leave_the_run_unmarked_and_say_so(
    kind: Kind,
) -> Result<()> {
    with_registry(kind, Cosign::Two, "dsse", |shell, registry, host| {
        secret(shell, "team", &registry.docker_config("/team"))?;
        account(
            shell,
            "path",
            &json!({ "imagePullSecrets": named(&["team"]) }),
        )?;
        let image = push(shell, &format!("{host}/team-b/app"))?;
        start(shell, "path", "path", &json!({}))?;
        finish(shell, "path", &image)?;
        waits(shell, "path")?;

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
        waits(shell, "reset")?;
        let nothing = shell.ok(&format!("windlass tree {image}"))?;
        ensure!(nothing.contains("nothing is attached"), "{nothing}");

        // the run is not lost: it is signed once its account has the credential again
        shell.write(
            "account.json",
            json!({ "secrets": named(&["right"]) }).to_string(),
        )?;
        shell.ok("kubectl patch serviceaccount reset --patch-file account.json")?;
        runs::wait_until_signed(shell, "taskrun/reset")?;
        verified(shell, &image)
    })
}

/// Waits until the run says that nobody may push, and sees that it is not marked.
fn waits(shell: &Shell, name: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        let run = Recorded::get(shell, name)?;
        let reason = run.annotation("reason");
        if reason.contains("no credential: HTTP 401") {
            let signed = run.annotation("signed");
            ensure!(signed.is_empty(), "{name} is marked {signed:?}");
            return Ok(());
        }
        if start.elapsed() > LIMIT {
            bail!("{name} does not say why it waits: {reason:?}");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
