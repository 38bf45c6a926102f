//! `tekton.dev/v1beta1` to and from `v1`, for the fields whose names differ and whose meaning does
//! not: the part of the conversion in Tekton's own types that needs no outside knowledge. A field
//! that v1 lacks stays where it is, so nothing is lost on the way there and back.

use serde_json::{Map, Value, json};

use crate::cluster::kind::Kind;

/// Which way to convert.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Older name, newer name.
type Names = &'static [(&'static str, &'static str)];

const STEP: Names = &[("resources", "computeResources")];
const RUN_SPEC: Names = &[
    ("stepOverrides", "stepSpecs"),
    ("sidecarOverrides", "sidecarSpecs"),
];
const RUN_STATUS: Names = &[("taskResults", "results")];
const PIPELINE_RUN_STATUS: Names = &[("pipelineResults", "results")];
const TASK_RUN_SPEC: Names = &[
    ("taskServiceAccountName", "serviceAccountName"),
    ("taskPodTemplate", "podTemplate"),
];

pub(super) fn to_v1(kind: &Kind, object: &mut Value) {
    convert(kind, object, Way::Up);
}

pub(super) fn to_v1beta1(kind: &Kind, object: &mut Value) {
    convert(kind, object, Way::Down);
}

fn convert(kind: &Kind, object: &mut Value, way: Way) {
    let Value::Object(fields) = object else {
        return;
    };
    match kind.kind {
        "TaskRun" => {
            each(fields.get_mut("spec"), |spec| task_run_spec(spec, way));
            each(fields.get_mut("status"), |status| {
                rename(status, RUN_STATUS, way);
                each(status.get_mut("taskSpec"), |spec| task_spec(spec, way));
            });
        }
        "Task" => each(fields.get_mut("spec"), |spec| task_spec(spec, way)),
        "Pipeline" => each(fields.get_mut("spec"), |spec| pipeline_spec(spec, way)),
        "PipelineRun" => {
            each(fields.get_mut("spec"), |spec| pipeline_run_spec(spec, way));
            each(fields.get_mut("status"), |status| {
                rename(status, PIPELINE_RUN_STATUS, way);
                each(status.get_mut("pipelineSpec"), |spec| {
                    pipeline_spec(spec, way);
                });
            });
        }
        _ => {}
    }
}

fn task_run_spec(spec: &mut Map<String, Value>, way: Way) {
    rename(spec, RUN_SPEC, way);
    for overrides in [
        "stepSpecs",
        "sidecarSpecs",
        "stepOverrides",
        "sidecarOverrides",
    ] {
        each(spec.get_mut(overrides), |one| rename(one, STEP, way));
    }
    each(spec.get_mut("taskSpec"), |spec| task_spec(spec, way));
    if way == Way::Up {
        each(spec.get_mut("taskRef"), |reference| {
            resolve_bundle(reference, "task");
        });
    }
}

fn task_spec(spec: &mut Map<String, Value>, way: Way) {
    for part in ["steps", "stepTemplate", "sidecars"] {
        each(spec.get_mut(part), |one| rename(one, STEP, way));
    }
}

fn pipeline_spec(spec: &mut Map<String, Value>, way: Way) {
    for tasks in ["tasks", "finally"] {
        each(spec.get_mut(tasks), |task| {
            each(task.get_mut("taskSpec"), |spec| task_spec(spec, way));
            if way == Way::Up {
                each(task.get_mut("taskRef"), |reference| {
                    resolve_bundle(reference, "task");
                });
            }
        });
    }
}

fn pipeline_run_spec(spec: &mut Map<String, Value>, way: Way) {
    each(spec.get_mut("pipelineSpec"), |spec| {
        pipeline_spec(spec, way);
    });
    each(spec.get_mut("taskRunSpecs"), |one| {
        rename(one, TASK_RUN_SPEC, way);
    });
    if way == Way::Up {
        each(spec.get_mut("pipelineRef"), |reference| {
            resolve_bundle(reference, "pipeline");
        });
        move_into(
            spec,
            "taskRunTemplate",
            &["serviceAccountName", "podTemplate"],
        );
        if let Some(timeout) = spec.remove("timeout") {
            let timeouts = spec.entry("timeouts").or_insert_with(|| json!({}));
            each(Some(timeouts), |timeouts| {
                timeouts
                    .entry("pipeline")
                    .or_insert_with(|| timeout.clone());
            });
        }
    } else if let Some(Value::Object(template)) = spec.remove("taskRunTemplate") {
        spec.extend(template);
    }
}

/// A bundle named in a reference became a resolver with parameters.
fn resolve_bundle(reference: &mut Map<String, Value>, kind: &str) {
    let Some(bundle) = reference.remove("bundle") else {
        return;
    };
    let name = reference.remove("name").unwrap_or_default();
    reference.insert("resolver".into(), "bundles".into());
    reference.insert(
        "params".into(),
        json!([
            {"name": "bundle", "value": bundle},
            {"name": "name", "value": name},
            {"name": "kind", "value": kind},
        ]),
    );
}

fn move_into(fields: &mut Map<String, Value>, parent: &str, names: &[&str]) {
    for name in names {
        let Some(value) = fields.remove(*name) else {
            continue;
        };
        let parent = fields.entry(parent).or_insert_with(|| json!({}));
        each(Some(parent), |parent| {
            parent.insert((*name).to_owned(), value.clone());
        });
    }
}

fn rename(fields: &mut Map<String, Value>, names: Names, way: Way) {
    for (older, newer) in names {
        let (from, to) = if way == Way::Up {
            (older, newer)
        } else {
            (newer, older)
        };
        if let Some(value) = fields.remove(*from) {
            fields.insert((*to).to_owned(), value);
        }
    }
}

/// Calls `change` for the map `value` is, or for each map in the list it is.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an optional unique borrow is used up"
)]
fn each(value: Option<&mut Value>, mut change: impl FnMut(&mut Map<String, Value>)) {
    match value {
        Some(Value::Object(fields)) => change(fields),
        Some(Value::Array(items)) => {
            items
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(change);
        }
        _ => {}
    }
}
