//! `buildConfig` of a pipeline run in SLSA provenance v0.2: one entry for each task run that ran
//! one of its tasks. See docs/behaviour.md, "SLSA v0.2 of pipeline runs".

use serde_json::value::RawValue;

use super::after::after;
use super::origin::{Origin, Sources};
use super::steps;
use crate::extract::{Children, Executed};
use crate::json::{Json, Object};
use crate::payload::error::PayloadError;
use crate::payload::parts::param_value;
use crate::payload::time::shortest;
use crate::run::{Condition, PipelineRun, RunResult, TaskRun};
use crate::tekton::{Projection, Warnings};
use crate::warning::{Notes, shown};

pub(super) fn build_config<'r>(
    run: &'r PipelineRun<'_>,
    children: &Children<'r, '_>,
    sources: &Sources,
    notes: &mut Notes,
) -> Result<Json<'r>, PayloadError> {
    if run.status.pipeline_spec.is_none() {
        return Ok(Object::default().with("tasks", Json::Null).into());
    }
    let mut tasks = Vec::new();
    let mut last = "";
    for executed in children.tasks() {
        tasks.extend(entries(run, (executed, last), sources, notes)?);
        if executed.was_seen && !executed.is_finally {
            last = &executed.task.name;
        }
    }
    Ok(Object::default().with("tasks", tasks).into())
}

/// Entries of one task of the pipeline; `last` is the last task before those at the end.
fn entries<'r>(
    run: &'r PipelineRun<'_>,
    (executed, last): (&Executed<'r, '_>, &'r str),
    sources: &Sources,
    notes: &mut Notes,
) -> Result<Vec<Json<'r>>, PayloadError> {
    if executed.runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut predecessors = after(executed.task);
    if predecessors.is_empty() && executed.is_finally && !last.is_empty() {
        predecessors.push(last);
    }
    let reference = reference(executed, notes)?;
    let mut entries = Vec::new();
    for child in &executed.runs {
        let Some(steps) = steps::by_index(child) else {
            notes.add(format!(
                "task run {} is left out of buildConfig: its steps do not match its task",
                shown(&child.metadata.name)
            ));
            continue;
        };
        let entry = Object::default()
            .with_some("name", &*executed.task.name)
            .with_some("after", Json::strings(predecessors.iter().copied()))
            .with("ref", reference.clone())
            .with_some(
                "serviceAccountName",
                &*run.spec.task_run_template.service_account_name,
            )
            .with_some("status", outcome(&child.status.conditions))
            .with_some("steps", steps)
            .with(
                "invocation",
                Origin::of_task(child).merged(sources).invocation(notes),
            )
            .with_some("results", results(&child.status.results, notes))
            .with_some("startedOn", started(child, notes))
            .with_some(
                "finishedOn",
                child.status.completion_time.map_or(Json::Null, shortest),
            );
        entries.push(entry.into());
    }
    Ok(entries)
}

fn reference<'r>(executed: &Executed<'r, '_>, notes: &mut Notes) -> Result<Json<'r>, PayloadError> {
    const PART: &str = "pipelineSpec.tasks.taskRef";
    let Some(raw) = executed.task.task_ref else {
        return Ok(Json::Object(Vec::new()));
    };
    let mut left_out = Warnings::default();
    let reference = Projection::TaskRef
        .apply_text(PART, Some(RawValue::get(raw)), &mut left_out)
        .map_err(|source| PayloadError::Copy { part: PART, source })?;
    notes.add_all(left_out.sentences);
    Ok(reference)
}

fn started<'r>(child: &TaskRun<'_>, notes: &mut Notes) -> Json<'r> {
    let Some(time) = child.status.start_time else {
        notes.add_loss(format!(
            "task run {} has no start time, so startedOn is left out",
            shown(&child.metadata.name)
        ));
        return Json::Null;
    };
    shortest(time)
}

fn results<'r>(results: &'r [RunResult<'_>], notes: &mut Notes) -> Vec<Json<'r>> {
    let mut written = Vec::new();
    for result in results {
        let Some(value) = param_value(&result.value) else {
            notes.add_loss(format!(
                "result {} has no value and is left out",
                shown(&result.name)
            ));
            continue;
        };
        let object = Object::default()
            .with("name", &*result.name)
            .with_some("type", &*result.kind)
            .with("value", value);
        written.push(object.into());
    }
    written
}

/// One word on how a run ended, from its first condition.
fn outcome(conditions: &[Condition<'_>]) -> &'static str {
    match conditions.first().map(|condition| &*condition.status) {
        Some("True") => "Succeeded",
        Some("False") => "Failed",
        Some("Unknown") => "Running",
        _ => "",
    }
}
