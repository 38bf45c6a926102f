//! A statement without what may be written in several ways: the order of its subjects, and the
//! metadata of whole task runs in it, which changes after they were signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::payload::PIPELINE_TASK;

/// Metadata of a task run that stays what it is.
const LASTING: [&str; 3] = ["name", "namespace", "uid"];

pub(super) fn normal(mut statement: Value) -> Value {
    if let Some(Value::Array(subjects)) = statement.get_mut("subject") {
        subjects.sort_by_cached_key(Value::to_string);
    }
    let dependencies = statement.pointer_mut("/predicate/buildDefinition/resolvedDependencies");
    if let Some(Value::Array(dependencies)) = dependencies {
        for dependency in dependencies {
            if dependency["name"] == PIPELINE_TASK
                && let Some(task_run) = task_run(&dependency["content"])
            {
                dependency["content"] = task_run;
            }
        }
    }
    statement
}

/// The task run in a descriptor, reduced to what lasts.
fn task_run(content: &Value) -> Option<Value> {
    let decoded = STANDARD.decode(content.as_str()?).ok()?;
    let mut run: Value = serde_json::from_slice(&decoded).ok()?;
    let metadata = run.get_mut("metadata")?.as_object_mut()?;
    metadata.retain(|name, _| LASTING.contains(&name.as_str()));
    Some(json!({ "taskRun": run }))
}
