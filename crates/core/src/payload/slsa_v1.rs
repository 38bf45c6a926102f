//! The formats `slsa/v2alpha3` and `slsa/v2alpha4`: an in-toto statement v1 with SLSA provenance
//! v1. See docs/behaviour.md, "SLSA v1".

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

pub(crate) use self::dependencies::PIPELINE_TASK;
use self::dependencies::{of_pipeline, of_task};
use super::error::PayloadError;
use super::parts::{ref_source, text_map};
use super::time::grouped;
use crate::config::{BuildType, Config};
use crate::extract::{Breadth, Children, Scope, subjects};
use crate::format::SLSA_V1;
use crate::intoto::{Descriptor, Statement, Subject};
use crate::json::{Json, Object};
use crate::run::{Map, Provenance, Reference, Run};
use crate::tekton::{Projection, Warnings};
use crate::warning::Notes;

mod byproducts;
mod dependencies;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// A resolver of clusters' own tasks, which are not remote.
const LOCAL_RESOLVER: &str = "Cluster";

/// The statement about a run, and its subjects.
pub(super) fn statement(
    run: &Run<'_>,
    config: &Config,
    breadth: Breadth,
    notes: &mut Notes,
) -> Result<(Vec<Subject>, Vec<u8>), PayloadError> {
    let children = match run {
        Run::Task(_) => None,
        Run::Pipeline(pipeline, children) => Some(Children::new(pipeline, children)),
    };
    let inspected = children.as_ref().filter(|_| config.deep_inspection);
    let scope = match run {
        Run::Task(task) => Scope::Task(task),
        Run::Pipeline(pipeline, _) => Scope::Pipeline(pipeline, inspected),
    };
    let subjects = subjects(scope, breadth, notes);
    let dependencies = match (run, &children) {
        (Run::Task(task), _) => of_task(task, breadth, notes),
        (Run::Pipeline(pipeline, _), Some(children)) => {
            of_pipeline(pipeline, children, breadth, config, notes)?
        }
        (Run::Pipeline(..), None) => Vec::new(),
    };
    let by_products = by_products(run, inspected, breadth, notes);
    let definition = definition(run, config, notes)?
        .with_some("resolvedDependencies", descriptors(&dependencies));
    let details = Object::default()
        .with(
            "builder",
            Object::default().with_some("id", config.builder_id.as_str()),
        )
        .with_some("byproducts", descriptors(&by_products))
        .with("metadata", metadata(run, notes));
    let predicate = Object::default()
        .with("buildDefinition", definition)
        .with("runDetails", details)
        .into();
    let statement = Statement {
        kind: STATEMENT,
        subjects: &subjects,
        predicate_type: SLSA_V1,
        predicate,
    };
    let bytes = statement.to_bytes();
    Ok((subjects, bytes))
}

/// How the run was built, without what went into it.
fn definition<'r>(
    run: &'r Run<'_>,
    config: &'r Config,
    notes: &mut Notes,
) -> Result<Object<'r>, PayloadError> {
    let external = external_parameters(run, notes)?;
    let internal = internal_parameters(run, config, notes)?;
    Ok(Object::default()
        .with("buildType", config.build_type.as_str())
        .with("externalParameters", external)
        .with("internalParameters", internal))
}

fn descriptors(descriptors: &[Descriptor]) -> Json<'_> {
    Json::Array(descriptors.iter().map(Descriptor::to_json).collect())
}

fn metadata<'r>(run: &'r Run<'_>, notes: &mut Notes) -> Json<'r> {
    let mut time = |name: &str, time: Option<Timestamp>| {
        let written = time.and_then(grouped);
        if let (Some(time), None) = (time, &written) {
            notes.add_loss(format!(
                "{name} {time} is before the year 1 and is left out"
            ));
        }
        written.unwrap_or(Json::Null)
    };
    Object::default()
        .with_some("invocationId", &*run.metadata().uid)
        .with_some("startedOn", time("startTime", run.start_time()))
        .with_some("finishedOn", time("completionTime", run.completion_time()))
        .into()
}

