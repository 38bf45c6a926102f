//! The workspaces of a task run, from those of its pipeline run.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::plan::Plan;
use super::references;
use super::validate::list;
use crate::cluster::object;
use crate::random::hex;
use crate::steps::unknown::parts;

/// The bindings of a task's workspaces; or which one is missing.
pub(super) fn bindings(
    run: &Value,
    plan: &Plan,
    at: usize,
    task: &Value,
) -> Result<Vec<Value>, String> {
    let name = task["name"].as_str().unwrap_or_default();
    let mut wanted: Vec<Value> = list(&task["workspaces"]).cloned().collect();
    if task["taskSpec"].is_object() {
        wanted.extend(propagated(&task["taskSpec"], &wanted));
    }
    let mut bound = Vec::new();
    for workspace in wanted {
        let from = workspace["workspace"]
            .as_str()
            .or(workspace["name"].as_str());
        let from = from.unwrap_or_default();
        if let Some(binding) = list(&plan.workspaces).find(|binding| binding["name"] == from) {
            bound.push(derived(run, binding, &workspace));
            continue;
        }
        let declared = list(&plan.specs[at]["workspaces"]);
        let mut declared = declared.filter(|one| one["name"] == workspace["name"]);
        if !declared.any(|one| one["optional"] == true) {
            return Err(format!(
                "expected workspace \"{from}\" to be provided by pipelinerun for pipeline task \
                 \"{name}\""
            ));
        }
    }
    Ok(bound)
}

/// Workspaces that an embedded task uses and is not given: they are the pipeline run's of that name.
fn propagated(spec: &Value, given: &[Value]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let used = references::expressions(&spec["steps"]).into_iter();
    let used = used.filter_map(|expression| match parts(expression).as_slice() {
        [root, name, _] if root == "workspaces" => Some(name.clone()),
        _ => None,
    });
    for name in used {
        let is_known = |one: &Value| one["name"] == name.as_str();
        if !given.iter().any(is_known) && !found.iter().any(is_known) {
            found.push(json!({"name": name}));
        }
    }
    found
}

/// The binding of the run under the name that the task has for it, in the folder that the task asks
/// for. A template of a claim becomes the one claim that all tasks of the run share.
fn derived(run: &Value, binding: &Value, workspace: &Value) -> Value {
    let mut own = binding.clone();
    own["name"] = workspace["name"].clone();
    let template = own
        .as_object_mut()
        .and_then(|own| own.remove("volumeClaimTemplate"));
    if template.is_some() {
        let name = binding["name"].as_str().unwrap_or_default();
        own["persistentVolumeClaim"] = json!({"claimName": claim(run, name)});
    }
    let paths = [&binding["subPath"], &workspace["subPath"]];
    let paths = paths.map(|path| path.as_str().unwrap_or_default().trim_matches('/'));
    let paths: Vec<&str> = paths.into_iter().filter(|path| !path.is_empty()).collect();
    if !paths.is_empty() {
        own["subPath"] = paths.join("/").into();
    }
    own
}

fn claim(run: &Value, workspace: &str) -> String {
    let digest = Sha256::digest(format!("{workspace}{}", object::meta(run, "uid")));
    format!("pvc-{}", hex(&digest[..5]))
}
