//! The view for people, laid out like `tkn describe`, with a line on the signature.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use windlass_core::run::Kind;

use super::{field, section, signature};
use crate::cli::output::table::Table;
use crate::cli::output::{cells, clean};
use crate::inspect::summary::{Status, Summary};

/// Set by `kubectl apply`: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The whole view of one run. `children` are the task runs of a pipeline run, by name.
pub(super) fn text(
    kind: Kind,
    run: &Value,
    children: &HashMap<String, Summary>,
    now: Timestamp,
) -> String {
    let status = run
        .get("status")
        .and_then(|status| Status::deserialize(status).ok());
    let status = status.unwrap_or_default();
    let condition = status.condition();
    let finished = condition.is_some_and(|condition| condition.status != "Unknown");
    let mut text = head(kind, run, finished);
    map(&mut text, "Labels", field::object(run, "/metadata/labels"));
    map(
        &mut text,
        "Annotations",
        field::object(run, "/metadata/annotations"),
    );
    let mut table = Table::new(["STARTED", "DURATION", "STATUS"]);
    table.row(cells::status(&status, now));
    let _ = write!(text, "\n🌡️  Status\n\n{}", table.text(""));
    if let Some(failed) = condition.filter(|condition| condition.status == "False") {
        let _ = write!(
            text,
            "\n💌 Message\n\n{}\n",
            clean::lines(&failed.message, "")
        );
    }
    section::timeouts(&mut text, run);
    section::values(&mut text, "⚓ Params", field::list(run, "/spec/params"));
    section::values(&mut text, "📝 Results", field::list(run, "/status/results"));
    section::workspaces(&mut text, field::list(run, "/spec/workspaces"));
    match kind {
        Kind::Task => {
            section::states(&mut text, "🦶 Steps", field::list(run, "/status/steps"));
            section::states(
                &mut text,
                "🚗 Sidecars",
                field::list(run, "/status/sidecars"),
            );
        }
        Kind::Pipeline => {
            section::children(&mut text, run, children, now);
            section::skipped(&mut text, field::list(run, "/status/skippedTasks"));
        }
    }
    text
}

fn head(kind: Kind, run: &Value, finished: bool) -> String {
    let (reference, account) = match kind {
        Kind::Task => (
            ("Task Ref:", "/spec/taskRef/name"),
            "/spec/serviceAccountName",
        ),
        Kind::Pipeline => (
            ("Pipeline Ref:", "/spec/pipelineRef/name"),
            "/spec/taskRunTemplate/serviceAccountName",
        ),
    };
    let mut table = Table::default();
    let always = [
        ("Name:", "/metadata/name"),
        ("Namespace:", "/metadata/namespace"),
    ];
    for (title, pointer) in always {
        table.row([title.to_owned(), clean::short(field::text(run, pointer))]);
    }
    let optional = [
        reference,
        ("Service Account:", account),
        ("Timeout:", "/spec/timeout"),
    ];
    for (title, pointer) in optional {
        let value = field::text(run, pointer);
        if !value.is_empty() && value != "0s" {
            table.row([title.to_owned(), clean::short(value)]);
        }
    }
    table.row([
        "Signature:".to_owned(),
        signature::line(kind, run, finished),
    ]);
    table.text("")
}

fn map(text: &mut String, title: &str, entries: Option<&Map<String, Value>>) {
    let mut entries: Vec<_> = entries
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != LAST_APPLIED)
        .collect();
    if entries.is_empty() {
        return;
    }
    entries.sort_unstable_by_key(|(key, _)| *key);
    let _ = writeln!(text, "{title}:");
    for (key, value) in entries {
        let _ = writeln!(text, " {}={}", clean::line(key), field::cell(Some(value)));
    }
}

#[cfg(test)]
mod tests;
