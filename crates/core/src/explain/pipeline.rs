//! Contributions to a pipeline run's payload: its own, and those of its task runs.

use std::collections::HashSet;

use super::builder::ExplanationBuilder;
use super::near;
use super::origin::{PartKind, Place, part};
use crate::extract::{Children, Git};
use crate::format::Format;
use crate::run::{PipelineRun, TaskRun};

impl ExplanationBuilder {
    /// A pipeline run that is explained itself.
    pub(super) fn pipeline(&mut self, run: &PipelineRun<'_>, children: &Children<'_, '_>) {
        let place = Place {
            kind: "PipelineRun",
            run: &run.metadata.name,
            pipeline_task: None,
            step: None,
            is_top: true,
        };
        self.hints(place, &run.status.results);
        let deep = self.deep;
        for child in children.runs().filter(|_| deep) {
            self.task_subjects(child, of_child(children, child));
        }
        if !self.format.is_statement() {
            return;
        }
        self.definition(run.status.provenance.as_ref(), "pipeline", place);
        for child in children.runs() {
            let place = of_child(children, child);
            self.definition(child.status.provenance.as_ref(), "pipelineTask", place);
            if self.is_narrow() {
                self.step_actions(child, place);
            }
            self.images_used(child, place);
        }
        self.copy(children);
        for child in children.runs().filter(|_| deep) {
            if self.is_narrow() {
                self.step_sources(child, of_child(children, child));
            }
            self.task_sources(child, of_child(children, child));
        }
        self.inputs(&run.status.results, place);
        let git = Git::of_pipeline(run);
        if git.url.is_empty() {
            near::commit_alone(self, place, &git);
        } else {
            self.git(&git, place);
        }
    }

    /// Task runs as a whole, where the payload contains them.
    fn copy(&mut self, children: &Children<'_, '_>) {
        if self.format == Format::SlsaV1 {
            return;
        }
        let mut seen = HashSet::new();
        for child in children.runs() {
            if seen.insert(&*child.metadata.name) {
                let via = vec![part(PartKind::Copy, "task run")];
                self.copies.push(of_child(children, child).origin(via));
            }
        }
    }
}

pub(super) fn of_child<'r>(children: &Children<'r, '_>, child: &'r TaskRun<'_>) -> Place<'r> {
    Place {
        kind: "TaskRun",
        run: &child.metadata.name,
        pipeline_task: children.pipeline_task(child),
        step: None,
        is_top: false,
    }
}
