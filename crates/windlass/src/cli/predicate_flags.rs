//! The flags that say what is attested: a predicate and its type, or a whole statement.

use anyhow::Context as _;
use clap::ValueHint;
use jiff::Timestamp;

use super::verdict::PredicateType;
use crate::input::Input;
use crate::signing::statement::{LARGEST, Predicate, Statement, Subject};

/// What is attested.
#[derive(Debug, clap::Args)]
pub(super) struct PredicateFlags {
    /// File with the predicate, - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "statement")]
    predicate: Option<Input>,
    /// File with a whole in-toto statement, which is signed as it is, - for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    statement: Option<Input>,
    /// Type of the predicate: slsaprovenance, slsaprovenance02, slsaprovenance1, link, spdx, spdxjson,
    /// cyclonedx, vuln, openvex, custom, or a URI
    #[arg(
        long = "type",
        value_name = "TYPE",
        default_value = "custom",
        id = "predicate_type"
    )]
    kind: PredicateType,
}

/// A predicate or a statement that was read.
pub(super) enum Content {
    Predicate(Predicate),
    Statement(Statement),
}

impl PredicateFlags {
    /// What is read.
    pub(super) fn input(&self) -> Option<&Input> {
        self.predicate.as_ref().or(self.statement.as_ref())
    }

    /// Reads it.
    pub(super) fn read(&self) -> anyhow::Result<Content> {
        let read = |input: &Input, what: &str| {
            let content = input.read(LARGEST);
            content.with_context(|| format!("cannot read the {what} {input}"))
        };
        if let Some(input) = &self.statement {
            let statement = Statement::read(read(input, "statement")?);
            let statement = statement.with_context(|| format!("cannot attest {input}"))?;
            return Ok(Content::Statement(statement));
        }
        let input = self.predicate.as_ref();
        let input = input.context("give a predicate with --predicate, or a --statement")?;
        let content = read(input, "predicate")?;
        let predicate = Predicate::read(&self.kind.0, &content, Timestamp::now());
        let predicate = predicate.with_context(|| format!("cannot attest {input}"))?;
        Ok(Content::Predicate(predicate))
    }
}

impl Content {
    /// The statement about something.
    pub(super) fn about(&self, subject: &Subject) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Predicate(predicate) => Ok(predicate.about(subject)),
            Self::Statement(statement) => Ok(statement.about(subject)?),
        }
    }
}
