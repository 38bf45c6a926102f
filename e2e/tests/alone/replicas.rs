//! Two controllers share the work, and one is killed while runs finish.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::{
    Cosign, Follow, Kind, Registry, Shell, Testbed, guide, images, metrics, on_both_clusters, runs,
};

on_both_clusters!(a_replica_that_is_killed_at_load_loses_nothing_and_stores_nothing_twice);

/// Namespaces, of which both replicas have some.
const TEAMS: usize = 12;
/// Rounds in which one run of each team ends, before and after the kill.
const ROUNDS: (usize, usize) = (4, 6);
/// Bound on the time from the end of a run to its mark.
const GAP: Duration = Duration::from_secs(20);
/// What is printed of a run whenever it changes: name, whether it has ended, whether it is signed.
const WATCH: &str = r#"kubectl get taskruns --all-namespaces --watch -o jsonpath='{.metadata.name}{" "}{.status.conditions[0].status}{" "}{.metadata.annotations.chains\.tekton\.dev/signed}{"\n"}'"#;
const REPLICA: &str = "windlass-replica-1";

fn a_replica_that_is_killed_at_load_loses_nothing_and_stores_nothing_twice(
    kind: Kind,
) -> Result<()> {
    Testbed::with(kind, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        prepare(&shell)?;
        // the first lease is the first controller's
        holder(&shell, "windlass-replica-0", |holder| !holder.is_empty())?;
        let second = testbed.start_replica("second")?;
        holder(&shell, REPLICA, |holder| {
            holder.starts_with("windlass/second_")
        })?;
        metrics::wait(&second, "windlass_replicas", |count| {
            (count - 2.0).abs() < 0.1
        })?;
        metrics::wait(&second, "windlass_share", |share| (share - 0.5).abs() < 0.1)?;

        let watch = shell.follow(WATCH)?;
        // what exists comes first: nothing that happens from now on is missed
        watch.next_line()?;
        for round in 0..ROUNDS.0 {
            finish(&shell, &registry, round)?;
        }
        // it takes part
        let signed = "watcher_taskrun_marked_signed_total";
        metrics::wait(&second, signed, |count| count >= 1.0)?;
        finish(&shell, &registry, ROUNDS.0)?;
        testbed.kill_replica()?;
        for round in ROUNDS.0 + 1..ROUNDS.0 + ROUNDS.1 {
            finish(&shell, &registry, round)?;
        }

        let count = TEAMS * (ROUNDS.0 + ROUNDS.1);
        let longest = longest_wait(&watch, count)?;
        ensure!(longest <= GAP, "a run waited for {longest:?}");
        all_is_there_once(&shell, &registry, count)
    })
}

/// The key, the settings, and a namespace with an account for each team.
fn prepare(shell: &Shell) -> Result<()> {
    shell.ok(guide::KEY_PAIR)?;
    images::configure(
        shell,
        &[
            ("artifacts.oci.storage", "oci"),
            ("artifacts.taskrun.storage", "tekton,oci"),
            ("artifacts.taskrun.format", "slsa/v1"),
        ],
    )?;
    let teams = (0..TEAMS).flat_map(|team| {
        let name = format!("team-{team}");
        [
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": { "name": "default", "namespace": name },
            }),
        ]
    });
    let teams = json!({ "apiVersion": "v1", "kind": "List", "items": teams.collect::<Vec<_>>() });
    shell.write("teams.json", teams.to_string())?;
    shell.ok("kubectl apply -f teams.json")?;
    let all = TEAMS * (ROUNDS.0 + ROUNDS.1);
    let mut list = runs::batch("load", all);
    for (number, run) in list["items"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .enumerate()
    {
        run["metadata"]["namespace"] = json!(format!("team-{}", number % TEAMS));
    }
    shell.write("load.json", list.to_string())?;
    shell.ok("kubectl create -f load.json")?;
    Ok(())
}

/// Waits until the holder of a lease is like this.
fn holder(shell: &Shell, lease: &str, is: impl Fn(&str) -> bool) -> Result<()> {
    let began = Instant::now();
    loop {
        let path = "jsonpath='{.spec.holderIdentity}'";
        let output = shell.run(&format!("kubectl get lease {lease} -o {path}"))?;
        if output.code == 0 && is(output.stdout.trim()) {
            return Ok(());
        }
        ensure!(
            began.elapsed() < Duration::from_secs(60),
            "the lease {lease} is held by {:?}",
            output.stdout
        );
    }
}