fn by_products(
    run: &Run<'_>,
    inspected: Option<&Children<'_, '_>>,
    breadth: Breadth,
    notes: &mut Notes,
) -> Vec<Descriptor> {
    match (run, breadth) {
        (Run::Task(task), Breadth::AllHints) => {
            byproducts::all(&task.status.results, "taskRunResults", notes)
        }
        (Run::Pipeline(pipeline, _), Breadth::AllHints) => {
            byproducts::all(&pipeline.status.results, "pipelineRunResults", notes)
        }
        (Run::Task(task), Breadth::BuildArtifacts) => byproducts::of_task(task, notes),
        (Run::Pipeline(pipeline, _), Breadth::BuildArtifacts) => {
            let prefix = format!("pipelineRunResults/{}", pipeline.metadata.name);
            let mut found = byproducts::others(&pipeline.status.results, &prefix, notes);
            for child in inspected.into_iter().flat_map(Children::runs) {
                found.extend(byproducts::of_task(child, notes));
            }
            found
        }
    }
}

fn external_parameters<'r>(run: &'r Run<'_>, notes: &mut Notes) -> Result<Json<'r>, PayloadError> {
    let (projection, reference, provenance) = match run {
        Run::Task(run) => (
            Projection::TaskRunSpec,
            run.spec.task_ref.as_ref(),
            run.status.provenance.as_ref(),
        ),
        Run::Pipeline(run, _) => (
            Projection::PipelineRunSpec,
            run.spec.pipeline_ref.as_ref(),
            run.status.provenance.as_ref(),
        ),
    };
    let mut parameters = Object::default();
    if let Some(source) = build_config_source(reference, provenance) {
        parameters = parameters.with("buildConfigSource", source);
    }
    let spec = project(projection, "spec", run.raw().spec, notes)?;
    Ok(parameters.with("runSpec", spec).into())
}

/// Where a remote run's definition was read from. Of several digests it is the first.
fn build_config_source<'r>(
    reference: Option<&Reference<'_>>,
    provenance: Option<&'r Provenance<'_>>,
) -> Option<Json<'r>> {
    let resolver = reference
        .map(|reference| &*reference.resolver)
        .unwrap_or_default();
    if resolver.is_empty() || resolver == LOCAL_RESOLVER {
        return None;
    }
    let source = ref_source(provenance)?;
    let digest = source.digest.first();
    let digest = digest
        .map(|(algorithm, hex)| format!("{algorithm}:{hex}"))
        .unwrap_or_default();
    let object = Object::default()
        .with("path", &*source.entry_point)
        .with("ref", digest)
        .with("repository", &*source.uri);
    Some(object.into())
}

fn internal_parameters<'r>(
    run: &'r Run<'_>,
    config: &Config,
    notes: &mut Notes,
) -> Result<Json<'r>, PayloadError> {
    let provenance = match run {
        Run::Task(run) => run.status.provenance.as_ref(),
        Run::Pipeline(run, _) => run.status.provenance.as_ref(),
    };
    let mut parameters = Object::default();
    if let Some(flags) = provenance.and_then(|provenance| provenance.feature_flags) {
        let part = "status.provenance.featureFlags";
        let flags = project(Projection::FeatureFlags, part, Some(flags), notes)?;
        parameters = parameters.with("tekton-pipelines-feature-flags", flags);
    }
    if config.build_type == BuildType::SlsaTekton {
        let metadata = run.metadata();
        let written = written_maps(run);
        parameters = parameters
            .with("labels", map_or_null(&metadata.labels, written.labels))
            .with(
                "annotations",
                map_or_null(&metadata.annotations, written.annotations),
            );
    }
    Ok(parameters.into())
}

/// Whether the maps of a run's metadata are there at all; empty ones are written otherwise than
/// missing ones.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenMaps {
    labels: Option<IgnoredAny>,
    annotations: Option<IgnoredAny>,
}

fn written_maps(run: &Run<'_>) -> WrittenMaps {
    let metadata = run.raw().metadata.map(RawValue::get);
    metadata
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

fn map_or_null<'r>(map: &'r Map<'_>, written: Option<IgnoredAny>) -> Json<'r> {
    written.map_or(Json::Null, |_| text_map(map))
}

fn project<'r>(
    projection: Projection,
    part: &'static str,
    raw: Option<&'r RawValue>,
    notes: &mut Notes,
) -> Result<Json<'r>, PayloadError> {
    let mut left_out = Warnings::default();
    let value = projection
        .apply_text(part, raw.map(RawValue::get), &mut left_out)
        .map_err(|source| PayloadError::Copy { part, source })?;
    notes.add_all(left_out.sentences);
    Ok(value)
}
