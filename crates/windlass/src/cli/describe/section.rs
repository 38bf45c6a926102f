//! The sections of the view: each a heading and a table, left out when there is nothing to show.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;
use windlass_core::run::Kind;
use windlass_core::tekton::duration;

use super::binding::binding;
use super::field;
use crate::cli::output::look::Look;
use crate::cli::output::table::Table;
use crate::cli::output::{age, cells, clean};
use crate::inspect::summary::Summary;

/// The text so far, and how it looks.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) look: Look,
}

impl Page {
    fn section(&mut self, pictogram: &str, title: &str, table: &Table) {
        let title = self.look.title(pictogram, title);
        let _ = write!(self.text, "\n{title}\n\n{}", table.text(" "));
    }

    fn bullet(&self, name: &str) -> String {
        self.look.bullet(&clean::short(name))
    }

    /// The time limits of a pipeline run.
    pub(super) fn timeouts(&mut self, run: &Value) {
        let mut table = Table::default();
        for (title, pointer) in [
            ("Pipeline", "/spec/timeouts/pipeline"),
            ("Tasks", "/spec/timeouts/tasks"),
            ("Finally", "/spec/timeouts/finally"),
        ] {
            let limit = field::text(run, pointer);
            if !limit.is_empty() {
                table.row([format!("{}:", self.look.field(title)), time_limit(limit)]);
            }
        }
        let lines = table.text(" ");
        if !lines.is_empty() {
            let title = self.look.title("⏱  ", "Timeouts");
            let _ = write!(self.text, "\n{title}\n{lines}");
        }
    }

    /// Params.
    pub(super) fn params(&mut self, params: &[Value]) {
        self.values("⚓ ", "Params", params, field::param);
    }

    /// Results.
    pub(super) fn results(&mut self, kind: Kind, results: &[Value]) {
        self.values("📝 ", "Results", results, |value| {
            field::result(kind, value)
        });
    }

    fn values(
        &mut self,
        pictogram: &str,
        title: &str,
        values: &[Value],
        cell: impl Fn(Option<&Value>) -> String,
    ) {
        if values.is_empty() {
            return;
        }
        let mut table = Table::new(["NAME", "VALUE"]);
        for value in values {
            let name = self.bullet(field::text(value, "/name"));
            table.row([name, cell(value.get("value"))]);
        }
        self.section(pictogram, title, &table);
    }

    /// Workspaces with what they are bound to.
    pub(super) fn workspaces(&mut self, workspaces: &[Value]) {
        if workspaces.is_empty() {
            return;
        }
        let mut table = Table::new(["NAME", "SUB PATH", "WORKSPACE BINDING"]);
        for workspace in workspaces {
            let path = match field::text(workspace, "/subPath") {
                "" => age::NONE.to_owned(),
                path => clean::short(path),
            };
            let name = self.bullet(field::text(workspace, "/name"));
            table.row([name, path, binding(workspace)]);
        }
        self.section("📂 ", "Workspaces", &table);
    }

    /// Steps in the order in which they began, those that wait last.
    pub(super) fn steps(&mut self, steps: &[Value]) {
        let mut steps: Vec<&Value> = steps.iter().collect();
        steps.sort_by_key(|step| match began(step) {
            Some(time) => (false, Some(time)),
            None => (true, None),
        });
        self.states("🦶 ", "Steps", &steps);
    }

    /// Sidecars.
    pub(super) fn sidecars(&mut self, sidecars: &[Value]) {
        let sidecars: Vec<&Value> = sidecars.iter().collect();
        self.states("🚗 ", "Sidecars", &sidecars);
    }

    fn states(&mut self, pictogram: &str, title: &str, states: &[&Value]) {
        if states.is_empty() {
            return;
        }
        let mut table = Table::new(["NAME", "STATUS"]);
        for state in states {
            let name = self.bullet(field::text(state, "/name"));
            table.row([name, self.look.state(&outcome(state))]);
        }
        self.section(pictogram, title, &table);
    }

    /// The task runs of a pipeline run, the one that started last first.
    pub(super) fn children(
        &mut self,
        run: &Value,
        children: &HashMap<String, Summary>,
        now: Timestamp,
    ) {
        let references = field::list(run, "/status/childReferences").iter();
        let mut references: Vec<(&Value, Option<&Summary>)> = references
            .filter(|reference| is_task_run(reference))
            .map(|reference| (reference, children.get(field::text(reference, "/name"))))
            .collect();
        if references.is_empty() {
            return;
        }
        // runs that have not started come first, as in lists
        let start = |child: Option<&Summary>| child.and_then(|run| run.status.start_time);
        references.sort_by(
            |(_, left), (_, right)| match (start(*left), start(*right)) {
                (Some(left), Some(right)) => right.cmp(&left),
                (left, right) => left.is_some().cmp(&right.is_some()),
            },
        );
        let mut table = Table::new([
            "NAME",
            "TASK NAME",
            "STARTED",
            "DURATION",
            "STATUS",
            "SIGNED",
        ]);
        for (reference, child) in references {
            let status = child.map_or_else(
                || [age::NONE; 3].map(str::to_owned),
                |run| cells::status(&run.status, now, self.look),
            );
            let signed = child.map_or(age::NONE, |run| cells::signed(run.signature()));
            let name = self.bullet(field::text(reference, "/name"));
            let task = clean::short(field::text(reference, "/pipelineTaskName"));
            table.row(
                [name, task]
                    .into_iter()
                    .chain(status)
                    .chain([self.look.state(signed)]),
            );
        }
        self.section("🗂  ", "Taskruns", &table);
    }

    /// Tasks of a pipeline that were not run.
    pub(super) fn skipped(&mut self, skipped: &[Value]) {
        if skipped.is_empty() {
            return;
        }
        let mut table = Table::new(["NAME", "REASON"]);
        for task in skipped {
            let name = self.bullet(field::text(task, "/name"));
            table.row([name, field::cell(task.get("reason"))]);
        }
        self.section("⏭️  ", "Skipped Tasks", &table);
    }
}

/// A time limit as Go spells it: `1h` is `1h0m0s`.
pub(super) fn time_limit(text: &str) -> String {
    duration::canonical(text).unwrap_or_else(|| clean::short(text))
}

fn is_task_run(reference: &Value) -> bool {
    matches!(field::text(reference, "/kind"), "" | "TaskRun")
}

/// When a step began to run.
fn began(state: &Value) -> Option<Timestamp> {
    ["/terminated/startedAt", "/running/startedAt"]
        .into_iter()
        .find_map(|pointer| field::text(state, pointer).parse().ok())
}

fn outcome(state: &Value) -> String {
    let reason = |pointer| clean::short(field::text(state, pointer));
    if state.get("waiting").is_some_and(Value::is_object) {
        return reason("/waiting/reason");
    }
    if state.get("running").is_some_and(Value::is_object) {
        return "Running".to_owned();
    }
    if state.get("terminated").is_some_and(Value::is_object) {
        return reason("/terminated/reason");
    }
    age::NONE.to_owned()
}
