//! Many who write beside one image at once, and a controller that is killed while it writes.

use std::thread::{self, sleep};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use windlass_e2e::{Cosign, Kind, Registry, Shell, Testbed, guide, images, runs};
use windlass_sandbox::registry as sandbox;

/// Writers to one image: cosign, and the runs of one controller.
const WRITERS: usize = 20;
/// How often cosign attests until its attestation stays, and how long that takes to show.
const ATTEMPTS: usize = 5;
const SHOWS: Duration = Duration::from_secs(3);
/// Calls of a pass that pushes, more than there are.
const CALLS: usize = 60;

fn configure(shell: &Shell, format: &str) -> Result<()> {
    let settings = [
        ("artifacts.oci.storage", "oci"),
        ("artifacts.taskrun.storage", "oci"),
        ("artifacts.taskrun.format", format),
    ];
    images::configure(shell, &settings)
}

/// Layers under a tag of an image, as another client sees them.
fn layers(shell: &Shell, image: &str, suffix: &str) -> Result<Vec<Value>> {
    let (repository, digest) = image.split_once('@').context("no digest")?;
    let tag = format!("{}{suffix}", digest.replace(':', "-"));
    let manifest = shell.ok(&format!(
        "oras manifest fetch --plain-http {repository}:{tag}"
    ))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    let layers = manifest["layers"].as_array().context("no layers")?;
    Ok(layers.clone())
}

/// Runs and cosign attest one image, on a registry that knows nothing of conditions. cosign reads,
/// adds and writes without a second look: it may take an entry of ours away, which is put back, and
/// loses its own only if it is overwritten in the moment between our last look and our write. So whoever
/// types it looks whether it stays, and what was there before all of that stays in any case.
#[test]
fn twenty_writers_lose_nothing_and_write_nothing_twice() -> Result<()> {
    Testbed::with(Kind::Real, Cosign::Two, |testbed| {
        let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
        let shell = testbed.shell_with_login(&registry.docker_config(""))?;
        shell.ok(guide::KEY_PAIR)?;
        shell.ok("cosign generate-key-pair --output-key-prefix foreign")?;
        // the format that tells runs apart
        configure(&shell, "slsa/v2alpha4")?;
        images::secret(&shell, "right", &registry.docker_config(""))?;
        images::account(
            &shell,
            "build-bot",
            &json!({ "secrets": [{ "name": "right" }] }),
        )?;
        let image = images::push(&shell, &format!("{}/team/app", registry.host()))?;
        attest_as_foreigner(&shell, &image, "before")?;
        let before = layers(&shell, &image, ".att")?;
        ensure!(before.len() == 1, "{before:#?}");
        let ours = WRITERS - 1;
        for number in 0..ours {
            images::start(&shell, &format!("app-{number}"), "build-bot", &json!({}))?;
        }
        thread::scope(|scope| -> Result<()> {
            let foreign = scope.spawn(|| foreign_writer(&shell, &image));
            for number in 0..ours {
                images::finish(&shell, &format!("app-{number}"), &image)?;
            }
            foreign
                .join()
                .map_err(|_| anyhow::anyhow!("a foreign writer broke off"))?
        })?;
        runs::wait_until_signed(&shell, "taskrun --all")?;

        // one signature of our key for all the runs, one attestation for each of them
        let attestations = layers(&shell, &image, ".att")?;
        let mut digests: Vec<_> = attestations.iter().map(|layer| &layer["digest"]).collect();
        digests.sort_by_key(ToString::to_string);
        digests.dedup();
        ensure!(
            digests.len() == attestations.len(),
            "something is there twice"
        );
        let theirs = foreign(&attestations);
        let found = attestations.len() - theirs.len();
        ensure!(
            found == ours,
            "{found} of our {ours} attestations are there"
        );
        ensure!(
            theirs.contains(&&before[0]["digest"]),
            "what was there before is gone"
        );
        let theirs = theirs.len() - 1;
        ensure!(theirs == 1, "{theirs} foreign ones are there");
        let signatures = layers(&shell, &image, ".sig")?;
        ensure!(signatures.len() == 1, "{signatures:#?}");
        let ours = "--key k8s://openshift-pipelines/signing-secrets --type slsaprovenance1";
        shell.ok(&format!("windlass verify {ours} {image}"))?;
        let flags = "--insecure-ignore-tlog=true --key foreign.pub --type custom";
        shell.ok(&format!("cosign verify-attestation {flags} {image}"))?;
        Ok(())
    })
}

