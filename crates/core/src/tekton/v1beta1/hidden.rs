//! Fields that v1 has no place for, in the annotations in which Tekton's conversion keeps them.
//!
//! They are JSON as Go writes it: members in the order of Go's structs. With the build type
//! `slsa-tekton` a payload contains the annotations of its run, so that they have to be the same.
//! Source: `*_conversion.go` of `tektoncd/pipeline`, `pkg/apis/pipeline/v1beta1`.

use serde_json::{Map, Value, json};

use crate::json::Json;

/// Fields by their place, and the annotation each one is kept in.
const OF_RUNS: [(&str, &str, &str); 1] = [("/spec", "resources", "tekton.dev/v1beta1Resources")];
const OF_TASK_RUNS: [(&str, &str, &str); 3] = [
    ("/status", "cloudEvents", "tekton.dev/v1beta1CloudEvents"),
    (
        "/status",
        "resourcesResult",
        "tekton.dev/v1beta1ResourcesResult",
    ),
    (
        "/status/taskSpec",
        "resources",
        "tekton.dev/v1beta1ResourcesStatus",
    ),
];
/// Members in the order of the structs that have them; each other one comes after these.
const ORDER: [&str; 22] = [
    "key",
    "target",
    "status",
    "inputs",
    "outputs",
    "name",
    "apiVersion",
    "resourceRef",
    "resourceSpec",
    "paths",
    "value",
    "resourceName",
    "type",
    "description",
    "params",
    "secrets",
    "targetPath",
    "optional",
    "condition",
    "sentAt",
    "message",
    "retryCount",
];

/// Copies the fields of a run of v1beta1 into its annotations.
pub(super) fn keep(run: &mut Value) {
    let of_task_runs: &[_] = if run["kind"] == "TaskRun" {
        &OF_TASK_RUNS
    } else {
        &[]
    };
    let mut kept = Map::new();
    for (place, field, annotation) in OF_RUNS.iter().chain(of_task_runs) {
        let found = run.pointer(place).and_then(|parent| parent.get(field));
        if let Some(value) = found.filter(|value| !value.is_null()) {
            kept.insert((*annotation).to_owned(), Value::String(go(value)));
        }
    }
    if kept.is_empty() {
        return;
    }
    let Some(metadata) = run.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if annotations.is_null() {
        *annotations = json!({});
    }
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.extend(kept);
    }
}

/// A value as Go writes it.
fn go(value: &Value) -> String {
    let ordered = ordered(value);
    let read = Json::parse(&ordered).map(|json| json.to_go());
    read.unwrap_or(ordered)
}

fn ordered(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(ordered).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            let place = |name: &str| ORDER.iter().position(|known| *known == name);
            members.sort_by_key(|(name, _)| (place(name).unwrap_or(ORDER.len()), *name));
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), ordered(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_v1_has_no_place_for_is_kept_in_annotations_as_tekton_keeps_it() {
        let mut run = json!({
            "kind": "TaskRun", "metadata": { "name": "r" },
            "spec": { "resources": { "outputs": [], "inputs": [
                { "resourceRef": { "name": "git<>" }, "name": "source", "paths": ["a"] } ] } },
            "status": {
                "cloudEvents": [{ "status": { "retryCount": 1, "condition": "Sent" }, "target": "http://x" }],
                "resourcesResult": [{ "value": "v", "type": 1, "resourceName": "n", "key": "k" }],
                "taskSpec": { "resources": { "inputs": [{ "type": "git", "name": "source" }] } },
            },
        });
        keep(&mut run);
        let kept = &run["metadata"]["annotations"];
        for (name, expected) in [
            (
                "Resources",
                r#"{"inputs":[{"name":"source","resourceRef":{"name":"git\u003c\u003e"},"paths":["a"]}],"outputs":[]}"#,
            ),
            (
                "CloudEvents",
                r#"[{"target":"http://x","status":{"condition":"Sent","retryCount":1}}]"#,
            ),
            (
                "ResourcesResult",
                r#"[{"key":"k","value":"v","resourceName":"n","type":1}]"#,
            ),
            (
                "ResourcesStatus",
                r#"{"inputs":[{"name":"source","type":"git"}]}"#,
            ),
        ] {
            assert_eq!(
                kept[format!("tekton.dev/v1beta1{name}")],
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn a_run_without_such_fields_gets_no_annotation() {
        for resources in [Value::Null, json!(null)] {
            let mut run = json!({
                "kind": "PipelineRun", "metadata": {}, "spec": { "resources": resources },
                "status": { "cloudEvents": [] },
            });
            keep(&mut run);
            assert_eq!(run["metadata"], json!({}));
        }
    }
}
