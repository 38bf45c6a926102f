//! Chooses the one run of a file, and the task runs in the file that are its children.
//!
//! A run belongs to another run that controls it, or that names it as its child. If exactly one run
//! of a file belongs to no other, it is chosen.

use std::collections::HashSet;

use serde_json::Value;

use crate::inspect::documents::MOST_NAMES;
use crate::inspect::selector::RunSelector;

/// A run, and the task runs that belong to it.
#[derive(Debug)]
pub(super) struct RunTree {
    pub(super) run: Value,
    pub(super) children: Vec<Value>,
}

impl RunTree {
    /// The run as it is typed: `taskrun/NAME`.
    pub(super) fn name(&self) -> String {
        name(&self.run)
    }
}

/// Why it is unclear which run is meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChoiceError {
    /// There is none.
    #[error("it contains no run")]
    Empty,
    /// None has that name.
    #[error("there is no run {selector} in it, but {others}")]
    Missing {
        selector: RunSelector,
        others: String,
    },
    /// Each belongs to another one.
    #[error("every run in it belongs to another run; choose one with --name")]
    Circle,
    /// Several have that name.
    #[error(
        "{count} runs in it are called {selector}: {names}; name it as taskrun/NAME or \
         pipelinerun/NAME, or export one namespace only"
    )]
    SameName {
        count: usize,
        selector: RunSelector,
        names: String,
    },
    /// Several are on top, and none is named.
    #[error(
        "there are {count} runs in it that belong to no other: {names}; choose one with --name, for \
         example --name {example}"
    )]
    Several {
        count: usize,
        names: String,
        example: String,
    },
}

/// Every run of a file that belongs to no other, each with its task runs.
pub(super) fn choose_all(runs: &[Value]) -> Result<Vec<RunTree>, ChoiceError> {
    let parents = Parents::of(runs);
    let on_top = positions(runs, |run| !parents.have(run));
    if on_top.is_empty() {
        let is_empty = runs.is_empty();
        return Err(if is_empty {
            ChoiceError::Empty
        } else {
            ChoiceError::Circle
        });
    }
    let trees = on_top.into_iter().map(|at| {
        let run = runs[at].clone();
        let children = if is_pipeline_run(&run) {
            let own = Parents::of(std::slice::from_ref(&run));
            let children = runs.iter().filter(|other| !is_pipeline_run(other));
            children.filter(|other| own.have(other)).cloned().collect()
        } else {
            Vec::new()
        };
        RunTree { run, children }
    });
    Ok(trees.collect())
}

/// Chooses among all runs of a file.
pub(super) fn choose(
    mut runs: Vec<Value>,
    selector: Option<&RunSelector>,
) -> Result<RunTree, ChoiceError> {
    let run = runs.swap_remove(position(&runs, selector)?);
    let children = if is_pipeline_run(&run) {
        let own = Parents::of(std::slice::from_ref(&run));
        runs.retain(|other| !is_pipeline_run(other) && own.have(other));
        runs
    } else {
        Vec::new()
    };
    Ok(RunTree { run, children })
}

fn position(runs: &[Value], selector: Option<&RunSelector>) -> Result<usize, ChoiceError> {
    let parents = Parents::of(runs);
    let on_top = || positions(runs, |run| !parents.have(run));
    let candidates = match selector {
        Some(selector) => positions(runs, |run| is_selected(run, selector)),
        None => on_top(),
    };
    match (&candidates[..], selector) {
        ([at], _) => Ok(*at),
        ([], _) if runs.is_empty() => Err(ChoiceError::Empty),
        ([], Some(selector)) => Err(ChoiceError::Missing {
            selector: selector.clone(),
            others: names(runs, &on_top()),
        }),
        ([], None) => Err(ChoiceError::Circle),
        (several, Some(selector)) => Err(ChoiceError::SameName {
            count: several.len(),
            selector: selector.clone(),
            names: names(runs, several),
        }),
        (several, None) => Err(ChoiceError::Several {
            count: several.len(),
            names: names(runs, several),
            example: example(runs, several),
        }),
    }
}

