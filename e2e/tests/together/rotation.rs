//! Changes of the configuration and the key while runs finish: none is lost, nothing is restarted.

use std::thread;

use anyhow::{Context, Result, ensure};
use windlass_e2e::{
    Cosign, Kind, RunRecord, Shell, Testbed, guide, key_of, on_both_clusters, runs,
};

on_both_clusters!(runs_that_finish_during_a_change_of_format_and_key_are_all_signed);

/// Runs of one batch.
const BATCH: usize = 10;
/// Batches that finish while the changes are made.
const DURING: usize = 8;
const OLD: &str = "old.pub";
const NEW: &str = "new.pub";

fn runs_that_finish_during_a_change_of_format_and_key_are_all_signed(kind: Kind) -> Result<()> {
    Testbed::with(kind, Cosign::Two, |testbed| {
        let shell = &testbed.shell().clone();
        shell.ok(guide::KEY_PAIR)?;
        shell.ok("cp cosign.pub old.pub")?;
        runs::configure(shell, "tekton")?;
        feed(shell, "before")?;
        runs::wait_until_signed(shell, "taskrun -l batch=before")?;

        let feeder = shell.beside("feeder")?;
        let feeding = thread::spawn(move || {
            (0..DURING).try_for_each(|number| feed(&feeder, &format!("during-{number}")))
        });
        runs::configure(shell, "in-toto")?;
        // A secret that cosign made is immutable: the key is changed by making the secret anew.
        shell.ok(&format!(
            "kubectl delete secret signing-secrets && {}",
            guide::KEY_PAIR
        ))?;
        shell.ok("cp cosign.pub new.pub")?;
        feeding.join().ok().context("the feeder panicked")??;
        runs::wait_until_signed(shell, "taskrun --all")?;

        feed(shell, "after")?;
        runs::wait_until_signed(shell, "taskrun --all")?;
        ensure!(testbed.controller_is_running(), "the controller ended");
        every_run_verifies(shell)
    })
}

fn feed(shell: &Shell, batch: &str) -> Result<()> {
    runs::create_batch(shell, batch, BATCH)?;
    runs::finish(shell, &format!("-f {batch}.json"))
}

fn every_run_verifies(shell: &Shell) -> Result<()> {
    let all = RunRecord::all(shell)?;
    ensure!(
        all.len() == (DURING + 2) * BATCH,
        "{} runs are there",
        all.len()
    );
    for run in &all {
        let key = key_of(run, shell, Cosign::Two, [OLD, NEW])?;
        let statement = run.is_statement()?;
        let found = format!("run {}: key {key}, in-toto {statement}", run.name());
        if run.name().starts_with("before-") {
            ensure!(key == OLD && !statement, "{found}");
        }
        if run.name().starts_with("after-") {
            ensure!(key == NEW && statement, "{found}");
        }
        ensure!(
            !run.has_finalizer(),
            "run {} keeps its finalizer",
            run.name()
        );
        // The format was changed before the key.
        ensure!(
            key == OLD || statement,
            "{found}: the new key with the old format"
        );
    }
    Ok(())
}
