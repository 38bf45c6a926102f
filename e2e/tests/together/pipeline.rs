//! A pipeline run with every kind of child: all are signed in the right order, it comes last, and
//! what was signed is what `windlass payload` makes of the exported documents.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::{Cosign, Kind, RunRecord, Shell, Testbed, guide, on_both_clusters, runs};

on_both_clusters!(a_pipeline_run_is_signed_after_all_its_children);

/// Task runs that are there in the end, with the task they carry out.
const CHILDREN: [(&str, &str); 6] = [
    ("fetch", "fetch"),
    ("scan-0", "scan"),
    ("scan-1", "scan"),
    ("scan-2", "scan"),
    ("build", "build"),
    ("notify", "notify"),
];
/// The task run that is pruned before the pipeline run ends.
const PRUNED: &str = "lint";
const FORMATS: [&str; 3] = ["in-toto", "slsa/v2alpha3", "slsa/v2alpha4"];

fn a_pipeline_run_is_signed_after_all_its_children(kind: Kind) -> Result<()> {
    Testbed::with(kind, Cosign::Three, |testbed| {
        let shell = testbed.shell().clone();
        shell.ok(guide::KEY_PAIR)?;
        for (number, format) in FORMATS.iter().enumerate() {
            configure(&shell, format)?;
            one(&shell, &format!("pr-{number}"))?;
        }
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}

fn one(shell: &Shell, name: &str) -> Result<()> {
    create(
        shell,
        &json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": { "name": name },
            "spec": { "params": [{ "name": "branch", "value": "main" }], "pipelineRef": { "name": "ci" } },
        }),
    )?;
    let owner = RunRecord::of(shell, &format!("pipelinerun/{name}"))?;
    for (child, task) in CHILDREN.iter().chain(&[(PRUNED, PRUNED)]) {
        create(shell, &task_run(&owner, child, task))?;
    }
    create(shell, &custom_run(&owner))?;

    let pruned = format!("taskrun/{name}-{PRUNED}");
    runs::finish(shell, &pruned)?;
    runs::wait_until_signed(shell, &pruned)?;
    shell.ok(&format!("kubectl delete {pruned} --timeout=60s"))?;

    // the last task run ends after the pipeline run, as Tekton's own writes may come
    let (last, others) = CHILDREN.split_last().unwrap_or((&CHILDREN[0], &[]));
    for (child, _) in others {
        runs::finish(shell, &format!("taskrun/{name}-{child}"))?;
    }
    shell.write("ended.json", ended(name).to_string())?;
    shell.ok(&format!(
        "kubectl patch pipelinerun/{name} --subresource=status --type=merge --patch-file=ended.json"
    ))?;
    runs::settle(shell, &format!("{name}-canary"))?;
    let early = RunRecord::of(shell, &format!("pipelinerun/{name}"))?;
    ensure!(early.annotation("signed").is_empty(), "{name} did not wait");
    runs::finish(shell, &format!("taskrun/{name}-{}", last.0))?;

    runs::wait_until_signed(shell, &format!("pipelinerun/{name}"))?;
    outcomes(shell, name)?;
    payloads(shell, name)
}

/// One outcome each, the pipeline run's last, and cosign accepts it.
fn outcomes(shell: &Shell, name: &str) -> Result<()> {
    let parent = RunRecord::of(shell, &format!("pipelinerun/{name}"))?;
    for (child, _) in CHILDREN {
        let run = RunRecord::get(shell, &format!("{name}-{child}"))?;
        ensure!(run.annotation("signed") == "true", "{child} is not signed");
        ensure!(run.count("signature-") == 1, "{child} is not signed once");
        ensure!(
            run.written()? < parent.written()?,
            "{name} came before {child}"
        );
        ensure!(!run.has_finalizer(), "{child} keeps its finalizer");
    }
    ensure!(parent.count("signature-") == 1, "{name} is not signed once");
    ensure!(!parent.has_finalizer(), "{name} keeps its finalizer");
    let reason = parent.annotation("reason");
    let expected = format!("incomplete: its task run {name}-{PRUNED} no longer exists");
    ensure!(reason == expected, "the reason is {reason:?}");
    ensure!(parent.is_statement()?, "{name} is not in an envelope");
    shell.write("pr.envelope", parent.signature()?)?;
    let predicate: Value = serde_json::from_slice(&parent.payload()?)?;
    let predicate = predicate["predicateType"].as_str().unwrap_or_default();
    shell.ok(&format!(
        "cosign verify-blob-attestation {}--key cosign.pub --signature pr.envelope \
         --type {predicate} --check-claims=false /dev/null",
        Cosign::Three.verify_flags()
    ))?;
    Ok(())
}

/// The bytes in the annotations are those that `windlass payload` prints.
fn payloads(shell: &Shell, name: &str) -> Result<()> {
    shell.ok("kubectl get configmap chains-config -o yaml > config.yaml")?;
    let mut with_children = String::new();
    for (child, _) in CHILDREN {
        let child = format!("{name}-{child}");
        let file = format!("{child}.yaml");
        shell.ok(&format!("kubectl get taskrun {child} -o yaml > {file}"))?;
        with_children = format!("{with_children} --child {file}");
        let printed = shell.ok(&format!("windlass payload -f {file} --config config.yaml"))?;
        equal(&child, &printed, &RunRecord::get(shell, &child)?)?;
    }
    shell.ok(&format!("kubectl get pipelinerun {name} -o yaml > pr.yaml"))?;
    let printed = shell.ok(&format!(
        "windlass payload -f pr.yaml{with_children} --config config.yaml"
    ))?;
    equal(
        name,
        &printed,
        &RunRecord::of(shell, &format!("pipelinerun/{name}"))?,
    )
}

