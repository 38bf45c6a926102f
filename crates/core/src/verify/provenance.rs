//! What a provenance says of its build, compared with what is expected, and on whose word.
//!
//! A match is evidence only if the author of the run could not have chosen it. Builder and
//! definition are recorded by the platform. A source is named by params and results: it counts if
//! results of a definition that the verifier trusts, by URI and digest, name it. Anything else is a
//! claim, which counts only where the verifier accepts claims.

use serde_json::Value;
use serde_json::value::RawValue;

use super::build::{Build, Definition, Input};
use super::definition::{DefinitionRef, bare};
use super::expected::{Provenance, Standing};
use super::statement::Statement;
use crate::format::{SLSA_V1, SLSA_V02};

/// Something that a provenance says as expected, and on whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The claim, by the name of its option: `source-uri`.
    pub claim: &'static str,
    /// Its value.
    pub value: String,
    /// What it is worth.
    pub standing: Standing,
    /// Whose word it is.
    pub by: String,
}

/// How a reference fits a build.
#[derive(Debug, Clone, Copy)]
enum Fit {
    /// It is the definition of the run, or of a task of a pipeline that is trusted.
    Own,
    /// The build only names it.
    Named,
}

/// What a comparison comes to.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) findings: Vec<String>,
    pub(super) attributions: Vec<Attribution>,
}

/// Compares a statement with what is expected of its provenance.
pub(super) fn check(statement: &Statement<'_>, wanted: &Provenance) -> Judgement {
    let mut judgement = Judgement::default();
    if !wanted.is_asked_for() {
        return judgement;
    }
    let predicate = statement.predicate.map_or("null", RawValue::get);
    // its text was read before, as part of the statement
    let predicate: Value = serde_json::from_str(predicate).unwrap_or_default();
    let build = match statement.predicate_type.as_str() {
        SLSA_V02 => Build::v02(&predicate),
        SLSA_V1 => Build::v1(&predicate),
        other => {
            judgement.findings.push(format!(
                "the predicateType `{other}` says nothing of source, builder or task; expected \
                 `{SLSA_V02}` or `{SLSA_V1}`"
            ));
            return judgement;
        }
    };
    judgement.builder(&build, wanted);
    judgement.pipeline(&build, wanted);
    judgement.task(&build, wanted);
    judgement.source(&build, wanted);
    judgement
}

impl Judgement {
    fn attribute(&mut self, claim: &'static str, value: &str, standing: Standing, by: &str) {
        self.attributions.push(Attribution {
            claim,
            value: value.to_owned(),
            standing,
            by: by.to_owned(),
        });
    }

