//! The task runs that ran a pipeline's tasks.

use std::collections::HashMap;

use crate::run::{PIPELINE_TASK_LABEL, PipelineRun, PipelineTask, TaskRun};

/// A pipeline's task with the task runs that carried it out.
#[derive(Debug)]
pub(crate) struct Executed<'r, 'a> {
    /// The task.
    pub(crate) task: &'r PipelineTask<'a>,
    /// Whether it is one of those that run at the end.
    pub(crate) is_finally: bool,
    /// Whether any child carries out the task, finished or not.
    pub(crate) was_seen: bool,
    /// Those that have ended, in the order of the run's child references.
    pub(crate) runs: Vec<&'r TaskRun<'a>>,
}

/// The children of a pipeline run, by pipeline task: docs/behaviour.md,
/// "Children of a pipeline task".
#[derive(Debug)]
pub(crate) struct Children<'r, 'a>(Vec<Executed<'r, 'a>>);

impl<'r, 'a> Children<'r, 'a> {
    pub(crate) fn new(run: &'r PipelineRun<'a>, children: &'r [TaskRun<'a>]) -> Self {
        let Some(pipeline) = &run.status.pipeline_spec else {
            return Self(Vec::new());
        };
        let mut by_task: HashMap<&str, Vec<&TaskRun<'a>>> = HashMap::new();
        for child in children {
            if let Some(task) = child.metadata.labels.get(PIPELINE_TASK_LABEL) {
                by_task.entry(task).or_default().push(child);
            }
        }
        let executed = |task: &'r PipelineTask<'a>, is_finally| {
            let children = by_task.get(&*task.name).map_or(&[][..], Vec::as_slice);
            let runs = children.iter().copied();
            Executed {
                task,
                is_finally,
                was_seen: !children.is_empty(),
                runs: runs
                    .filter(|run| run.status.completion_time.is_some())
                    .collect(),
            }
        };
        let tasks = pipeline.tasks.iter().map(|task| executed(task, false));
        let finally = pipeline.finally.iter().map(|task| executed(task, true));
        Self(tasks.chain(finally).collect())
    }

    /// The pipeline's tasks, those at the end last.
    pub(crate) fn tasks(&self) -> &[Executed<'r, 'a>] {
        &self.0
    }

    /// All task runs that have ended, in the order of the pipeline's tasks.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &'r TaskRun<'a>> {
        self.0
            .iter()
            .flat_map(|executed| executed.runs.iter().copied())
    }
}