fn digest(number: usize) -> String {
    format!("{:064x}", number + 1)
}

/// Ends one run of each team, all at once.
fn finish(shell: &Shell, registry: &Registry, round: usize) -> Result<()> {
    let mut patches = Vec::new();
    for team in 0..TEAMS {
        let number = round * TEAMS + team;
        let digest = format!("sha256:{}", digest(number));
        let status = json!({ "status": {
            "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
            "startTime": "2026-11-23T10:00:00Z",
            "completionTime": "2026-11-23T10:01:00Z",
            "results": [
                { "name": "IMAGE_URL", "type": "string", "value": repository(registry, team) },
                { "name": "IMAGE_DIGEST", "type": "string", "value": digest },
            ],
        }});
        let file = format!("status-{number}.json");
        shell.write(&file, status.to_string())?;
        patches.push(format!(
            "kubectl patch taskrun/load-{number} -n team-{team} --subresource=status --type=merge \
             --patch-file={file} &"
        ));
    }
    shell.ok(&format!("{} wait", patches.join(" ")))?;
    Ok(())
}

fn repository(registry: &Registry, team: usize) -> String {
    format!("{}/team-{team}/app", registry.host())
}

/// The longest time from the end of a run to its mark, as a watch of the cluster sees both.
fn longest_wait(watch: &Follow, runs: usize) -> Result<Duration> {
    let mut ends: HashMap<String, Instant> = HashMap::new();
    let mut waits: BTreeMap<String, Duration> = BTreeMap::new();
    while waits.len() < runs {
        let (at, line) = watch.next_line()?;
        let words: Vec<&str> = line.split(' ').collect();
        let [name, "True", mark] = words[..] else {
            continue;
        };
        let end = *ends.entry(name.to_owned()).or_insert(at);
        if mark == "true" {
            waits.entry(name.to_owned()).or_insert(at - end);
        }
    }
    waits.into_values().max().context("no run was signed")
}

/// Every run has one signature, and every image one signature and one attestation.
fn all_is_there_once(shell: &Shell, registry: &Registry, count: usize) -> Result<()> {
    let list = shell.ok("kubectl get taskruns --all-namespaces -l batch=load -o json")?;
    let list: Value = serde_json::from_str(&list)?;
    let items = list["items"].as_array().context("a list without items")?;
    ensure!(items.len() == count, "{} runs are there", items.len());
    for run in items {
        let name = &run["metadata"]["name"];
        let annotations = run["metadata"]["annotations"].as_object();
        let annotations = annotations.with_context(|| format!("{name} has no annotations"))?;
        for prefix in ["signature-taskrun-", "payload-taskrun-"] {
            let prefix = format!("chains.tekton.dev/{prefix}");
            let found = annotations.keys().filter(|key| key.starts_with(&prefix));
            ensure!(
                found.count() == 1,
                "{name}: {prefix} is there more than once, or not"
            );
        }
        ensure!(
            run["metadata"]["finalizers"].is_null(),
            "{name} keeps its finalizer"
        );
    }
    let key = "--key k8s://openshift-pipelines/signing-secrets";
    for number in 0..count {
        let repository = repository(registry, number % TEAMS);
        let digest = digest(number);
        for suffix in ["sig", "att"] {
            let manifest = shell.ok(&format!(
                "oras manifest fetch --plain-http {repository}:sha256-{digest}.{suffix}"
            ))?;
            let manifest: Value = serde_json::from_str(&manifest)?;
            let layers = manifest["layers"].as_array().context("no layers")?;
            ensure!(
                layers.len() == 1,
                "{repository}@sha256:{digest} has {} layers under .{suffix}",
                layers.len()
            );
        }
    }
    for number in [0, count / 2, count - 1] {
        let team = number % TEAMS;
        shell.ok(&format!(
            "windlass verify {key} -n team-{team} taskrun/load-{number}"
        ))?;
    }
    Ok(())
}
