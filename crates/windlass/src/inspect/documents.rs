//! A run and its task runs as documents, from files or from a cluster, ready to be parsed.

use windlass_core::run::{PipelineRun, Run, RunError, TaskRun, adopt};

/// Most names in a message.
pub(super) const MOST_NAMES: usize = 5;

/// The documents of a run and of its task runs, as compact JSON of v1.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) run: String,
    pub(crate) is_pipeline_run: bool,
    pub(crate) children: Vec<String>,
    /// What the cluster has and is no task run of it, each with the reason.
    pub(crate) refused: Vec<String>,
}

/// Why documents are no run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentsError {
    /// The run itself cannot be parsed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// One of its task runs cannot be parsed.
    #[error("cannot use a child")]
    Child(#[source] RunError),
    /// A task run has no task runs.
    #[error("--child is for pipeline runs only, and the run is a TaskRun")]
    Childless,
}

impl Documents {
    /// The run with its task runs, in the order in which the pipeline run refers to them. Task runs
    /// that are left out are told in `warnings`.
    pub(crate) fn run<'a>(&'a self, warnings: &mut Vec<String>) -> Result<Run<'a>, DocumentsError> {
        let children = self.children.iter();
        let children = children.map(|child| TaskRun::parse(child.as_bytes()));
        let children = children
            .collect::<Result<Vec<_>, _>>()
            .map_err(DocumentsError::Child)?;
        let document = self.run.as_bytes();
        if !self.is_pipeline_run {
            if !children.is_empty() {
                return Err(DocumentsError::Childless);
            }
            return Ok(Run::Task(TaskRun::parse(document)?));
        }
        let adopted = adopt(PipelineRun::parse(document)?, children);
        warnings.extend(self.refused.iter().take(MOST_NAMES).cloned());
        warnings.extend(warning(
            &adopted.missing,
            "missing from the files and left out",
        ));
        warnings.extend(warning(
            &adopted.strangers,
            "not among the children of this run and not used",
        ));
        Ok(adopted.run)
    }
}

/// A warning about some task runs, which names the first of them.
fn warning(names: &[String], what: &str) -> Option<String> {
    let shown: Vec<String> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| format!("{name:?}"))
        .collect();
    let shown = shown.join(", ");
    match names.len() {
        0 => None,
        1 => Some(format!("task run {shown} is {what}")),
        count if count <= MOST_NAMES => Some(format!("task runs {shown} are {what}")),
        count => Some(format!(
            "task runs {shown} and {} more are {what}",
            count - MOST_NAMES
        )),
    }
}
