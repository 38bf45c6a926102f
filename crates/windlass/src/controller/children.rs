//! The task runs of a finished pipeline run: which it waits for, and which it is attested without.
//!
//! Its task runs go first so that what they record, and what they attach to an image, exists before
//! it (docs/behaviour.md, "Pipeline runs wait for their children"). Unlike in Chains, children of
//! other kinds are not looked for among the task runs, and a child that no longer exists keeps
//! nobody waiting.

use std::collections::{BTreeMap, BTreeSet};

use windlass_core::annotation;
use windlass_core::config::Config;
use windlass_core::decide::{Facts, Scope, is_settled};
use windlass_core::run::{RunError, TaskRun};

/// Task runs that are named when there are many of them.
const NAMED: usize = 5;

/// Names of the children that a pipeline run still has to wait for.
pub(super) fn unsettled(
    children: &[TaskRun<'_>],
    config: &Config,
    scope: &Scope,
) -> BTreeSet<String> {
    let waiting = children
        .iter()
        .filter(|child| !is_settled(&Facts::of_task(child, Some(config)), scope));
    let names = waiting.map(|child| child.metadata.name.to_string());
    names.collect()
}

/// Why a pipeline run waits, for its annotation.
pub(super) fn reason(children: &BTreeSet<String>) -> String {
    let names: Vec<&String> = children.iter().collect();
    annotation::reason(&format!("{} not signed yet", are(&names)))
}

/// What a pipeline run is attested without.
pub(super) fn incomplete(
    missing: &[String],
    unreadable: &BTreeMap<String, RunError>,
) -> Option<String> {
    let (_, gone): (Vec<&String>, Vec<&String>) = missing
        .iter()
        .partition(|name| unreadable.contains_key(*name));
    let mut reasons = Vec::new();
    if !gone.is_empty() {
        reasons.push(format!("{} deleted", are(&gone)));
    }
    for (name, error) in unreadable.iter().take(NAMED) {
        reasons.push(format!("its task run {name} is unreadable: {error}"));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// "its task run a is", "its task runs a, b and 3 more are".
fn are(names: &[impl AsRef<str>]) -> String {
    let first: Vec<&str> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    let first = first.join(", ");
    match names.len() {
        1 => format!("its task run {first} is"),
        count if count <= NAMED => format!("its task runs {first} are"),
        count => format!("its task runs {first} and {} more are", count - NAMED),
    }
}

#[cfg(test)]
mod tests {
    use super::are;

    #[test]
    fn a_few_task_runs_are_named_and_the_others_counted() {
        assert_eq!(are(&["a"]), "its task run a is");
        assert_eq!(are(&["a", "b"]), "its task runs a, b are");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(are(&many), "its task runs a, b, c, d, e and 2 more are");
    }
}
