//! A cluster that Tekton Chains left in mid-work: nothing is signed twice, no finalizer is left.
//!
//! Chains' marks are its annotations (field manager `tekton-chains-controller`), its retry
//! counter and its finalizer (field manager `tekton-chains-controller/finalizers`, server-side
//! apply; a plain update in releases before 0.27).

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use windlass_e2e::{Cosign, Kind, RunRecord, Shell, Testbed, guide, on_both_clusters, runs};

on_both_clusters!(what_chains_left_in_mid_work_is_taken_over);

fn what_chains_left_in_mid_work_is_taken_over(kind: Kind) -> Result<()> {
    Testbed::without_controller(kind, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        runs::configure(&shell, "tekton")?;
        let names = ["left-0", "left-1", "left-2", "left-3"];
        let [retried, signed, failed, leaving] = names;
        runs::create_batch(&shell, "left", names.len())?;
        for name in [retried, signed, failed] {
            apply(
                &shell,
                name,
                "/finalizers",
                &json!({"finalizers": ["chains.tekton.dev/taskrun"]}),
            )?;
        }
        shell.ok(&format!(
            "kubectl patch taskrun {leaving} --type=merge --field-manager=controller \
             -p '{{\"metadata\":{{\"finalizers\":[\"chains.tekton.dev/taskrun\"]}}}}'"
        ))?;
        for name in names {
            runs::finish(&shell, &format!("taskrun/{name}"))?;
        }
        // The built-in cluster's controller is there from the start: what it must find is complete
        // before there is a key.
        annotate(&shell, retried, &json!({"chains.tekton.dev/retries": "2"}))?;
        annotate(
            &shell,
            signed,
            &as_chains_signed(&RunRecord::get(&shell, signed)?)?,
        )?;
        let gave_up =
            json!({"chains.tekton.dev/retries": "3", "chains.tekton.dev/signed": "failed"});
        annotate(&shell, failed, &gave_up)?;
        let theirs = RunRecord::get(&shell, signed)?;
        shell.ok(&format!("kubectl delete taskrun {leaving} --wait=false"))?;
        shell.ok(guide::KEY_PAIR)?;

        testbed.start_controller()?;
        runs::wait_until_signed(&shell, &format!("taskrun/{retried}"))?;
        shell.ok(&format!(
            "kubectl wait taskrun/{leaving} --for=delete --timeout=60s"
        ))?;
        for name in [signed, failed] {
            RunRecord::wait(&shell, name, "lost its finalizer", |run| {
                !run.has_finalizer()
            })?;
        }
        runs::settle(&shell, "canary")?;
        nothing_is_left(&shell, [retried, signed, failed], &theirs)?;
        nothing_more_is_written(testbed, &shell, kind, [retried, signed, failed])
    })
}

fn nothing_is_left(shell: &Shell, names: [&str; 3], theirs: &RunRecord) -> Result<()> {
    let [retried, signed, failed] = names;
    for name in names {
        let run = RunRecord::get(shell, name)?;
        ensure!(!run.has_finalizer(), "the finalizer is left on {name}");
    }
    let retried = RunRecord::get(shell, retried)?;
    ensure!(
        retried.count("signature-") == 1 && retried.count("payload-") == 1,
        "signed once"
    );
    ensure!(
        retried.verifies(shell, Cosign::Two, "cosign.pub")?,
        "the retried run does not verify"
    );
    let signed = RunRecord::get(shell, signed)?;
    for part in ["payload-taskrun-", "signature-taskrun-"] {
        let name = format!("{part}{}", signed.uid());
        ensure!(
            signed.annotation(&name) == theirs.annotation(&name),
            "{name} was written again"
        );
    }
    let failed = RunRecord::get(shell, failed)?;
    ensure!(
        failed.annotation("signed") == "failed",
        "a run given up is not taken up again"
    );
    ensure!(failed.count("signature-") == 0, "a run given up was signed");
    Ok(())
}

/// A controller that starts again finds nothing to do on them.
fn nothing_more_is_written(
    testbed: &mut Testbed,
    shell: &Shell,
    kind: Kind,
    names: [&str; 3],
) -> Result<()> {
    let versions = |shell: &Shell| -> Result<Vec<String>> {
        let version = |name: &&str| Ok(RunRecord::get(shell, name)?.resource_version().to_owned());
        names.iter().map(version).collect()
    };
    let before = versions(shell)?;
    if kind == Kind::Real {
        testbed.kill_controller()?;
        testbed.start_controller()?;
    }
    runs::settle(shell, "second-canary")?;
    let after = versions(shell)?;
    ensure!(
        before == after,
        "written again: {before:?} became {after:?}"
    );
    Ok(())
}

fn annotate(shell: &Shell, name: &str, annotations: &Value) -> Result<()> {
    apply(shell, name, "", &json!({ "annotations": annotations }))
}

/// Server-side apply by force with Chains' field manager, as Chains does it.
fn apply(shell: &Shell, name: &str, manager: &str, metadata: &Value) -> Result<()> {
    let mut document = json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": {"name": name},
    });
    for (field, value) in metadata.as_object().into_iter().flatten() {
        document["metadata"][field] = value.clone();
    }
    shell.write("apply.json", document.to_string())?;
    shell.ok(&format!(
        "kubectl apply --server-side --force-conflicts \
         --field-manager=tekton-chains-controller{manager} -f apply.json"
    ))?;
    Ok(())
}

/// The annotations of a run that Chains signed, under the name of this one.
fn as_chains_signed(run: &RunRecord) -> Result<Value> {
    let left: Value = serde_json::from_str(runs::LEFT_BY_CHAINS)?;
    let uid = left["metadata"]["uid"]
        .as_str()
        .context("the fixture has no uid")?;
    let annotations = left["metadata"]["annotations"]
        .as_object()
        .context("nor annotations")?;
    let renamed: Map<String, Value> = annotations
        .iter()
        .map(|(name, value)| (name.replace(uid, run.uid()), value.clone()))
        .collect();
    Ok(Value::Object(renamed))
}
