//! The controller is killed while runs finish, and started again.

use anyhow::{Result, ensure};
use windlass_e2e::{Cosign, Kind, RunRecord, Testbed, guide, runs};

/// Runs that finish around the kill.
const RUNS: usize = 50;

/// Only on the real cluster: the controller of the built-in one lives in the process of its storage.
#[test]
fn runs_that_finish_around_a_kill_are_all_signed() -> Result<()> {
    Testbed::with(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        shell.ok(guide::KEY_PAIR)?;
        runs::configure(&shell, "tekton")?;
        runs::create_batch(&shell, "first", RUNS / 2)?;
        runs::create_batch(&shell, "second", RUNS / 2)?;
        runs::finish(&shell, "-f first.json")?;
        testbed.kill_controller()?;
        runs::finish(&shell, "-f second.json")?;
        let signed = |run: &RunRecord| run.annotation("signed") == "true";
        let before = RunRecord::all(&shell)?
            .iter()
            .filter(|run| signed(run))
            .count();
        ensure!(before < RUNS, "everything was signed before the kill");

        testbed.start_controller()?;
        runs::wait_until_signed(&shell, "taskrun --all")?;
        let all = RunRecord::all(&shell)?;
        ensure!(all.len() == RUNS, "{} runs are there", all.len());
        for run in &all {
            ensure!(
                run.verifies(&shell, Cosign::Two, "cosign.pub")?,
                "run {}",
                run.name()
            );
            ensure!(
                !run.has_finalizer(),
                "run {} keeps its finalizer",
                run.name()
            );
        }
        Ok(())
    })
}