    /// What only the author of the run vouches for: a finding, unless claims suffice.
    fn claimed(
        &mut self,
        (claim, value): (&'static str, &str),
        by: &str,
        least: Standing,
        remedy: &str,
    ) {
        self.attribute(claim, value, Standing::Claimed, by);
        if least > Standing::Claimed {
            self.findings.push(format!(
                "the {claim} `{value}` is only claimed, by {by}: {remedy}or accept the claim with \
                 --allow-claimed-source"
            ));
        }
    }

    fn builder(&mut self, build: &Build<'_>, wanted: &Provenance) {
        let Some(wanted) = &wanted.builder_id else {
            return;
        };
        let found = build.builder;
        if wanted.trim().is_empty() || wanted != found {
            let finding = format!("the builder is `{found}`, expected `{wanted}`");
            self.findings.push(finding);
            return;
        }
        self.attribute("builder-id", wanted, Standing::Verified, "the controller");
    }

    fn pipeline(&mut self, build: &Build<'_>, wanted: &Provenance) {
        let Some(reference) = &wanted.pipeline_ref else {
            return;
        };
        let fit = match build.kind {
            Definition::Pipeline if build.own.is(reference) => Some(Fit::Own),
            Definition::Pipeline if names(build, reference) => Some(Fit::Named),
            _ => None,
        };
        self.definition(build, ("pipeline-ref", reference), fit, wanted);
    }

    fn task(&mut self, build: &Build<'_>, wanted: &Provenance) {
        let Some(reference) = &wanted.task_ref else {
            return;
        };
        let is_among_tasks = build.tasks.iter().any(|task| task.is(reference));
        let is_trusted = vouching(build, wanted.pipeline_ref.as_ref()).is_some();
        let fit = if build.own.is(reference) || (is_among_tasks && is_trusted) {
            Some(Fit::Own)
        } else if is_among_tasks || names(build, reference) {
            Some(Fit::Named)
        } else {
            None
        };
        self.definition(build, ("task-ref", reference), fit, wanted);
    }

    fn definition(
        &mut self,
        build: &Build<'_>,
        (claim, reference): (&'static str, &DefinitionRef),
        fit: Option<Fit>,
        wanted: &Provenance,
    ) {
        let is_pinned = matches!(reference, DefinitionRef::Pinned { .. });
        let value = reference.to_string();
        match fit {
            None => self.findings.push(other_definition(build, &value)),
            Some(_) if !is_pinned => {
                let by = "the author of the run, who chose what it stands for";
                let remedy =
                    format!("type --{claim} URI@ALGORITHM:HEX of the revision you trust, ");
                self.claimed((claim, &value), by, wanted.least, &remedy);
            }
            Some(Fit::Own) => {
                let by = format!("the resolver that read it{}", place(build, reference));
                self.attribute(claim, &value, Standing::Verified, &by);
            }
            Some(Fit::Named) => {
                let by = "the author of the pipeline run, who put that task into it";
                let remedy = "say which pipeline you trust with --pipeline-ref URI@ALGORITHM:HEX, ";
                self.claimed((claim, &value), by, wanted.least, remedy);
            }
        }
    }

    /// URI and commit have to be those of one input.
    fn source(&mut self, build: &Build<'_>, wanted: &Provenance) {
        let uri = wanted.source_uri.as_deref();
        let commit = wanted.source_commit.as_deref();
        let is_there = |input: &Input<'_>| {
            uri.is_none_or(|uri| input.is_at(uri)) && commit.is_none_or(|hex| input.has(hex))
        };
        let claims = [("source-uri", uri), ("source-commit", commit)];
        let claims = claims
            .into_iter()
            .filter_map(|(claim, value)| Some((claim, value?)));
        if uri.is_none() && commit.is_none() {
            return;
        }
        if is_there(&build.own) {
            let by = format!("the resolver that read the {} there", build.kind.name());
            for (claim, value) in claims {
                self.attribute(claim, value, Standing::Verified, &by);
            }
            return;
        }
        if !build.inputs.iter().any(is_there) {
            self.findings.extend(other_source(build, uri, commit));
            return;
        }
        let references = [&wanted.pipeline_ref, &wanted.task_ref];
        let mut references = references.into_iter().map(Option::as_ref);
        let trusted = references.find_map(|reference| vouching(build, reference));
        for claim in claims {
            match (build.source_param, trusted) {
                (Some(param), _) => {
                    let by = format!("the author of the run, who set its param {param}");
                    self.claimed(claim, &by, wanted.least, "");
                }
                (None, Some(reference)) => {
                    let place = place(build, reference);
                    let by = format!("the {} {reference}{place}", build.kind.name());
                    self.attribute(claim.0, claim.1, Standing::Verified, &by);
                }
                (None, None) => {
                    let kind = build.kind.name();
                    let by = format!("the {kind} of the run, which its author chose");
                    let remedy =
                        format!("say which {kind} you trust with --{kind}-ref URI@ALGORITHM:HEX, ");
                    self.claimed(claim, &by, wanted.least, &remedy);
                }
            }
        }
    }
}

/// Which definition of the revision it was, where the reference leaves that to the author of the run.
fn place(build: &Build<'_>, reference: &DefinitionRef) -> String {
    match (reference, build.own.entry_point) {
        (DefinitionRef::Pinned { path: Some(_), .. }, _) | (_, "") => String::new(),
        (_, entry_point) => format!(", at {entry_point}, which the author of the run chose"),
    }
}

/// The reference, if it is one revision, and the definition of the whole run was read from there.
fn vouching<'r>(
    build: &Build<'_>,
    reference: Option<&'r DefinitionRef>,
) -> Option<&'r DefinitionRef> {
    reference.filter(|reference| {
        matches!(reference, DefinitionRef::Pinned { .. }) && build.own.is(reference)
    })
}

fn names(build: &Build<'_>, reference: &DefinitionRef) -> bool {
    match reference {
        DefinitionRef::Unpinned(name) => build.names.contains(&name.as_str()),
        DefinitionRef::Pinned { .. } => false,
    }
}

fn other_definition(build: &Build<'_>, wanted: &str) -> String {
    let inputs = std::iter::once(&build.own).chain(&build.tasks);
    let uris = inputs.map(|input| input.uri);
    let found = build.names.iter().copied().chain(uris);
    let found: Vec<&str> = found.filter(|text| !text.is_empty()).take(5).collect();
    let found = match found.as_slice() {
        [] => "the provenance names none".to_owned(),
        found => format!("it names {}", found.join(", ")),
    };
    format!("it was not built by `{wanted}`; {found}")
}

fn other_source(build: &Build<'_>, uri: Option<&str>, commit: Option<&str>) -> Option<String> {
    let inputs = || std::iter::once(&build.own).chain(&build.inputs);
    let is_there = |input: &&Input<'_>| uri.is_none_or(|uri| input.is_at(uri));
    let named: Vec<&Input<'_>> = inputs().filter(is_there).collect();
    if named.is_empty() {
        let uri = uri.unwrap_or_default();
        let found = inputs().map(|input| input.uri);
        let found: Vec<&str> = found.filter(|uri| !bare(uri).is_empty()).take(5).collect();
        let found = match found.as_slice() {
            [] => "it names no source".to_owned(),
            found => format!("it was built from {}", found.join(", ")),
        };
        return Some(format!("it was not built from `{uri}`; {found}"));
    }
    let digests = named.iter().flat_map(|input| &input.digests);
    let found: Vec<String> = digests
        .take(5)
        .map(|(algorithm, hex)| format!("{algorithm}:{hex}"))
        .collect();
    let found = match found.as_slice() {
        [] => "it states no digest".to_owned(),
        found => format!("it is {}", found.join(", ")),
    };
    let commit = commit?;
    Some(format!("the source is not at commit `{commit}`; {found}"))
}
