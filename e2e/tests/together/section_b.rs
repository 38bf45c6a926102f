//! Section B of the user's guide, from a key pair to `Verified OK`.

use anyhow::{Result, ensure};
use windlass_e2e::guide::{self, Signing};
use windlass_e2e::{Cosign, Kind, RunRecord, Testbed, on_both_clusters, runs};

on_both_clusters!(
    the_guide_works_with_cosign_2,
    the_guide_works_with_cosign_3,
    the_guide_works_with_windlass_alone,
    the_guides_restart_finds_nothing_to_harm,
);

fn the_guide_works_with_cosign_2(kind: Kind) -> Result<()> {
    walk(kind, Cosign::Two, Signing::Cosign(Cosign::Two))
}

fn the_guide_works_with_cosign_3(kind: Kind) -> Result<()> {
    walk(kind, Cosign::Three, Signing::Cosign(Cosign::Three))
}

fn the_guide_works_with_windlass_alone(kind: Kind) -> Result<()> {
    walk(kind, Cosign::Two, Signing::Windlass)
}

fn walk(kind: Kind, cosign: Cosign, signing: Signing) -> Result<()> {
    Testbed::with(kind, cosign, |testbed| {
        let shell = testbed.shell();
        shell.write("task-output-image.yaml", runs::TASK_OUTPUT_IMAGE)?;
        let ok = |line: &str| shell.ok(&signing.typed(line));

        ok(guide::KEY_PAIR)?;
        ok(guide::CONFIGURE)?;
        ok(guide::RESTART)?;
        let name = runs::name_of_created(&ok(guide::CREATE)?)?;
        runs::finish(shell, &format!("taskrun/{name}"))?;

        let view = ok(guide::DESCRIBE)?;
        for step in guide::STEPS {
            let line = view
                .lines()
                .find(|line| line.contains(step))
                .unwrap_or_default();
            ensure!(
                line.contains("Completed"),
                "step {step} is not Completed in\n{view}"
            );
        }
        runs::wait_until_signed(shell, &format!("taskrun/{name}"))?;
        for line in guide::FETCH {
            ok(line)?;
        }
        shell
            .run(&signing.typed(guide::VERIFY))?
            .exits(0)?
            .says("Verified OK")?;
        only_the_status_was_signed(shell, &name)?;
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}

/// The files of step 6 hold what the run carries, and that is the run's status.
fn only_the_status_was_signed(shell: &windlass_e2e::Shell, name: &str) -> Result<()> {
    let run = RunRecord::get(shell, name)?;
    ensure!(
        shell.read("payload")? == run.payload()?,
        "the payload file is not the annotation"
    );
    let status: serde_json::Value = serde_json::from_slice(&run.payload()?)?;
    ensure!(
        status["steps"]
            .as_array()
            .is_some_and(|steps| steps.len() == 5),
        "got {status}"
    );
    ensure!(
        status.get("payload").is_none(),
        "format tekton is signed without an envelope"
    );
    ensure!(
        !run.has_finalizer(),
        "the finalizer is still on the signed run"
    );
    Ok(())
}

fn the_guides_restart_finds_nothing_to_harm(kind: Kind) -> Result<()> {
    Testbed::with(kind, Cosign::Two, |testbed| {
        let shell = testbed.shell();
        shell.ok(guide::KEY_PAIR)?;
        runs::configure(shell, "tekton")?;
        runs::create_batch(shell, "before", 1)?;
        runs::finish(shell, "taskrun/before-0")?;
        runs::wait_until_signed(shell, "taskrun/before-0")?;
        shell.ok(&Signing::Windlass.typed(guide::RESTART))?;
        runs::create_batch(shell, "after", 1)?;
        runs::finish(shell, "taskrun/after-0")?;
        runs::wait_until_signed(shell, "taskrun/after-0")?;
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}
