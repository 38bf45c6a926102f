//! What a pipeline run does next: the state of each task, from the facts alone.
//! Rule sources: the "Pipelines" and "PipelineRuns" pages of the Tekton documentation.

use std::collections::BTreeMap;

use super::facts::{Facts, PlannedTask};
use super::references::ResultReference;
use super::state::{Skip, State, of_children};
use super::{fill, references, skip};
use crate::steps::variables::Variables;

/// The state of every task.
#[derive(Debug)]
pub(super) struct Progress {
    pub states: Vec<State>,
    /// What all finished tasks have left.
    pub variables: Variables,
    /// A task has failed, so that no other one is started.
    stops: bool,
}

impl Progress {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let mut invalid = BTreeMap::new();
        // each round finds an invalid task or is the last
        loop {
            let progress = Self::with(facts, &invalid);
            let found = progress.without_results(facts);
            if found.is_empty() {
                return progress;
            }
            invalid.extend(found);
        }
    }

    fn with(facts: &Facts<'_>, invalid: &BTreeMap<usize, String>) -> Self {
        let mut progress = Self {
            states: vec![State::Waiting; facts.tasks.len()],
            variables: fill::of_tasks(facts),
            stops: has_failed(facts, invalid),
        };
        for at in facts.graph.order() {
            if !facts.tasks[*at].is_final {
                progress.states[*at] = progress.of_task(facts, *at, invalid);
            }
        }
        if !progress.tasks_are_done(facts.tasks) {
            return progress;
        }
        fill::set_states(facts, &progress.states, &mut progress.variables);
        for (at, task) in facts.tasks.iter().enumerate() {
            if task.is_final {
                progress.states[at] = progress.of_final_task(facts, at);
            }
        }
        progress
    }

    fn of_task(&self, facts: &Facts<'_>, at: usize, invalid: &BTreeMap<usize, String>) -> State {
        let task = &facts.tasks[at];
        if let Some(state) = of_children(task, &facts.children[at]) {
            return state;
        }
        if let Some(message) = invalid.get(&at) {
            return State::Invalid(message.clone());
        }
        if self.stops {
            return State::Skipped(Skip::Stopping);
        }
        if let Some(skip) = skip::by_request(facts.request) {
            return State::Skipped(skip);
        }
        let parents = facts.graph.parents(at);
        let are_done = parents.iter().all(|parent| self.states[*parent].is_done());
        let filled = fill::task(&task.spec, &self.variables);
        if are_done && let Some(skip) = skip::by_when(&filled.spec) {
            return State::Skipped(skip);
        }
        if let Some(skip) = skip::by_parents(parents, &self.states) {
            return State::Skipped(skip);
        }
        if !are_done {
            return State::Waiting;
        }
        if filled.missing.is_some() && self.may_be_missing(facts, at) {
            return State::Skipped(Skip::MissingResults);
        }
        let skip = skip::by_time(facts.overdue, task).or_else(|| skip::by_matrix(&filled.spec));
        skip.map_or_else(|| State::Ready(Box::new(filled.spec)), State::Skipped)
    }

    /// Whether a missing result skips the task, rather than end the run.
    fn may_be_missing(&self, facts: &Facts<'_>, at: usize) -> bool {
        let task = &facts.tasks[at];
        let refers = references::results(&task.spec).into_iter();
        let mut sources = refers.filter_map(|reference| {
            let source = facts
                .tasks
                .iter()
                .position(|one| one.name == reference.task)?;
            self.states.get(source)
        });
        task.is_failure_ignored()
            || sources.any(|state| *state == State::Skipped(Skip::WhenExpressions))
    }

    fn of_final_task(&self, facts: &Facts<'_>, at: usize) -> State {
        let task = &facts.tasks[at];
        if let Some(state) = of_children(task, &facts.children[at]) {
            return state;
        }
        let filled = fill::task(&task.spec, &self.variables);
        let skip = filled.missing.map(|_| Skip::MissingResults);
        let skip = skip
            .or_else(|| skip::by_when(&filled.spec))
            .or_else(|| skip::by_time(facts.overdue, task))
            .or_else(|| skip::by_matrix(&filled.spec));
        skip.map_or_else(|| State::Ready(Box::new(filled.spec)), State::Skipped)
    }

    /// Tasks that could start but for a result that does not exist, with the message for it.
    fn without_results(&self, facts: &Facts<'_>) -> BTreeMap<usize, String> {
        let mut found = BTreeMap::new();
        for (at, task) in facts.tasks.iter().enumerate() {
            let State::Ready(spec) = &self.states[at] else {
                continue;
            };
            if task.is_final {
                continue;
            }
            let mut missing = references::results(spec).into_iter().filter(|reference| {
                !self.variables.has(&reference.expression) && self.excess(reference).is_none()
            });
            if let Some(missing) = missing.next() {
                let message = format!(
                    "Invalid task result reference: Could not find result with name {} for task {}",
                    missing.result, missing.task
                );
                found.insert(at, message);
            }
        }
        found
    }

    /// What is wrong with the index of a result that a task refers to which could start, in Tekton's words.
    pub(super) fn index_out_of_bound(&self) -> Option<String> {
        let ready = self.states.iter().filter_map(|state| match state {
            State::Ready(spec) => Some(references::results(spec)),
            _ => None,
        });
        let mut references = ready.flatten();
        references.find_map(|reference| {
            let (index, length) = self.excess(&reference)?;
            Some(format!(
                "array Result Index {index} for Task {} Result {} is out of bound of size {length}",
                reference.task, reference.result
            ))
        })
    }

    /// An index beyond the end of a list, with the length of the list.
    fn excess(&self, reference: &ResultReference) -> Option<(usize, usize)> {
        let (list, index) = reference.index()?;
        let length = self.variables.length(list)?;
        (index >= length).then_some((index, length))
    }

    /// Whether all tasks but those in `finally` are done.
    pub(super) fn tasks_are_done(&self, tasks: &[PlannedTask]) -> bool {
        self.are_done(tasks, |task| !task.is_final)
    }

    /// Whether all tasks in `finally` are done.
    pub(super) fn final_tasks_are_done(&self, tasks: &[PlannedTask]) -> bool {
        self.are_done(tasks, |task| task.is_final)
    }

    fn are_done(&self, tasks: &[PlannedTask], is_meant: impl Fn(&PlannedTask) -> bool) -> bool {
        let mut states = tasks.iter().zip(&self.states);
        states.all(|(task, state)| !is_meant(task) || state.is_done())
    }
}

/// Whether a task has failed that the run cannot do without.
fn has_failed(facts: &Facts<'_>, invalid: &BTreeMap<usize, String>) -> bool {
    facts.tasks.iter().enumerate().any(|(at, task)| {
        let ended = of_children(task, &facts.children[at]);
        let fails = matches!(ended, Some(State::Failed | State::Cancelled));
        let fails = fails || invalid.contains_key(&at);
        !task.is_final && fails && !task.is_failure_ignored()
    })
}

#[cfg(test)]
mod tests;
