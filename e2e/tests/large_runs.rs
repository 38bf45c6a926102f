//! Large runs of one tenant do not end the list of all, and do not decide about the controller's
//! memory.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use windlass_e2e::{Cosign, Kind, RunRecord, Shell, Testbed, guide, runs};

/// How many there are, and of how many bytes each is: nearly what etcd takes.
const RUNS: usize = 400;
const SIZE: usize = 1_400_000;
/// How many are created with one file.
const AT_ONCE: usize = 20;
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
        for first in (0..RUNS).step_by(AT_ONCE) {
            create(&shell, first)?;
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
        for number in 0..RUNS {
            let name = format!("large-{number}");
            RunRecord::wait(&shell, &name, "was signed", |run| {
                run.annotation("signed") == "true"
            })?;
        }
        let peak = testbed.peak_memory()?;
        ensure!(peak < MOST, "the controller took {} MiB", peak >> 20);
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}

/// Creates and finishes some of the runs. The bytes are in a param, which the format does not contain.
fn create(shell: &Shell, first: usize) -> Result<()> {
    let run = |number: usize| {
        json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": { "name": format!("large-{number}") },
            "spec": {
                "params": [{ "name": "filler", "value": "x".repeat(SIZE) }],
                "taskRef": { "name": "build" },
            },
        })
    };
    let items: Vec<_> = (first..first + AT_ONCE).map(run).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    shell.write("large.json", list.to_string())?;
    shell.ok("kubectl create -f large.json")?;
    let names: Vec<_> = (first..first + AT_ONCE)
        .map(|number| format!("taskrun/large-{number}"))
        .collect();
    runs::finish(shell, &names.join(" "))
}
