//! A real registry that opens to the controller, and two teams that share a cluster with it.

use anyhow::{Result, ensure};
use serde_json::json;
use windlass_e2e::guide;
use windlass_e2e::images::{configure, configure_windlass, finish, push, start, verify};
use windlass_e2e::{Cosign, Kind, Registry, RunRecord, Shell, Testbed, on_both_clusters, runs};

on_both_clusters!(
    no_team_pushes_into_the_repository_of_another_with_the_controllers_password,
    the_repository_of_the_settings_takes_the_signatures_of_every_team,
);

const SHARED: &str = "registries.shared-credentials";

/// A registry whose password only the controller and the person at the shell have, and the
/// namespaces of two teams.
fn with_teams(
    kind: Kind,
    settings: fn(&str) -> Vec<(&'static str, String)>,
    scenario: impl FnOnce(&Shell, &str) -> Result<()>,
) -> Result<()> {
    Testbed::with(kind, Cosign::Two, |testbed| {
        let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
        testbed.log_in_controller(&registry.docker_config(""))?;
        let shell = testbed.shell_with_login(&registry.docker_config(""))?;
        shell.ok(guide::KEY_PAIR)?;
        let host = registry.host();
        let mut all = settings(&host);
        all.push(("artifacts.oci.storage", "oci".to_owned()));
        all.push(("artifacts.taskrun.storage", "tekton,oci".to_owned()));
        let all: Vec<_> = all
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        configure(&shell, &all)?;
        for team in ["team-a", "team-b"] {
            shell.ok(&format!("kubectl create namespace {team}"))?;
        }
        scenario(&shell, &host)?;
        let seen = shell.ok("kubectl get taskruns,events -A -o json")?;
        for password in Registry::PASSWORDS {
            ensure!(!seen.contains(password), "a password was written down");
        }
        Ok(())
    })
}

/// Makes a team's namespace the current one.
fn work_as(shell: &Shell, team: &str) -> Result<()> {
    shell.ok(&format!(
        "kubectl config set-context --current --namespace={team}"
    ))?;
    Ok(())
}

/// A run of the current team that says that it built an image.
fn built(shell: &Shell, name: &str, image: &str) -> Result<()> {
    start(shell, name, "default", &json!({}))?;
    finish(shell, name, image)
}

/// Waits until a run says that it may not use the controller's password, and sees that it is not
/// marked and that nothing is attached to the image.
fn is_refused(shell: &Shell, name: &str, image: &str) -> Result<()> {
    let run = RunRecord::wait(shell, name, "said why it waits", |run| {
        let reason = run.annotation("reason");
        reason.contains("credentials of the controller: not used") && reason.contains(SHARED)
    })?;
    let signed = run.annotation("signed");
    ensure!(signed.is_empty(), "{name} is marked {signed:?}");
    let tree = shell.ok(&format!("windlass tree {image}"))?;
    ensure!(tree.contains("nothing is attached"), "{tree}");
    Ok(())
}

fn no_team_pushes_into_the_repository_of_another_with_the_controllers_password(
    kind: Kind,
) -> Result<()> {
    with_teams(
        kind,
        |_| Vec::new(),
        |shell, host| {
            // `windlass dev` has one tenant and shares everything unless it is told otherwise
            configure_windlass(shell, &[(SHARED, &format!("team-a {host}/team-a"))])?;
            let prod = push(shell, &format!("{host}/prod/app"))?;
            let of_team_a = push(shell, &format!("{host}/team-a/app"))?;
            let neighbour = push(shell, &format!("{host}/team-a-prod/app"))?;

            work_as(shell, "team-b")?;
            built(shell, "thief", &prod)?;
            is_refused(shell, "thief", &prod)?;
            built(shell, "other-thief", &of_team_a)?;
            is_refused(shell, "other-thief", &of_team_a)?;

            work_as(shell, "team-a")?;
            built(shell, "rightful", &of_team_a)?;
            runs::wait_until_signed(shell, "taskrun/rightful")?;
            verify(shell, &of_team_a)?;
            built(shell, "greedy", &neighbour)?;
            is_refused(shell, "greedy", &neighbour)?;

            // a line for team-b, and nobody has to touch its run
            let lines = format!("team-a {host}/team-a\nteam-b {host}/prod\n");
            configure_windlass(shell, &[(SHARED, &lines)])?;
            work_as(shell, "team-b")?;
            runs::wait_until_signed(shell, "taskrun/thief")?;
            verify(shell, &prod)
        },
    )
}

fn the_repository_of_the_settings_takes_the_signatures_of_every_team(kind: Kind) -> Result<()> {
    let central = |host: &str| vec![("storage.oci.repository", format!("{host}/signatures"))];
    with_teams(kind, central, |shell, host| {
        configure_windlass(shell, &[(SHARED, "")])?;
        for team in ["team-a", "team-b"] {
            let image = push(shell, &format!("{host}/{team}/app"))?;
            work_as(shell, team)?;
            built(shell, "build", &image)?;
            runs::wait_until_signed(shell, "taskrun/build")?;
            let tree = shell.ok(&format!("windlass tree {image}"))?;
            ensure!(tree.contains("nothing is attached"), "{tree}");
            let key = "--key k8s://openshift-pipelines/signing-secrets";
            shell.ok(&format!(
                "windlass verify {key} --signature-repository {host}/signatures {image}"
            ))?;
        }
        Ok(())
    })
}
