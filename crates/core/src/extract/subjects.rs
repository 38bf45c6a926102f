//! Subjects: what a statement is about. See docs/behaviour.md, "Subjects".

use super::children::Children;
use super::hints::{artifact_pairs, build_artifacts, images, outputs};
use crate::artifact::{Merged, ResolvedArtifact};
use crate::intoto::Subject;
use crate::run::{PipelineRun, RunResult, TaskRun};
use crate::warning::Notes;

/// Which hints make a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// Every hint on the results of a run.
    AllHints,
    /// Images and build artifacts, on the results of steps too.
    BuildArtifacts,
}

/// What subjects are looked for in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'s, 'r, 'a> {
    Task(&'r TaskRun<'a>),
    /// A pipeline run; with its children if it is inspected deeply.
    Pipeline(&'r PipelineRun<'a>, Option<&'s Children<'r, 'a>>),
}

pub(crate) fn subjects(
    scope: Scope<'_, '_, '_>,
    breadth: Breadth,
    notes: &mut Notes,
) -> Vec<Subject> {
    let mut merged = Merged::default();
    match (scope, breadth) {
        (Scope::Task(run), _) => add_task(run, breadth, &mut merged, notes),
        (Scope::Pipeline(run, children), Breadth::AllHints) => {
            add_children(children, breadth, &mut merged, notes);
            let mut own = Merged::default();
            own.extend(all_hints(&run.status.results, notes));
            merged.extend(own.into_vec());
        }
        (Scope::Pipeline(run, children), Breadth::BuildArtifacts) => {
            merged.extend(built(&run.status.results, notes));
            add_children(children, breadth, &mut merged, notes);
        }
    }
    merged.into_vec()
}

fn add_children(
    children: Option<&Children<'_, '_>>,
    breadth: Breadth,
    merged: &mut Merged,
    notes: &mut Notes,
) {
    for child in children.into_iter().flat_map(Children::runs) {
        let mut own = Merged::default();
        add_task(child, breadth, &mut own, notes);
        merged.extend(own.into_vec());
    }
}

fn add_task(run: &TaskRun<'_>, breadth: Breadth, merged: &mut Merged, notes: &mut Notes) {
    if breadth == Breadth::AllHints {
        merged.extend(all_hints(&run.status.results, notes));
        return;
    }
    for step in &run.status.steps {
        merged.extend(built(&step.results, notes));
    }
    merged.extend(built(&run.status.results, notes));
}

fn all_hints(results: &[RunResult<'_>], notes: &mut Notes) -> Vec<ResolvedArtifact> {
    let mut found = image_subjects(results, notes);
    found.extend(artifact_pairs(results, notes));
    found.extend(outputs(results, notes));
    found
}

/// Images and build artifacts, each once.
fn built(results: &[RunResult<'_>], notes: &mut Notes) -> Vec<ResolvedArtifact> {
    let mut merged = Merged::default();
    merged.extend(build_artifacts(results, notes));
    merged.extend(image_subjects(results, notes));
    merged.into_vec()
}

fn image_subjects(results: &[RunResult<'_>], notes: &mut Notes) -> Vec<ResolvedArtifact> {
    let images = images(results, notes);
    images
        .iter()
        .map(|image| ResolvedArtifact::new(image.repository(), "sha256", image.hex()))
        .collect()
}
