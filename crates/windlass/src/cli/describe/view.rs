//! The view for people, laid out like `tkn describe`, with a line on the signature.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use windlass_core::run::Kind;

use super::section::{Page, time_limit};
use super::{field, signature};
use crate::cli::output::look::Look;
use crate::cli::output::table::Table;
use crate::cli::output::{cells, clean};
use crate::inspect::summary::{Condition, Status, Summary};

/// Set by `kubectl apply`: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The whole view of one run. `children` are the task runs of a pipeline run, by name.
pub(super) fn text(
    kind: Kind,
    run: &Value,
    children: &HashMap<String, Summary>,
    now: Timestamp,
    look: Look,
) -> String {
    let status = run
        .get("status")
        .and_then(|status| Status::deserialize(status).ok());
    let status = status.unwrap_or_default();
    let condition = status.condition();
    let finished = condition.is_some_and(|condition| condition.status != "Unknown");
    let mut page = Page {
        text: head(kind, run, finished, look),
        look,
    };
    for (title, pointer) in [
        ("Labels", "/metadata/labels"),
        ("Annotations", "/metadata/annotations"),
    ] {
        map(&mut page, title, field::object(run, pointer));
    }
    state(&mut page, kind, &status, now);
    if let Some(failed) = condition.filter(|condition| condition.status == "False") {
        message(&mut page, kind, failed, &failures(run, children));
    }
    if kind == Kind::Pipeline {
        page.timeouts(run);
    }
    page.params(field::list(run, "/spec/params"));
    page.results(kind, field::list(run, "/status/results"));
    page.workspaces(field::list(run, "/spec/workspaces"));
    match kind {
        Kind::Task => {
            page.steps(field::list(run, "/status/steps"));
            page.sidecars(field::list(run, "/status/sidecars"));
        }
        Kind::Pipeline => {
            page.children(run, children, now);
            page.skipped(field::list(run, "/status/skippedTasks"));
        }
    }
    page.text
}

fn head(kind: Kind, run: &Value, finished: bool, look: Look) -> String {
    let (reference, account) = match kind {
        Kind::Task => (
            ("Task Ref", "/spec/taskRef/name"),
            "/spec/serviceAccountName",
        ),
        Kind::Pipeline => (
            ("Pipeline Ref", "/spec/pipelineRef/name"),
            "/spec/taskRunTemplate/serviceAccountName",
        ),
    };
    let mut table = Table::default();
    let mut row = |title: &str, value: String| {
        table.row([format!("{}:", look.field(title)), value]);
    };
    for (title, pointer) in [
        ("Name", "/metadata/name"),
        ("Namespace", "/metadata/namespace"),
    ] {
        row(title, clean::short(field::text(run, pointer)));
    }
    for (title, pointer) in [reference, ("Service Account", account)] {
        let value = field::text(run, pointer);
        if !value.is_empty() {
            row(title, clean::short(value));
        }
    }
    if kind == Kind::Task {
        let limit = time_limit(field::text(run, "/spec/timeout"));
        if !limit.is_empty() && limit != "0s" {
            row("Timeout", limit);
        }
    }
    row("Signature", signature::line(kind, run, finished));
    if let Some(flags) = signature::identity(kind, run) {
        row("Identity", flags);
    }
    table.text("")
}

fn map(page: &mut Page, title: &str, entries: Option<&Map<String, Value>>) {
    let mut entries: Vec<_> = entries
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != LAST_APPLIED)
        .collect();
    if entries.is_empty() {
        return;
    }
    entries.sort_unstable_by_key(|(key, _)| *key);
    let _ = writeln!(page.text, "{}:", page.look.field(title));
    for (key, value) in entries {
        let value = field::cell(Some(value));
        let _ = writeln!(page.text, " {}={value}", clean::line(key));
    }
}

fn state(page: &mut Page, kind: Kind, status: &Status, now: Timestamp) {
    // the blanks are those of tkn, so that its columns stand where scripts look for them
    let mut table = Table::new(match kind {
        Kind::Task => ["STARTED ", "DURATION ", "STATUS"],
        Kind::Pipeline => ["STARTED", "DURATION", "STATUS"],
    });
    table.row(cells::status(status, now, page.look));
    let title = page.look.title("🌡️  ", "Status");
    let _ = write!(page.text, "\n{title}\n\n{}", table.text(""));
}

/// The task runs of a pipeline run that failed.
fn failures<'a>(run: &'a Value, children: &HashMap<String, Summary>) -> Vec<&'a str> {
    let references = field::list(run, "/status/childReferences").iter();
    let mut names: Vec<&str> = references
        .map(|reference| field::text(reference, "/name"))
        .filter(|name| {
            let condition = children.get(*name).and_then(|run| run.status.condition());
            condition.is_some_and(|condition| condition.status == "False")
        })
        .collect();
    names.sort_unstable();
    names
}

/// Why a run failed, and which of its task runs did.
fn message(page: &mut Page, kind: Kind, failed: &Condition, failures: &[&str]) {
    let mut message = clean::lines(&failed.message, "");
    if !failures.is_empty() {
        // tkn says so of each that failed, and scripts look for the line
        let names = failures.join(", ");
        let _ = write!(message, "\nTaskRun(s) cancelled: {}", clean::line(&names));
    }
    if message.is_empty() {
        return;
    }
    let pictogram = match kind {
        Kind::Task => "",
        Kind::Pipeline => "💌 ",
    };
    let title = page.look.title(pictogram, "Message");
    let _ = write!(page.text, "\n{title}\n\n{message}\n");
}

#[cfg(test)]
mod tests;
