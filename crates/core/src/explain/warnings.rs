//! All warnings of an explanation, in the order in which they matter.

use std::collections::{HashMap, HashSet};

use super::builder::ExplanationBuilder;
use super::near;
use super::origin::Place;
use super::pipeline::of_child;
use crate::artifact::Digests;
use crate::config::{ArtifactPolicy, Config, SignerKind};
use crate::extract::{self, Children};
use crate::format::Format;
use crate::payload::Payload;
use crate::run::{PipelineRun, Run, TaskRun};
use crate::warning::{Notes, shown};

/// Most warnings that are kept.
const MOST: usize = 200;

pub(super) fn all(
    run: &Run<'_>,
    config: &Config,
    payload: &Payload,
    builder: &mut ExplanationBuilder,
    children: Option<&Children<'_, '_>>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if !run.is_done() {
        warnings.push("the run is not finished: this will change".to_owned());
    }
    warnings.extend(disabled(run, config));
    params(run, builder, children);
    warnings.append(&mut builder.warnings);
    let others = payload.warnings.iter().map(ToString::to_string);
    warnings.extend(others.filter(|warning| !builder.placed.contains(warning)));
    match run {
        Run::Task(_) => warnings.extend(images(config, builder)),
        Run::Pipeline(pipeline, runs) => {
            if let Some(children) = children {
                warnings.extend(not_counted(pipeline, runs, children));
                warnings.extend(not_inspected(config, builder, children));
            }
            warnings.extend(not_built(config, builder, pipeline, runs));
        }
    }
    if payload.format == Format::Tekton {
        warnings.push("a payload of format tekton has neither subjects nor dependencies".into());
    }
    bounded(warnings)
}

/// Each warning once, and not too many.
fn bounded(mut warnings: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    warnings.retain(|warning| seen.insert(warning.clone()));
    if warnings.len() > MOST {
        let more = warnings.len() - MOST;
        warnings.truncate(MOST);
        warnings.push(format!("and {more} more"));
    }
    warnings
}

fn params(run: &Run<'_>, to: &mut ExplanationBuilder, children: Option<&Children<'_, '_>>) {
    let (kind, params) = match run {
        Run::Task(task) => ("TaskRun", &task.spec.params),
        Run::Pipeline(pipeline, _) => ("PipelineRun", &pipeline.spec.params),
    };
    let place = Place {
        kind,
        run: &run.metadata().name,
        pipeline_task: None,
        step: None,
        is_top: true,
    };
    near::params(to, place, params);
    let Some(children) = children.filter(|_| to.deep) else {
        return;
    };
    for child in children.runs() {
        near::params(to, of_child(children, child), &child.spec.params);
    }
}

/// Why nothing is signed of a kind of artifact.
fn reason(kind: &str, artifact: &ArtifactPolicy) -> Option<String> {
    if artifact.signer == SignerKind::None {
        return Some(format!("artifacts.{kind}.signer is none"));
    }
    let is_off = artifact.storage.is_empty();
    is_off.then(|| format!("artifacts.{kind}.storage is empty"))
}

fn disabled(run: &Run<'_>, config: &Config) -> Option<String> {
    let kind = run.kind();
    let reason = reason(kind.singular(), config.policy(kind))?;
    Some(format!("the run is not signed: {reason}"))
}

/// Images that are not signed, and those that share the key of another.
fn images(config: &Config, builder: &ExplanationBuilder) -> Vec<String> {
    let mut warnings = Vec::new();
    let count = builder.images.iter().count();
    if count > 0
        && let Some(reason) = reason("oci", &config.oci)
    {
        warnings.push(format!("{count} image(s) are not signed: {reason}"));
    }
    let mut keys = HashMap::new();
    for image in builder.images.iter() {
        if let Some(earlier) = keys.insert(image.short_key(), image) {
            warnings.push(format!(
                "images {earlier} and {image} have the same short key: annotations contain only \
                 the signature of the latter"
            ));
        }
    }
    warnings
}

/// Children that run none of the pipeline's tasks, or have not ended.
fn not_counted(
    run: &PipelineRun<'_>,
    runs: &[TaskRun<'_>],
    children: &Children<'_, '_>,
) -> Vec<String> {
    let counted: HashSet<&str> = children.runs().map(|child| &*child.metadata.name).collect();
    let left_out = runs
        .iter()
        .filter(|child| !counted.contains(&*child.metadata.name));
    let warnings = left_out.map(|child| {
        let why = if run.status.pipeline_spec.is_none() {
            "the pipeline run has no status.pipelineSpec".to_owned()
        } else if child.status.completion_time.is_none() {
            "it has no completion time".to_owned()
        } else {
            match children.pipeline_task(child) {
                None => "its entry in status.childReferences has no pipelineTaskName".to_owned(),
                Some(task) => format!("the pipeline has no task {}", shown(task)),
            }
        };
        let name = shown(&child.metadata.name);
        format!("TaskRun {name} is not inspected: {why}")
    });
    warnings.collect()
}

/// What deep inspection would add.
fn not_inspected(
    config: &Config,
    builder: &ExplanationBuilder,
    children: &Children<'_, '_>,
) -> Vec<String> {
    if config.deep_inspection || !builder.format.is_statement() {
        return Vec::new();
    }
    let warnings = children.runs().filter_map(|child| {
        let mut inside = ExplanationBuilder::new(builder.format, true);
        inside.task_subjects(child, of_child(children, child));
        let mut artifacts: Vec<(&str, &Digests)> = inside
            .subjects
            .artifacts()
            .filter(|found| !builder.subjects.contains(&found.name, &found.digest))
            .map(|found| (found.name.as_str(), &found.digest))
            .collect();
        artifacts.sort_unstable();
        artifacts.dedup();
        let (name, digest) = artifacts.first()?;
        let digest = digest.iter().next();
        let digest = digest.map_or_else(String::new, |(name, hex)| format!("@{name}:{hex}"));
        let more = match artifacts.len() {
            1 => "is not a subject".to_owned(),
            count => format!("and {} more are not subjects", count - 1),
        };
        Some(of_child(children, child).says(&format!(
            "{} {more} of the pipeline run: artifacts.pipelinerun.enable-deep-inspection is false",
            shown(&format!("{name}{digest}"))
        )))
    });
    warnings.collect()
}

/// Images that the pipeline run names but no task run of it does, so that nobody signs them.
fn not_built(
    config: &Config,
    builder: &ExplanationBuilder,
    run: &PipelineRun<'_>,
    runs: &[TaskRun<'_>],
) -> Vec<String> {
    if !config.oci.is_enabled() || runs.is_empty() || !builder.format.is_statement() {
        return Vec::new();
    }
    let built = runs.iter().flat_map(|child| extract::images(child).0);
    let built: HashSet<_> = built.collect();
    let mut notes = Notes::default();
    let named = extract::hints::images(&run.status.results, &mut notes);
    let unsigned = named.into_iter().filter(|image| !built.contains(image));
    let warnings = unsigned.map(|image| {
        format!(
            "image {} is not signed: only the pipeline run names it, and images are signed with \
             the task run whose results name them",
            shown(&image.to_string())
        )
    });
    warnings.collect()
}