/// cosign attests the image while the controller does, until that stays.
fn foreign_writer(shell: &Shell, image: &str) -> Result<()> {
    for _ in 0..ATTEMPTS {
        attest_as_foreigner(shell, image, "meanwhile")?;
        sleep(SHOWS);
        // the one from before is there as well
        if foreign(&layers(shell, image, ".att")?).len() > 1 {
            return Ok(());
        }
    }
    bail!("what cosign wrote was lost {ATTEMPTS} times")
}

fn attest_as_foreigner(shell: &Shell, image: &str, name: &str) -> Result<()> {
    let predicate = json!({ "foreign": name });
    shell.write("predicate.json", predicate.to_string())?;
    shell.beside("foreign")?.ok(&format!(
        "cosign attest --yes --tlog-upload=false --key ../foreign.key --type custom \
         --predicate ../predicate.json {image}"
    ))?;
    Ok(())
}

/// The digests of attestations of cosign: it notes the type of the predicate, and we note nothing that Chains
/// does not.
fn foreign(attestations: &[Value]) -> Vec<&Value> {
    let foreign = attestations
        .iter()
        .filter(|layer| !layer["annotations"]["predicateType"].is_null());
    foreign.map(|layer| &layer["digest"]).collect()
}

/// Only on the real cluster: the controller of the built-in one lives in the process of its storage.
#[test]
fn killed_after_any_call_of_a_registry_it_leaves_one_signature_and_one_attestation() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let registry = runtime.block_on(sandbox::Registry::start(sandbox::Options::default()))?;
    Testbed::with(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        shell.ok(guide::KEY_PAIR)?;
        configure(&shell, "slsa/v1")?;
        let mut number = 0;
        loop {
            ensure!(number < CALLS, "a pass has more than {CALLS} calls");
            let image = images::push(&shell, &format!("{}/team/app-{number}", registry.host()))?;
            let name = format!("app-{number}");
            images::start(&shell, &name, "default", &json!({}))?;
            let gate = sandbox::Gate::new();
            registry.fail(sandbox::Fault {
                skip: number,
                answer: sandbox::FaultAnswer::PauseAfterwards(gate.clone()),
                ..sandbox::Fault::default()
            });
            images::finish(&shell, &name, &image)?;
            let was_reached = runtime.block_on(reaches(&shell, &gate, &name))?;
            if was_reached {
                testbed.kill_controller()?;
                gate.release();
                testbed.start_controller()?;
            }
            registry.clear_faults();
            runs::wait_until_signed(&shell, &format!("taskrun/{name}"))?;
            for suffix in [".sig", ".att"] {
                let found = layers(&shell, &image, suffix)?.len();
                ensure!(
                    found == 1,
                    "{found} layers under {suffix} after call {number}"
                );
            }
            images::verify(&shell, &image)?;
            if !was_reached {
                break;
            }
            number += 1;
        }
        ensure!(number > 10, "a push has more than {number} calls");
        Ok(())
    })
}

/// Whether a call of the run's pass waits at the gate. If not, the run is signed without it: the
/// pass had no such call.
async fn reaches(shell: &Shell, gate: &sandbox::Gate, name: &str) -> Result<bool> {
    let shell = shell.beside(&format!("wait-{name}"))?;
    let run = format!("taskrun/{name}");
    let signed = tokio::task::spawn_blocking(move || runs::wait_until_signed(&shell, &run));
    tokio::select! {
        () = gate.reached(1) => Ok(true),
        signed = signed => signed?.map(|()| false),
    }
}
