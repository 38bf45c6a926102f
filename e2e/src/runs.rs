//! Task runs as a scenario makes them: created, finished as Tekton's controller would, waited for.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::shell::Shell;

/// The guide's task run: five steps that build an image.
pub const TASK_OUTPUT_IMAGE: &str = include_str!("../fixtures/task-output-image.yaml");
/// The status that Tekton gives it in the end, as a merge patch.
pub const FINISHED: &str = include_str!("../fixtures/finished.json");
/// A run as Chains left it on a real cluster, signed and finalizer on.
pub const LEFT_BY_CHAINS: &str = include_str!("../fixtures/left-by-chains.json");

/// The name in kubectl's `taskrun.tekton.dev/NAME created`.
pub fn name_of_created(line: &str) -> Result<String> {
    let name = line.trim().strip_prefix("taskrun.tekton.dev/");
    let name = name.and_then(|rest| rest.strip_suffix(" created"));
    Ok(name
        .with_context(|| format!("not kubectl's word on a creation: {line:?}"))?
        .to_owned())
}

/// A list of `count` runs named `<batch>-0`…, labelled `batch=<batch>`, each with a parameter of its
/// own so that no two payloads are equal.
pub fn batch(batch: &str, count: usize) -> Value {
    let run = |number: usize| {
        json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": {"name": format!("{batch}-{number}"), "labels": {"batch": batch}},
            "spec": {
                "params": [{"name": "revision", "value": format!("{batch}-{number}")}],
                "taskRef": {"name": "build"},
            },
        })
    };
    json!({"apiVersion": "v1", "kind": "List", "items": (0..count).map(run).collect::<Vec<_>>()})
}

/// The status that Tekton gives a run in the end, as a merge patch.
pub fn finished() -> Result<Value> {
    Ok(serde_json::from_str(FINISHED)?)
}

/// Creates a [`batch`].
pub fn create_batch(shell: &Shell, name: &str, count: usize) -> Result<()> {
    let file = format!("{name}.json");
    shell.write(&file, batch(name, count).to_string())?;
    shell.ok(&format!("kubectl create -f {file}"))?;
    Ok(())
}

/// Writes the final status of the runs that `which` (words for kubectl) selects.
pub fn finish(shell: &Shell, which: &str) -> Result<()> {
    shell.write("finished.json", FINISHED)?;
    shell.ok(&format!(
        "kubectl patch {which} --subresource=status --type=merge --patch-file=finished.json"
    ))?;
    Ok(())
}

/// Waits until the runs that `which` selects are marked signed.
pub fn wait_until_signed(shell: &Shell, which: &str) -> Result<()> {
    let signed = r"jsonpath='{.metadata.annotations.chains\.tekton\.dev/signed}'=true";
    shell.ok(&format!(
        "kubectl wait {which} --for={signed} --timeout=120s"
    ))?;
    Ok(())
}

/// Waits until a run made now is signed: what existed before has been looked at.
pub fn settle(shell: &Shell, name: &str) -> Result<()> {
    create_batch(shell, name, 1)?;
    finish(shell, &format!("-f {name}.json"))?;
    wait_until_signed(shell, &format!("taskrun/{name}-0"))
}

/// The configuration that keeps everything on the run, with a format.
pub fn configure(shell: &Shell, format: &str) -> Result<()> {
    let patch = json!({"data": {
        "artifacts.oci.storage": "",
        "artifacts.taskrun.storage": "tekton",
        "artifacts.taskrun.format": format,
    }});
    shell.ok(&format!(
        "kubectl patch configmap chains-config -p '{patch}'"
    ))?;
    Ok(())
}
