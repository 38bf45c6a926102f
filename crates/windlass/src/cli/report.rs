//! Verification reports as they are printed.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use windlass_core::verify::Story;

use super::output::look::Look;
use super::output::{self, clean};
use super::{story, verdict};
use crate::inspect::verify::report::{Entry, EntryKind, Report};

/// Most characters of a line, after what is unsafe in it is written out.
const LONGEST: usize = 1000;
/// Most entries that are shown without being valid.
const MOST_INVALID: usize = 100;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReportFormat {
    /// For people.
    #[value(alias = "report-text")]
    Text,
    /// For programs; of images, the signed payloads as cosign prints them.
    Json,
    /// For programs, of images too.
    #[value(alias = "report-json")]
    Report,
}

/// Prints reports and gives the exit code.
pub(super) fn print(reports: &[Report], format: ReportFormat) -> anyhow::Result<ExitCode> {
    match format {
        ReportFormat::Text => output::write(texts(reports, Look::of_stdout()))?,
        ReportFormat::Json | ReportFormat::Report => write(&object(reports))?,
    }
    Ok(exit(reports))
}

/// Prints what the valid signatures of images say, as cosign does, and the reports to standard error.
pub(super) fn print_claims(reports: &[Report]) -> anyhow::Result<ExitCode> {
    output::note(texts(reports, Look::PLAIN).trim_end());
    if failures(reports).is_empty() {
        let entries = reports.iter().flat_map(|report| &report.entries);
        let valid = entries.filter(|entry| entry.is_valid());
        let claims: Value = valid.filter_map(|entry| entry.claims.clone()).collect();
        output::write(format!("{claims}\n"))?;
    } else {
        write(&object(reports))?;
    }
    Ok(exit(reports))
}

/// Prints the envelopes that are valid, and the reports to standard error.
pub(super) fn print_envelopes(
    reports: &[Report],
    otherwise: Unverified,
) -> anyhow::Result<ExitCode> {
    output::note(texts(reports, Look::PLAIN).trim_end());
    if failures(reports).is_empty() {
        let attestations = reports.iter().flat_map(Report::valid_attestations);
        let envelopes = attestations.filter_map(|entry| entry.envelope.as_ref());
        let lines = envelopes.map(|envelope| as_cosign_prints(&envelope.to_json()) + "\n");
        output::write(lines.collect::<String>())?;
    } else if otherwise == Unverified::Object {
        write(&object(reports))?;
    }
    Ok(exit(reports))
}

/// An envelope without key IDs that say nothing.
fn as_cosign_prints(envelope: &str) -> String {
    envelope.replace(r#""keyid":"","#, "")
}

/// What is printed where envelopes would be, if there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unverified {
    Nothing,
    /// The reports, for programs.
    Object,
}

fn write(object: &Value) -> anyhow::Result<()> {
    output::write(format!("{object:#}\n"))
}

/// The reports for programs: one as it is, several in an object. `error` says what is not verified.
fn object(reports: &[Report]) -> Value {
    let failures = failures(reports);
    let mut object = match reports {
        [report] => report.json(),
        _ => json!({
            "verified": failures.is_empty(),
            "reports": reports.iter().map(Report::json).collect::<Vec<_>>(),
        }),
    };
    if !failures.is_empty() {
        object["error"] = json!(failures.join("; "));
    }
    object
}

fn exit(reports: &[Report]) -> ExitCode {
    verdict::report(&failures(reports))
}

/// Why reports are not those of something verified; of several, each with its target.
fn failures(reports: &[Report]) -> Vec<String> {
    let is_one = reports.len() == 1;
    let failures = reports.iter().filter_map(|report| {
        let reason = report.verdict().err()?;
        Some(if is_one {
            reason.to_owned()
        } else {
            format!("{}: {reason}", clean::short(&report.target))
        })
    });
    failures.collect()
}

fn texts(reports: &[Report], look: Look) -> String {
    let texts: Vec<String> = reports.iter().map(|report| text(report, look)).collect();
    texts.join("\n")
}

fn text(report: &Report, look: Look) -> String {
    let mut text = line("", &report.target);
    if let Some(digest) = &report.digest {
        text.push_str(&line("  digest: ", digest));
    }
    text.push_str(&line("  checked with: ", &report.key));
    if let Some((told, place)) = report.story() {
        add_story(&mut text, told, place, report.log);
    }
    let mut invalid = 0;
    for entry in &report.entries {
        invalid += usize::from(!entry.is_valid());
        if entry.is_valid() || invalid <= MOST_INVALID {
            add(&mut text, entry, look);
        }
    }
    if invalid > MOST_INVALID {
        let rest = invalid - MOST_INVALID;
        // writing to a string cannot fail
        let _ = writeln!(text, "\n{rest} more are invalid or skipped");
    }
    text
}

/// What was built, from what and by whom, by the word of a valid provenance.
fn add_story(text: &mut String, told: &Story, place: &str, log: &str) {
    text.push('\n');
    for (label, value) in story::lines(told) {
        text.push_str(&line(&format!("{label}: "), &value));
    }
    text.push_str(&line("told by: ", &format!("the provenance in {place}")));
    text.push_str(&line("log: ", log));
}

fn add(text: &mut String, entry: &Entry, look: Look) {
    let state = match entry.kind {
        EntryKind::Other => "skipped",
        _ if entry.is_valid() => "valid",
        _ => "invalid",
    };
    let state = look.state(state);
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
