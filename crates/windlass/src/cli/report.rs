//! Verification reports as they are printed.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::output::{self, clean};
use super::verdict;
use crate::inspect::verify::report::{Entry, EntryKind, Report};

/// Most characters of a line, after what is unsafe in it is written out.
const LONGEST: usize = 1000;
/// Most entries that are shown without being valid.
const MOST_INVALID: usize = 100;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Prints a report and gives the exit code.
pub(super) fn print(report: &Report, format: ReportFormat) -> anyhow::Result<ExitCode> {
    match format {
        ReportFormat::Text => output::write(text(report))?,
        ReportFormat::Json => output::write(format!("{:#}\n", report.json()))?,
    }
    Ok(exit(report))
}

/// Prints why there is no report, though something was checked.
pub(super) fn not_verified(finding: String, format: ReportFormat) -> anyhow::Result<ExitCode> {
    if format == ReportFormat::Json {
        let object = json!({ "verified": false, "error": finding });
        output::write(format!("{object:#}\n"))?;
    }
    Ok(verdict::report(&[finding]))
}

/// Prints the envelopes that are valid, and the report to standard error.
#[expect(clippy::print_stderr, reason = "the command line talks to a person")]
pub(super) fn print_envelopes(report: &Report) -> anyhow::Result<ExitCode> {
    eprint!("{}", text(report));
    if report.verdict().is_ok() {
        let envelopes = report
            .valid_attestations()
            .filter_map(|entry| entry.envelope.as_ref());
        let lines = envelopes.map(|envelope| envelope.to_json() + "\n");
        output::write(lines.collect::<String>())?;
    }
    Ok(exit(report))
}

fn exit(report: &Report) -> ExitCode {
    match report.verdict() {
        Ok(()) => verdict::report(&[]),
        Err(reason) => verdict::report(&[reason.to_owned()]),
    }
}

fn text(report: &Report) -> String {
    let mut text = line("", &report.target);
    if let Some(digest) = &report.digest {
        text.push_str(&line("  digest: ", digest));
    }
    text.push_str(&line("  checked with: ", &report.key));
    let mut invalid = 0;
    for entry in &report.entries {
        invalid += usize::from(!entry.is_valid());
        if entry.is_valid() || invalid <= MOST_INVALID {
            add(&mut text, entry);
        }
    }
    if invalid > MOST_INVALID {
        let rest = invalid - MOST_INVALID;
        // writing to a string cannot fail
        let _ = writeln!(text, "\n{rest} more are invalid or skipped");
    }
    text
}

fn add(text: &mut String, entry: &Entry) {
    let state = match entry.kind {
        EntryKind::Other => "skipped",
        _ if entry.is_valid() => "valid",
        _ => "invalid",
    };
    // writing to a string cannot fail
    let _ = write!(text, "\n{}: {state}\n", entry.kind.name());
    text.push_str(&line("  found in: ", &entry.place));
    if let Some(predicate) = &entry.outcome.predicate_type {
        text.push_str(&line("  predicate type: ", predicate));
    }
    for reference in &entry.outcome.references {
        text.push_str(&line("  repository: ", reference));
    }
    for one in &entry.outcome.attributions {
        let (standing, by) = (one.standing.name(), &one.by);
        let told = format!("{}: {standing}, by {by}", one.value);
        text.push_str(&line(&format!("  {} ", one.claim), &told));
    }
    for finding in &entry.outcome.findings {
        text.push_str(&line("  - ", finding));
    }
    if entry.is_valid() && !entry.outcome.not_covered.is_empty() {
        let parts = entry.outcome.not_covered.join(", ");
        text.push_str(&line("  does not cover: ", &parts));
    }
}

/// A line without control characters, cut where nobody reads on.
fn line(label: &str, value: &str) -> String {
    let value: String = clean::line(value).chars().take(LONGEST).collect();
    format!("{label}{value}\n")
}