fn positions(runs: &[Value], is_meant: impl Fn(&Value) -> bool) -> Vec<usize> {
    let runs = runs.iter().enumerate();
    runs.filter(|(_, run)| is_meant(run))
        .map(|(at, _)| at)
        .collect()
}

fn is_selected(run: &Value, selector: &RunSelector) -> bool {
    text(run, "/metadata/name") == selector.name
        && selector.kind.is_none_or(|kind| run["kind"] == kind.name())
}

pub(super) fn is_pipeline_run(run: &Value) -> bool {
    run["kind"] == "PipelineRun"
}

fn text<'r>(value: &'r Value, pointer: &str) -> &'r str {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default()
}

fn name(run: &Value) -> String {
    let kind = if is_pipeline_run(run) {
        "pipelinerun"
    } else {
        "taskrun"
    };
    format!("{kind}/{}", text(run, "/metadata/name"))
}

/// A name that only one of some runs has; the first, if there is none.
fn example(runs: &[Value], positions: &[usize]) -> String {
    let mut names = positions.iter().map(|at| name(&runs[*at]));
    let unique = names.find(|name| !is_shared(runs, positions, name));
    unique.unwrap_or_else(|| name(&runs[positions[0]]))
}

/// Whether several of some runs have this name, as in several namespaces.
fn is_shared(runs: &[Value], positions: &[usize], shared: &str) -> bool {
    let alike = positions.iter().filter(|at| name(&runs[**at]) == shared);
    alike.take(2).count() == 2
}

/// The first few of some runs, with the namespace where the name does not tell them apart.
fn names(runs: &[Value], positions: &[usize]) -> String {
    let full = |at: &usize| {
        let (run, name) = (&runs[*at], name(&runs[*at]));
        match text(run, "/metadata/namespace") {
            namespace if !namespace.is_empty() && is_shared(runs, positions, &name) => {
                format!("{name} of namespace {namespace}")
            }
            _ => name,
        }
    };
    let names: Vec<String> = positions.iter().take(MOST_NAMES).map(full).collect();
    let names = names.join(", ");
    match positions.len().saturating_sub(MOST_NAMES) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// Pipeline runs as owners: their uids, and the kind, namespace and name of each child.
#[derive(Debug, Default)]
struct Parents<'r> {
    uids: HashSet<&'r str>,
    children: HashSet<(&'r str, &'r str, &'r str)>,
}

impl<'r> Parents<'r> {
    fn of(runs: &'r [Value]) -> Self {
        let mut parents = Self::default();
        for run in runs.iter().filter(|run| is_pipeline_run(run)) {
            let uid = text(run, "/metadata/uid");
            if !uid.is_empty() {
                parents.uids.insert(uid);
            }
            let namespace = text(run, "/metadata/namespace");
            let references = run.pointer("/status/childReferences");
            let references = references.and_then(Value::as_array);
            for child in references.into_iter().flatten() {
                let kind = match text(child, "/kind") {
                    "" => "TaskRun",
                    kind => kind,
                };
                let name = text(child, "/name");
                parents.children.insert((kind, namespace, name));
            }
        }
        parents
    }

    /// Whether a run belongs to one of them. A run that another one controls does not, whatever it
    /// is called.
    fn have(&self, run: &Value) -> bool {
        let owner = owner_uid(run);
        if !owner.is_empty() && !self.uids.is_empty() {
            return self.uids.contains(owner);
        }
        let kind = text(run, "/kind");
        let namespace = text(run, "/metadata/namespace");
        let name = text(run, "/metadata/name");
        self.children.contains(&(kind, namespace, name))
    }
}

/// UID of the pipeline run that controls a run.
fn owner_uid(run: &Value) -> &str {
    let owners = run.pointer("/metadata/ownerReferences");
    let mut owners = owners.and_then(Value::as_array).into_iter().flatten();
    let owner =
        owners.find(|owner| owner["controller"] == true && text(owner, "/kind") == "PipelineRun");
    owner.map_or("", |owner| text(owner, "/uid"))
}
