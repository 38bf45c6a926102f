//! `resolvedDependencies` in SLSA provenance v1: docs/behaviour.md, "Resolved dependencies".

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde_json::value::RawValue;

use crate::artifact::ResolvedArtifact;
use crate::config::{BuildType, Config};
use crate::extract::{
    Breadth, Children, images_used, pipeline_sources, step_sources, task_sources,
};
use crate::intoto::Descriptor;
use crate::json::{Json, JsonError};
use crate::payload::error::PayloadError;
use crate::payload::parts::{material, ref_source};
use crate::run::{PipelineRun, RefSource, TaskRun};
use crate::tekton::{Projection, Warnings};
use crate::warning::{Notes, shown};

const TASK: &str = "task";
const PIPELINE: &str = "pipeline";
/// Name of the dependency that is a task of the pipeline.
pub(crate) const PIPELINE_TASK: &str = "pipelineTask";
const INPUT: &str = "inputs/result";
const STEP_ACTION: &str = "stepAction/";

pub(super) fn of_task(run: &TaskRun<'_>, breadth: Breadth, notes: &mut Notes) -> Vec<Descriptor> {
    let mut found: Vec<_> = named("", images_used(run, notes)).collect();
    if breadth == Breadth::BuildArtifacts {
        found.extend(named(INPUT, step_sources(run, notes)));
        found.extend(step_actions(run));
    }
    found.extend(named(INPUT, task_sources(run, notes)));
    let mut all = Vec::new();
    all.extend(ref_source(run.status.provenance.as_ref()).map(|source| descriptor(TASK, source)));
    all.extend(without_duplicates(found));
    all
}

pub(super) fn of_pipeline(
    run: &PipelineRun<'_>,
    children: &Children<'_, '_>,
    breadth: Breadth,
    config: &Config,
    notes: &mut Notes,
) -> Result<Vec<Descriptor>, PayloadError> {
    let source = ref_source(run.status.provenance.as_ref());
    let mut found: Vec<_> = source
        .map(|source| descriptor(PIPELINE, source))
        .into_iter()
        .collect();
    for child in children.runs() {
        let Some(task) = child_task(child, config.build_type, notes)? else {
            continue;
        };
        found.extend(task);
        if breadth == Breadth::BuildArtifacts {
            found.extend(step_actions(child));
        }
        found.extend(named("", images_used(child, notes)));
    }
    let inspected = config.deep_inspection.then_some(children);
    if breadth == Breadth::BuildArtifacts {
        for child in inspected.into_iter().flat_map(Children::runs) {
            found.extend(named(INPUT, step_sources(child, notes)));
        }
    }
    found.extend(named(INPUT, pipeline_sources(run, inspected, notes)));
    Ok(without_duplicates(found))
}

/// A child's task: where it came from, and the whole child if the build type asks for it. Nothing
/// at all if it asks for a child that cannot be written; Chains leaves out its images too.
fn child_task(
    child: &TaskRun<'_>,
    build_type: BuildType,
    notes: &mut Notes,
) -> Result<Option<Vec<Descriptor>>, PayloadError> {
    let source = ref_source(child.status.provenance.as_ref());
    let source = source.map(|source| descriptor(PIPELINE_TASK, source));
    if build_type == BuildType::Slsa {
        return Ok(Some(source.into_iter().collect()));
    }
    let mut left_out = Warnings::default();
    let document = document(child).map_err(|source| PayloadError::Copy {
        part: "a child task run",
        source,
    })?;
    let document = Projection::TaskRun.apply("taskRun", document, &mut left_out);
    if let Some(reason) = left_out.lacks_value {
        notes.add_loss(format!(
            "task run {} and its images are left out of the dependencies: {reason}",
            shown(&child.metadata.name)
        ));
        return Ok(None);
    }
    for note in left_out.sentences {
        notes.add_loss(format!(
            "in the copy of task run {}: {note}",
            shown(&child.metadata.name)
        ));
    }
    let mut task = source.unwrap_or_default();
    PIPELINE_TASK.clone_into(&mut task.name);
    task.content = document.to_go();
    Ok(Some(vec![task]))
}

fn document<'r>(run: &'r TaskRun<'_>) -> Result<Json<'r>, JsonError> {
    let mut members = vec![
        (Cow::Borrowed("kind"), Json::from(&*run.raw.kind)),
        (
            Cow::Borrowed("apiVersion"),
            Json::from(&*run.raw.api_version),
        ),
    ];
    let parts = [
        ("metadata", run.raw.metadata),
        ("spec", run.raw.spec),
        ("status", run.raw.status),
    ];
    for (name, part) in parts {
        let part = part
            .map(RawValue::get)
            .map_or(Ok(Json::Null), Projection::parse)?;
        members.push((Cow::Borrowed(name), part));
    }
    Ok(Json::Object(members))
}

fn descriptor(name: &str, source: &RefSource<'_>) -> Descriptor {
    let ResolvedArtifact { name: uri, digest } = material(source);
    Descriptor {
        name: name.to_owned(),
        uri,
        digest,
        ..Descriptor::default()
    }
}

fn named(name: &str, artifacts: Vec<ResolvedArtifact>) -> impl Iterator<Item = Descriptor> {
    let artifacts = artifacts.into_iter();
    artifacts.map(move |ResolvedArtifact { name: uri, digest }| Descriptor {
        name: name.to_owned(),
        uri,
        digest,
        ..Descriptor::default()
    })
}

fn step_actions(run: &TaskRun<'_>) -> impl Iterator<Item = Descriptor> {
    run.status.steps.iter().filter_map(|step| {
        let source = ref_source(step.provenance.as_ref())?;
        Some(descriptor(&format!("{STEP_ACTION}{}", step.name), source))
    })
}

/// Leaves out what is the same as something before it, whatever their names; definitions stay.
fn without_duplicates(descriptors: Vec<Descriptor>) -> Vec<Descriptor> {
    let mut seen: HashSet<(&str, &BTreeMap<String, String>, &str)> = HashSet::new();
    let keep: Vec<bool> = descriptors
        .iter()
        .map(|one| {
            let is_new = seen.insert((&one.uri, &one.digest, &one.content));
            is_new || one.name == TASK || one.name == PIPELINE || one.name.starts_with(STEP_ACTION)
        })
        .collect();
    descriptors
        .into_iter()
        .zip(keep)
        .filter_map(|(one, keep)| keep.then_some(one))
        .collect()
}
