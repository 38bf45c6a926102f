//! The in-toto statement in an attestation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::expected::{Claim, Expected};

/// Versions that are read.
const KNOWN: [&str; 2] = [
    "https://in-toto.io/Statement/v0.1",
    "https://in-toto.io/Statement/v1",
];

/// A statement, as far as it is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statement<'a> {
    #[serde(rename = "_type", default)]
    kind: String,
    #[serde(default)]
    pub(super) predicate_type: String,
    #[serde(default)]
    subject: Option<Vec<Subject>>,
    /// As it is written: it is read only where something of it is asked for.
    #[serde(borrow, default)]
    pub(super) predicate: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl Statement<'_> {
    /// What does not hold of its version, predicate type and subjects.
    pub(super) fn check(&self, expected: &Expected) -> Vec<String> {
        let mut findings = Vec::new();
        let kind = &self.kind;
        if !KNOWN.contains(&kind.as_str()) {
            findings.push(format!(
                "the statement's _type is `{kind}`, expected `{}` or `{}`",
                KNOWN[0], KNOWN[1]
            ));
        }
        let found = &self.predicate_type;
        if let Some(wanted) = expected
            .predicate_type
            .as_ref()
            .filter(|wanted| *wanted != found)
        {
            findings.push(format!(
                "the statement's predicateType is `{found}`, expected `{wanted}`; choose with --type"
            ));
        }
        findings.extend(
            expected
                .subject
                .as_ref()
                .and_then(|claim| self.missing(claim)),
        );
        findings
    }

    fn missing(&self, claim: &Claim) -> Option<String> {
        let Claim { algorithm, digest } = claim;
        let subjects = self.subject.as_deref().unwrap_or_default();
        if subjects.iter().any(|subject| subject.is(claim)) {
            return None;
        }
        let names: Vec<&str> = subjects
            .iter()
            .take(5)
            .map(|subject| subject.name.as_str())
            .collect();
        let listed = match names.as_slice() {
            [] => "it has none".to_owned(),
            names => format!("it is about {}", names.join(", ")),
        };
        Some(format!(
            "{algorithm}:{digest} is not among the statement's subjects; {listed}"
        ))
    }
}

impl Statement<'_> {
    /// The name and the digests of each subject.
    pub(super) fn subjects(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, String>)> {
        let subjects = self.subject.as_deref().unwrap_or_default();
        subjects
            .iter()
            .map(|subject| (subject.name.as_str(), &subject.digest))
    }
}

impl Subject {
    fn is(&self, claim: &Claim) -> bool {
        let Claim { algorithm, digest } = claim;
        let stated = self.digest.get(algorithm);
        !digest.trim().is_empty()
            && stated.is_some_and(|stated| stated.eq_ignore_ascii_case(digest))
    }
}

/// The names of those subjects of a statement that have a digest.
pub fn subject_names(statement: &[u8], claim: &Claim) -> Vec<String> {
    let read = serde_json::from_slice::<Statement<'_>>(statement);
    let subjects = read.ok().and_then(|statement| statement.subject);
    let subjects = subjects.into_iter().flatten();
    subjects
        .filter(|subject| subject.is(claim) && !subject.name.is_empty())
        .map(|subject| subject.name)
        .collect()
}
