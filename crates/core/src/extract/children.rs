//! The task runs that ran a pipeline's tasks.

use std::collections::HashMap;

use crate::run::{PipelineRun, PipelineTask, TaskRun};

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
///
/// The pipeline run says which child ran which task. The label of a child does not count: whoever may
/// create a task run chooses it.
#[derive(Debug)]
pub(crate) struct Children<'r, 'a> {
    tasks: Vec<Executed<'r, 'a>>,
    /// The pipeline task of each child, by the name of the child.
    named: HashMap<&'r str, &'r str>,
}

impl<'r, 'a> Children<'r, 'a> {
    pub(crate) fn new(run: &'r PipelineRun<'a>, children: &'r [TaskRun<'a>]) -> Self {
        let named = names(run);
        let Some(pipeline) = &run.status.pipeline_spec else {
            let tasks = Vec::new();
            return Self { tasks, named };
        };
        let mut by_task: HashMap<&str, Vec<&TaskRun<'a>>> = HashMap::new();
        for child in children {
            if let Some(task) = named.get(&*child.metadata.name) {
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
        let tasks = tasks.chain(finally).collect();
        Self { tasks, named }
    }

    /// The pipeline's task that a child carries out, as the pipeline run says.
    pub(crate) fn pipeline_task(&self, child: &TaskRun<'_>) -> Option<&'r str> {
        self.named.get(&*child.metadata.name).copied()
    }

    /// The pipeline's tasks, those at the end last.
    pub(crate) fn tasks(&self) -> &[Executed<'r, 'a>] {
        &self.tasks
    }

    /// All task runs that have ended, in the order of the pipeline's tasks.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &'r TaskRun<'a>> {
        self.tasks
            .iter()
            .flat_map(|executed| executed.runs.iter().copied())
    }
}

/// The pipeline task of each child that the run refers to; the first reference to a child counts.
fn names<'r>(run: &'r PipelineRun<'_>) -> HashMap<&'r str, &'r str> {
    let mut named = HashMap::new();
    for reference in &run.status.child_references {
        if reference.is_task_run() && !reference.pipeline_task_name.is_empty() {
            let task = &*reference.pipeline_task_name;
            named.entry(&*reference.name).or_insert(task);
        }
    }
    named
}
