//! The task runs of a finished pipeline run: which it waits for, and which it is attested without.
//!
//! Its task runs go first so that what they record, and what they attach to an image, exists before
//! it (docs/behaviour.md, "Pipeline runs wait for their children"). Unlike in Chains, children of
//! other kinds are not looked for among the task runs, and a child that no longer exists keeps
//! nobody waiting.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use windlass_core::annotation;
use windlass_core::config::Config;
use windlass_core::decide::{Facts, Scope, Trust, is_settled};
use windlass_core::run::{Kind, TaskRun};
use windlass_core::terminal::quoted;

use super::conceded::Conceded;
use crate::cluster::path::check_name;

/// Task runs that are named when there are many of them.
const NAMED: usize = 5;

/// Names of the children that a pipeline run still has to wait for.
pub(super) fn unsettled(
    children: &[TaskRun<'_>],
    config: &Config,
    (trust, conceded): (&Trust<'_>, &Conceded),
    scope: &Scope,
) -> BTreeSet<String> {
    let is_waiting = |child: &&TaskRun<'_>| {
        let facts = Facts::of_task(child, Some(config), trust);
        let facts = conceded.apply(facts, Kind::Task, &child.metadata, trust);
        !is_settled(&facts, scope)
    };
    let waiting = children.iter().filter(is_waiting);
    let names = waiting.map(|child| child.metadata.name.to_string());
    names.collect()
}

/// Why a pipeline run waits, for its annotation.
pub(super) fn reason(children: &BTreeSet<String>) -> String {
    let names: Vec<&String> = children.iter().collect();
    annotation::reason(&clause(&names, "is not signed yet", "are not signed yet"))
}

/// What a pipeline run is attested without; `refused` says why it is attested without some.
pub(super) fn incomplete(missing: &[String], refused: &BTreeMap<String, String>) -> Option<String> {
    let (_, gone): (Vec<&String>, Vec<&String>) =
        missing.iter().partition(|name| refused.contains_key(*name));
    let mut reasons = Vec::new();
    if !gone.is_empty() {
        reasons.push(clause(&gone, "no longer exists", "no longer exist"));
    }
    for (name, why) in refused.iter().take(NAMED) {
        reasons.push(format!("its task run {} {why}", shown(name)));
    }
    if let Some(more) = refused.len().checked_sub(NAMED).filter(|more| *more > 0) {
        reasons.push(format!("{more} more are not used either"));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// A name as it may stand in a message: quoted if it is none that an object can have.
fn shown(name: &str) -> Cow<'_, str> {
    match check_name(name) {
        Ok(()) => Cow::Borrowed(name),
        Err(_) => Cow::Owned(quoted(name)),
    }
}

/// A clause about task runs, as "its task run a is", "its task runs a, b and 3 more are"; `one` and
/// `many` are its verb.
fn clause(names: &[impl AsRef<str>], one: &str, many: &str) -> String {
    let first = names.iter().take(NAMED).map(|name| shown(name.as_ref()));
    let first: Vec<Cow<'_, str>> = first.collect();
    let first = first.join(", ");
    match names.len() {
        1 => format!("its task run {first} {one}"),
        count if count <= NAMED => format!("its task runs {first} {many}"),
        count => format!("its task runs {first} and {} more {many}", count - NAMED),
    }
}

#[cfg(test)]
mod tests {
    use super::clause;

    #[test]
    fn a_few_task_runs_are_named_and_the_others_counted() {
        let are = |names: &[&str]| clause(names, "is", "are");
        assert_eq!(are(&["a"]), "its task run a is");
        assert_eq!(are(&["a", "b"]), "its task runs a, b are");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(are(&many), "its task runs a, b, c, d, e and 2 more are");
    }
}
