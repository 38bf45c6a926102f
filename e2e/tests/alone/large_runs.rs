//! Large runs of one tenant do not end the list of all, and do not decide about the controller's
//! memory.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::guide::SYSTEM_NAMESPACE;
use windlass_e2e::{Bulk, Cosign, Kind, RunRecord, Shell, Testbed, guide, runs};

/// How many there are, and of how many bytes each is: nearly what etcd takes.
const RUNS: usize = 400;
const SIZE: usize = 1_400_000;
/// How many are created, and looked at, together.
const AT_ONCE: usize = 20;
/// The large runs bear the label of a pipeline run that does not own them.
const PIPELINE_RUN: &str = "release";
const LABEL: &str = "tekton.dev/pipelineRun";
/// Labels each with those it was created with.
const PART: &str = "part";
/// Bound on the wait for those created together.
const WAIT: Duration = Duration::from_secs(60);
/// Most memory of the controller, with its key.
const MOST: u64 = 256 << 20;

#[test]
fn four_hundred_runs_of_1_4_mb_are_worked_through_while_another_tenant_is_signed() -> Result<()> {
    Testbed::without_controller(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        runs::configure(&shell, "tekton")?;
        shell.ok(guide::KEY_PAIR)?;
        shell.ok("kubectl create namespace team-b")?;
        let other = shell.beside("team-b")?;
        let bulk = Bulk::connect(testbed.kubeconfig())?;
        for first in (0..RUNS).step_by(AT_ONCE) {
            create(&bulk, first)?;
        }
        testbed.start_controller()?;
        let start = Instant::now();
        other.write("small.json", runs::batch("small", 1).to_string())?;
        other.ok("kubectl create -n team-b -f small.json")?;
        runs::finish(&other, "-n team-b taskrun/small-0")?;
        runs::wait_until_signed(&other, "-n team-b taskrun/small-0")?;
        let took = start.elapsed();
        ensure!(
            took < Duration::from_secs(30),
            "the other tenant waited for {took:?}"
        );
        all_are_signed(&bulk)?;
        a_pipeline_run_is_signed_beside_strangers(&shell)?;
        let peak = testbed.peak_memory()?;
        println!("{} MiB at most", peak >> 20);
        ensure!(peak < MOST, "the controller took {} MiB", peak >> 20);
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}

/// Waits until each of the large runs is marked.
fn all_are_signed(bulk: &Bulk) -> Result<()> {
    for first in (0..RUNS).step_by(AT_ONCE) {
        let begun = Instant::now();
        loop {
            let runs = bulk.metadata(SYSTEM_NAMESPACE, &format!("{PART}={first}"))?;
            let is_signed = |run: &&Value| run["annotations"]["chains.tekton.dev/signed"] == "true";
            let signed = runs.iter().filter(is_signed).count();
            if signed == AT_ONCE {
                break;
            }
            let last = first + AT_ONCE;
            ensure!(
                begun.elapsed() < WAIT,
                "{signed} of large-{first} to large-{last} are signed"
            );
            sleep(Duration::from_secs(1));
        }
    }
    Ok(())
}

/// Lists have the runs in the order of their numbers, and so does the controller.
fn name(number: usize) -> String {
    format!("large-{number:03}")
}

/// The pipeline run has one child; the others only bear its label.
fn a_pipeline_run_is_signed_beside_strangers(shell: &Shell) -> Result<()> {
    let create = |run: &Value| {
        shell.write("run.json", run.to_string())?;
        shell.ok("kubectl create -f run.json")
    };
    create(&json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": { "name": PIPELINE_RUN },
        "spec": { "pipelineRef": { "name": "ci" } },
    }))?;
    let owner = RunRecord::of(shell, &format!("pipelinerun/{PIPELINE_RUN}"))?;
    create(&json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {
            "name": "build",
            "labels": { LABEL: PIPELINE_RUN, "tekton.dev/pipelineTask": "build" },
            "ownerReferences": [{
                "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "controller": true,
                "name": PIPELINE_RUN, "uid": owner.uid(),
            }],
        },
        "spec": { "taskRef": { "name": "build" } },
    }))?;
    runs::finish(shell, "taskrun/build")?;
    let child = json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "name": "build", "pipelineTaskName": "build",
    });
    let status = json!({ "status": {
        "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
        "completionTime": "2026-11-23T10:01:00Z",
        "childReferences": [child],
    }});
    shell.write("ended.json", status.to_string())?;
    shell.ok(&format!(
        "kubectl patch pipelinerun/{PIPELINE_RUN} --subresource=status --type=merge \
         --patch-file=ended.json"
    ))?;
    runs::wait_until_signed(shell, &format!("pipelinerun/{PIPELINE_RUN}"))?;
    let run = RunRecord::of(shell, &format!("pipelinerun/{PIPELINE_RUN}"))?;
    let reason = run.annotation("reason");
    ensure!(reason.is_empty(), "the provenance is incomplete: {reason}");
    Ok(())
}

/// Creates and finishes some of the runs. The bytes are in a param, which the format does not contain.
fn create(bulk: &Bulk, first: usize) -> Result<()> {
    let labels = json!({ LABEL: PIPELINE_RUN, PART: first.to_string() });
    let run = |number: usize| {
        json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": { "name": name(number), "labels": labels },
            "spec": {
                "params": [{ "name": "filler", "value": "x".repeat(SIZE) }],
                "taskRef": { "name": "build" },
            },
        })
    };
    let numbers = first..first + AT_ONCE;
    let items: Vec<_> = numbers.clone().map(run).collect();
    bulk.create(SYSTEM_NAMESPACE, &json!({ "items": items }))?;
    let names: Vec<_> = numbers.map(name).collect();
    bulk.write_status(SYSTEM_NAMESPACE, &names, &runs::finished()?)
}
