//! The sections of the view: each a heading and a table, left out when there is nothing to show.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::field;
use crate::cli::output::table::Table;
use crate::cli::output::{age, cells, clean};
use crate::inspect::summary::Summary;

fn section(text: &mut String, title: &str, table: &Table) {
    let _ = write!(text, "\n{title}\n\n{}", table.text(" "));
}

fn bullet(name: &str) -> String {
    format!("∙ {}", clean::short(name))
}

/// The time limits of a pipeline run.
pub(super) fn timeouts(text: &mut String, run: &Value) {
    let mut table = Table::default();
    for (title, pointer) in [
        ("Pipeline:", "/spec/timeouts/pipeline"),
        ("Tasks:", "/spec/timeouts/tasks"),
        ("Finally:", "/spec/timeouts/finally"),
    ] {
        let limit = field::text(run, pointer);
        if !limit.is_empty() {
            table.row([title.to_owned(), clean::short(limit)]);
        }
    }
    let lines = table.text(" ");
    if !lines.is_empty() {
        let _ = write!(text, "\n⏱  Timeouts\n\n{lines}");
    }
}

/// Params or results.
pub(super) fn values(text: &mut String, title: &str, values: &[Value]) {
    if values.is_empty() {
        return;
    }
    let mut table = Table::new(["NAME", "VALUE"]);
    for value in values {
        table.row([
            bullet(field::text(value, "/name")),
            field::cell(value.get("value")),
        ]);
    }
    section(text, title, &table);
}

/// Workspaces with what they are bound to.
pub(super) fn workspaces(text: &mut String, workspaces: &[Value]) {
    if workspaces.is_empty() {
        return;
    }
    let mut table = Table::new(["NAME", "SUB PATH", "WORKSPACE BINDING"]);
    for workspace in workspaces {
        let path = field::text(workspace, "/subPath");
        let path = if path.is_empty() {
            age::NONE.to_owned()
        } else {
            clean::short(path)
        };
        table.row([
            bullet(field::text(workspace, "/name")),
            path,
            binding(workspace),
        ]);
    }
    section(text, "📂 Workspaces", &table);
}

fn binding(workspace: &Value) -> String {
    let named = [
        (
            "PersistentVolumeClaim",
            "/persistentVolumeClaim",
            "/persistentVolumeClaim/claimName",
        ),
        (
            "VolumeClaimTemplate",
            "/volumeClaimTemplate",
            "/volumeClaimTemplate/metadata/name",
        ),
        ("ConfigMap", "/configMap", "/configMap/name"),
        ("Secret", "/secret", "/secret/secretName"),
        ("CSI", "/csi", "/csi/driver"),
        ("Projected", "/projected", ""),
        ("EmptyDir", "/emptyDir", "/emptyDir/medium"),
    ];
    let found = named
        .iter()
        .find(|(_, source, _)| workspace.pointer(source).is_some());
    let Some((title, _, name)) = found else {
        return age::NONE.to_owned();
    };
    match field::text(workspace, name) {
        "" => (*title).to_owned(),
        name => format!("{title} ({})", clean::short(name)),
    }
}

/// Steps or sidecars with how each ended.
pub(super) fn states(text: &mut String, title: &str, states: &[Value]) {
    if states.is_empty() {
        return;
    }
    let mut table = Table::new(["NAME", "STATUS"]);
    for state in states {
        table.row([bullet(field::text(state, "/name")), outcome(state)]);
    }
    section(text, title, &table);
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

/// The task runs of a pipeline run, in the order in which it names them.
pub(super) fn children(
    text: &mut String,
    run: &Value,
    children: &HashMap<String, Summary>,
    now: Timestamp,
) {
    let references = field::list(run, "/status/childReferences");
    if references.is_empty() {
        return;
    }
    let mut table = Table::new([
        "NAME",
        "TASK NAME",
        "STARTED",
        "DURATION",
        "STATUS",
        "SIGNED",
    ]);
    for reference in references {
        let name = field::text(reference, "/name");
        let task = clean::short(field::text(reference, "/pipelineTaskName"));
        let child = children.get(name);
        let status = child.map_or_else(
            || [age::NONE; 3].map(str::to_owned),
            |run| cells::status(&run.status, now),
        );
        let signed = child.map_or(age::NONE, |run| cells::signed(run.signature()));
        table.row(
            [bullet(name), task]
                .into_iter()
                .chain(status)
                .chain([signed.to_owned()]),
        );
    }
    section(text, "🗂  Taskruns", &table);
}

/// Tasks of a pipeline that were not run.
pub(super) fn skipped(text: &mut String, skipped: &[Value]) {
    if skipped.is_empty() {
        return;
    }
    let mut table = Table::new(["NAME", "REASON"]);
    for task in skipped {
        table.row([
            bullet(field::text(task, "/name")),
            field::cell(task.get("reason")),
        ]);
    }
    section(text, "⏭️  Skipped Tasks", &table);
}
