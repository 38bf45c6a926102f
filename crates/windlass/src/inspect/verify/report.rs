//! A verification report: each entry with its findings, and the verdict.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use windlass_core::dsse::Envelope;
use windlass_core::key::PublicKey;
use windlass_core::verify::Outcome;

use crate::cli::output::{self, clean};
use crate::cli::verdict;

/// Most characters of a line: what is found in a registry may be of any length.
const LONGEST: usize = 1000;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum View {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Signature,
    Attestation,
    /// Nothing that is verified, such as a list of packages without signature.
    Other,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Attestation => "attestation",
            Self::Other => "other",
        }
    }
}

/// Something that was found.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) what: What,
    /// Where it was found.
    pub(crate) place: String,
    pub(crate) outcome: Outcome,
    /// The envelope of an attestation.
    pub(crate) envelope: Option<Envelope>,
}

/// All that was found.
#[derive(Debug)]
pub(crate) struct Report {
    target: String,
    digest: Option<String>,
    key: String,
    entries: Vec<Checked>,
    /// Why it does not come to what is asked for; not decided yet if empty and not verified.
    verdict: Result<(), String>,
}

impl Report {
    /// A report in which nothing is found yet, and so nothing holds.
    pub(crate) fn new(target: String, digest: Option<String>, key: &PublicKey) -> Self {
        Self {
            target,
            digest,
            key: format!("{} ({})", key.key_id(), key.algorithm()),
            entries: Vec::new(),
            verdict: Err("nothing was checked".to_owned()),
        }
    }

    pub(crate) fn add(&mut self, checked: Checked) {
        self.entries.push(checked);
    }

    /// Holds if one entry of a kind that answers holds.
    pub(crate) fn decide_by_one(&mut self, needs_attestation: bool) {
        let answers = |entry: &&Checked| match entry.what {
            What::Attestation => true,
            What::Signature => !needs_attestation,
            What::Other => false,
        };
        let name = if needs_attestation {
            "attestation"
        } else {
            "signature or attestation"
        };
        let candidates: Vec<&Checked> = self.entries.iter().filter(answers).collect();
        self.verdict = if candidates.iter().any(|entry| entry.outcome.holds()) {
            Ok(())
        } else if candidates.is_empty() {
            Err(format!("no {name} was found"))
        } else {
            Err(format!(
                "{} found, but none is a valid {name}",
                candidates.len()
            ))
        };
    }

    /// Holds if all entries hold and there is what has to be there.
    pub(crate) fn decide_by_all(&mut self, missing: Option<String>) {
        let broken = self.entries.iter().filter(|entry| !entry.outcome.holds());
        self.verdict = match (missing, broken.count()) {
            (Some(missing), _) => Err(missing),
            (None, 0) => Ok(()),
            (None, count) => Err(format!("{count} of {} are invalid", self.entries.len())),
        };
    }

    /// Whether an attestation was found that holds.
    pub(crate) fn has_attestation(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.what == What::Attestation && entry.outcome.holds())
    }

    /// Prints it and gives the exit code.
    pub(crate) fn print(&self, view: View) -> anyhow::Result<ExitCode> {
        match view {
            View::Text => output::write(self.text())?,
            View::Json => output::write(format!("{:#}\n", self.json()))?,
        }
        Ok(self.exit())
    }

    /// Prints the envelopes that hold, the report beside them.
    #[expect(clippy::print_stderr, reason = "the command line talks to a person")]
    pub(crate) fn print_envelopes(&self) -> anyhow::Result<ExitCode> {
        eprint!("{}", self.text());
        let good = self.entries.iter().filter(|entry| entry.outcome.holds());
        let lines = good
            .filter(|entry| entry.what == What::Attestation)
            .filter_map(|entry| entry.envelope.as_ref())
            .map(|envelope| envelope.to_json() + "\n");
        if self.verdict.is_ok() {
            output::write(lines.collect::<String>())?;
        }
        Ok(self.exit())
    }

    fn exit(&self) -> ExitCode {
        match &self.verdict {
            Ok(()) => verdict::report(&[]),
            Err(reason) => verdict::report(std::slice::from_ref(reason)),
        }
    }

    fn text(&self) -> String {
        let mut text = line("", &self.target);
        if let Some(digest) = &self.digest {
            text.push_str(&line("  digest: ", digest));
        }
        text.push_str(&line("  checked with: ", &self.key));
        for entry in &self.entries {
            let Checked {
                what,
                place,
                outcome,
                envelope: _,
            } = entry;
            let state = match what {
                What::Other => "skipped",
                _ if outcome.holds() => "valid",
                _ => "invalid",
            };
            // writing to a string cannot fail
            let _ = write!(text, "\n{}: {state}\n", what.name());
            text.push_str(&line("  found in: ", place));
            if let Some(predicate) = &outcome.predicate_type {
                text.push_str(&line("  predicate type: ", predicate));
            }
            for finding in &outcome.findings {
                text.push_str(&line("  - ", finding));
            }
        }
        text
    }

    fn json(&self) -> Value {
        let entries = self.entries.iter().map(|entry| {
            json!({
                "kind": entry.what.name(),
                "place": entry.place,
                "predicateType": entry.outcome.predicate_type,
                "verified": entry.what != What::Other && entry.outcome.holds(),
                "findings": entry.outcome.findings,
            })
        });
        json!({
            "target": self.target,
            "digest": self.digest,
            "key": self.key,
            "verified": self.verdict.is_ok(),
            "reason": self.verdict.as_ref().err(),
            "entries": entries.collect::<Vec<_>>(),
        })
    }
}

/// A line without control characters, cut where nobody reads on.
fn line(label: &str, value: &str) -> String {
    let value: String = clean::line(value).chars().take(LONGEST).collect();
    format!("{label}{value}\n")
}