fn equal(name: &str, printed: &str, run: &RunRecord) -> Result<()> {
    let signed = String::from_utf8(run.payload()?)?;
    ensure!(
        printed.trim_end() == signed.trim_end(),
        "{name}: printed\n{printed}\nsigned\n{signed}"
    );
    Ok(())
}

/// Sets the format, and waits until runs are signed with it: the builder's name tells.
fn configure(shell: &Shell, format: &str) -> Result<()> {
    let builder = format!("https://example.com/{format}");
    let patch = json!({"data": {
        "artifacts.oci.storage": "",
        "artifacts.taskrun.format": format,
        "artifacts.pipelinerun.format": format,
        "artifacts.pipelinerun.enable-deep-inspection": "true",
        "builder.id": builder,
    }});
    shell.ok(&format!(
        "kubectl patch configmap chains-config -p '{patch}'"
    ))?;
    for number in 0..50 {
        let probe = format!("probe-{}-{number}", format.replace('/', "-"));
        runs::create_batch(shell, &probe, 1)?;
        let name = format!("{probe}-0");
        runs::finish(shell, &format!("taskrun/{name}"))?;
        runs::wait_until_signed(shell, &format!("taskrun/{name}"))?;
        let payload = RunRecord::get(shell, &name)?.payload()?;
        if String::from_utf8(payload)?.contains(&format!("\"{builder}\"")) {
            return Ok(());
        }
    }
    anyhow::bail!("{format} never came into force")
}

fn create(shell: &Shell, object: &Value) -> Result<()> {
    shell.write("object.json", object.to_string())?;
    shell.ok("kubectl create -f object.json")?;
    Ok(())
}

/// Metadata of a child, as Tekton writes it.
fn metadata(owner: &RunRecord, name: &str, task: &str) -> Value {
    let parent = owner.name();
    json!({
        "name": format!("{parent}-{name}"),
        "labels": { "tekton.dev/pipelineRun": parent, "tekton.dev/pipelineTask": task },
        "ownerReferences": [{
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "name": parent,
            "uid": owner.uid(),
            "controller": true,
            "blockOwnerDeletion": true,
        }],
    })
}

fn task_run(owner: &RunRecord, name: &str, task: &str) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": metadata(owner, name, task),
        "spec": {
            "params": [{ "name": "target", "value": name }],
            "serviceAccountName": "pipeline",
            "taskRef": { "kind": "Task", "name": task },
        },
    })
}

fn custom_run(owner: &RunRecord) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1beta1",
        "kind": "CustomRun",
        "metadata": metadata(owner, "approve", "approve"),
        "spec": { "customRef": { "apiVersion": "openshift-pipelines.org/v1alpha1", "kind": "ApprovalTask" } },
    })
}

/// The status that Tekton gives the pipeline run in the end, as a merge patch.
fn ended(name: &str) -> Value {
    let task = |task: &str| json!({ "name": task, "taskRef": { "kind": "Task", "name": task } });
    let reference = |kind: &str, child: &str, task: &str| {
        let version = if kind == "TaskRun" { "v1" } else { "v1beta1" };
        json!({
            "apiVersion": format!("tekton.dev/{version}"),
            "kind": kind,
            "name": format!("{name}-{child}"),
            "pipelineTaskName": task,
        })
    };
    let mut references = vec![reference("CustomRun", "approve", "approve")];
    references.push(reference("TaskRun", PRUNED, PRUNED));
    references.extend(CHILDREN.map(|(child, task)| reference("TaskRun", child, task)));
    let mut scan = task("scan");
    scan["matrix"] =
        json!({ "params": [{ "name": "target", "value": ["scan-0", "scan-1", "scan-2"] }] });
    scan["runAfter"] = json!(["fetch"]);
    let mut skipped = task("publish");
    skipped["when"] = json!([{ "input": "main", "operator": "in", "values": ["release"] }]);
    json!({ "status": {
        "conditions": [{
            "type": "Succeeded",
            "status": "True",
            "reason": "Completed",
            "lastTransitionTime": "2026-11-23T10:05:00Z",
        }],
        "startTime": "2026-11-23T10:00:00Z",
        "completionTime": "2026-11-23T10:05:00Z",
        "childReferences": references,
        "skippedTasks": [{ "name": "publish", "reason": "When Expressions evaluated to false" }],
        "results": [{ "name": "IMAGES", "value": format!("registry.example/app@sha256:{}", "5e".repeat(32)) }],
        "pipelineSpec": {
            "params": [{ "name": "branch", "type": "string", "default": "trunk" }],
            "tasks": [task("fetch"), task("lint"), scan, task("build"),
                { "name": "approve", "taskRef": { "apiVersion": "openshift-pipelines.org/v1alpha1", "kind": "ApprovalTask" } },
                skipped],
            "finally": [task("notify")],
        },
    }})
}
