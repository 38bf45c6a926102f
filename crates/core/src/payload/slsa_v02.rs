//! The format `slsa/v1`, also called `in-toto`: an in-toto statement v0.1 with SLSA provenance
//! v0.2. See docs/behaviour.md, "SLSA v0.2".

use self::origin::{Origin, Sources};
use super::error::PayloadError;
use super::time::shortest;
use crate::artifact::{Merged, ResolvedArtifact};
use crate::config::Config;
use crate::extract::{
    Breadth, Children, Scope, images_used, pipeline_sources, subjects, task_sources,
};
use crate::format::SLSA_V02;
use crate::intoto::{Statement, Subject, digests};
use crate::json::{Json, Object};
use crate::run::{PipelineRun, Run, TaskRun};
use crate::warning::Notes;

mod after;
mod origin;
mod pipeline;
mod steps;

const STATEMENT: &str = "https://in-toto.io/Statement/v0.1";
const REPRODUCIBLE: &str = "chains.tekton.dev/reproducible";

/// The statement about a run, and its subjects.
pub(super) fn statement(
    run: &Run<'_>,
    config: &Config,
    notes: &mut Notes,
) -> Result<(Vec<Subject>, Vec<u8>), PayloadError> {
    let (subjects, content) = match run {
        Run::Task(task) => {
            let subjects = subjects(Scope::Task(task), Breadth::AllHints, notes);
            (subjects, task_content(task, notes))
        }
        Run::Pipeline(pipeline, children) => {
            let children = Children::new(pipeline, children);
            let inspected = config.deep_inspection.then_some(&children);
            let scope = Scope::Pipeline(pipeline, inspected);
            let subjects = subjects(scope, Breadth::AllHints, notes);
            let content = pipeline_content(pipeline, &children, inspected, notes)?;
            (subjects, content)
        }
    };
    let Content {
        build_config,
        invocation,
        materials,
    } = content;
    let predicate = predicate(run, config, &materials)
        .with("invocation", invocation)
        .with("buildConfig", build_config)
        .into();
    let statement = Statement {
        kind: STATEMENT,
        subjects: &subjects,
        predicate_type: SLSA_V02,
        predicate,
    };
    let bytes = statement.to_bytes();
    Ok((subjects, bytes))
}

/// The parts of a predicate that differ between kinds of runs.
struct Content<'r> {
    build_config: Json<'r>,
    invocation: Json<'r>,
    materials: Vec<ResolvedArtifact>,
}

fn task_content<'r>(run: &'r TaskRun<'_>, notes: &mut Notes) -> Content<'r> {
    let mut materials = Merged::default();
    materials.extend(images_used(run, notes));
    materials.extend(task_sources(run, notes));
    Content {
        build_config: Object::default()
            .with("steps", steps::by_name(run, notes))
            .into(),
        invocation: Origin::of_task(run).invocation(notes),
        materials: materials.into_vec(),
    }
}

fn pipeline_content<'r>(
    run: &'r PipelineRun<'_>,
    children: &Children<'r, '_>,
    inspected: Option<&Children<'r, '_>>,
    notes: &mut Notes,
) -> Result<Content<'r>, PayloadError> {
    let mut materials = Merged::default();
    let mut sources = Sources::default();
    sources.add(run.status.provenance.as_ref(), &mut materials);
    for child in children.runs() {
        materials.extend(images_used(child, notes));
        sources.add(child.status.provenance.as_ref(), &mut materials);
    }
    materials.extend(pipeline_sources(run, inspected, notes));
    sources.merge(&materials);
    let build_config = pipeline::build_config(run, children, &sources, notes)?;
    Ok(Content {
        build_config,
        invocation: Origin::of_pipeline(run).merged(&sources).invocation(notes),
        materials: materials.into_vec(),
    })
}

fn predicate<'r>(
    run: &'r Run<'_>,
    config: &'r Config,
    materials: &'r [ResolvedArtifact],
) -> Object<'r> {
    let materials = materials.iter().map(|material| {
        let object = Object::default().with_some("uri", material.name.as_str());
        object.with_some("digest", digests(&material.digest)).into()
    });
    Object::default()
        .with(
            "builder",
            Object::default().with("id", config.builder_id.as_str()),
        )
        .with("buildType", format!("tekton.dev/v1/{}", run.kind()))
        .with("metadata", metadata(run))
        .with_some("materials", materials.collect::<Vec<_>>())
}

fn metadata<'r>(run: &Run<'_>) -> Json<'r> {
    let completeness = Object::default()
        .with("parameters", false)
        .with("environment", false)
        .with("materials", false);
    let label = run.metadata().labels.get(REPRODUCIBLE);
    Object::default()
        .with_some(
            "buildStartedOn",
            run.start_time().map_or(Json::Null, shortest),
        )
        .with_some(
            "buildFinishedOn",
            run.completion_time().map_or(Json::Null, shortest),
        )
        .with("completeness", completeness)
        .with(
            "reproducible",
            label.is_some_and(|value| &**value == "true"),
        )
        .into()
}
