//! Dependencies: the images a run used, and the sources it was given. See docs/behaviour.md,
//! "Sources and images used".

use super::children::Children;
use super::hints::inputs;
use crate::artifact::{Merged, ResolvedArtifact};
use crate::run::{Param, ParamSpec, PipelineRun, RunResult, StepState, TaskRun};
use crate::warning::{Notes, shown};

pub(crate) const GIT_URL: &str = "CHAINS-GIT_URL";
pub(crate) const GIT_COMMIT: &str = "CHAINS-GIT_COMMIT";
/// Prefix that some nodes put before the images they report.
pub(crate) const PULLABLE: &str = "docker-pullable://";

/// Images of the steps, then of the sidecars; those without a digest are left out with a note.
pub(crate) fn images_used(run: &TaskRun<'_>, notes: &mut Notes) -> Vec<ResolvedArtifact> {
    let steps = run
        .status
        .steps
        .iter()
        .map(|step| ("step", &step.name, &step.image_id));
    let sidecars = run
        .status
        .sidecars
        .iter()
        .map(|sidecar| ("sidecar", &sidecar.name, &sidecar.image_id));
    let mut images = Vec::new();
    for part in [steps.collect::<Vec<_>>(), sidecars.collect()] {
        let mut merged = Merged::default();
        for (kind, name, image_id) in part {
            if let Some(image) = image_used(image_id) {
                merged.add(image);
                continue;
            }
            notes.add_loss(format!(
                "the image of {kind} {} of task run {} is left out of the dependencies: {} has no \
                 digest",
                shown(name),
                shown(&run.metadata.name),
                shown(image_id)
            ));
        }
        images.extend(merged.into_vec());
    }
    images
}

/// The image that a node reports, if it has a digest.
pub(crate) fn image_used(image_id: &str) -> Option<ResolvedArtifact> {
    let (name, digest) = image_id.split_once('@')?;
    let (algorithm, hex) = digest.split_once(':')?;
    if digest.contains('@') || hex.contains(':') {
        return None;
    }
    let name = name.strip_prefix(PULLABLE).unwrap_or(name);
    Some(ResolvedArtifact::new(
        format!("oci://{name}"),
        algorithm,
        hex,
    ))
}

/// The kind of hint that names a URL or a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum GitSource {
    #[default]
    Nowhere,
    Default,
    Param,
    Result,
}

/// The last URL and commit that hints name.
#[derive(Debug, Default)]
pub(crate) struct Git<'r> {
    pub(crate) url: &'r str,
    pub(crate) commit: &'r str,
    pub(crate) url_source: GitSource,
    pub(crate) commit_source: GitSource,
}

impl<'r> Git<'r> {
    pub(crate) fn of_task(run: &'r TaskRun<'_>) -> Self {
        let mut git = Self::default();
        if let Some(task) = &run.status.task_spec {
            git.of_specs(&task.params);
        }
        git.of_params(&run.spec.params);
        git.of_results(&run.status.results);
        git
    }

    pub(crate) fn of_step(step: &'r StepState<'_>) -> Self {
        let mut git = Self::default();
        git.of_results(&step.results);
        git
    }

    pub(crate) fn of_pipeline(run: &'r PipelineRun<'_>) -> Self {
        let mut git = Self::default();
        if let Some(pipeline) = &run.status.pipeline_spec {
            git.of_specs(&pipeline.params);
        }
        git.of_params(&run.spec.params);
        git.of_results(&run.status.results);
        git
    }

    fn set(&mut self, source: GitSource, name: &str, value: &'r str) {
        match name {
            GIT_URL => (self.url, self.url_source) = (value, source),
            GIT_COMMIT => (self.commit, self.commit_source) = (value, source),
            _ => {}
        }
    }

    fn of_specs(&mut self, specs: &'r [ParamSpec<'_>]) {
        for spec in specs {
            if let Some(default) = &spec.default {
                self.set(GitSource::Default, &spec.name, default.text());
            }
        }
    }

    fn of_params(&mut self, params: &'r [Param<'_>]) {
        for param in params {
            self.set(GitSource::Param, &param.name, param.value.text());
        }
    }

    fn of_results(&mut self, results: &'r [RunResult<'_>]) {
        for result in results {
            self.set(GitSource::Result, &result.name, result.value.text());
        }
    }

    /// The source. A commit without a URL gives the source `git+.git`, as it does in Chains.
    pub(crate) fn source(&self, notes: &mut Notes) -> Option<ResolvedArtifact> {
        if self.commit.is_empty() {
            return None;
        }
        if self.url.is_empty() {
            notes.add(format!(
                "{GIT_COMMIT} is given without {GIT_URL}: the source is git+.git"
            ));
        }
        let prefix = if self.url.starts_with("git+") {
            ""
        } else {
            "git+"
        };
        let uri = format!("{prefix}{}", self.url);
        let stem = uri.strip_suffix(".git").unwrap_or(&uri);
        Some(ResolvedArtifact::new(
            format!("{stem}.git"),
            "sha1",
            self.commit,
        ))
    }
}

/// Sources named by the params and results of a task run.
pub(crate) fn task_sources(run: &TaskRun<'_>, notes: &mut Notes) -> Vec<ResolvedArtifact> {
    let mut sources = Merged::default();
    sources.extend(Git::of_task(run).source(notes));
    sources.extend(inputs(&run.status.results, notes));
    sources.into_vec()
}

/// Sources named by the results of a task run's steps.
pub(crate) fn step_sources(run: &TaskRun<'_>, notes: &mut Notes) -> Vec<ResolvedArtifact> {
    let mut sources = Merged::default();
    for step in &run.status.steps {
        sources.extend(Git::of_step(step).source(notes));
    }
    let results = run.status.steps.iter().flat_map(|step| &step.results);
    sources.extend(inputs(results, notes));
    sources.into_vec()
}

/// Sources named by a pipeline run, and by its children if it is inspected deeply.
pub(crate) fn pipeline_sources(
    run: &PipelineRun<'_>,
    children: Option<&Children<'_, '_>>,
    notes: &mut Notes,
) -> Vec<ResolvedArtifact> {
    let mut sources = Merged::default();
    sources.extend(inputs(&run.status.results, notes));
    for child in children.into_iter().flat_map(Children::runs) {
        sources.extend(task_sources(child, notes));
    }
    let git = Git::of_pipeline(run);
    if !git.url.is_empty() {
        sources.extend(git.source(notes));
    }
    sources.into_vec()
}
