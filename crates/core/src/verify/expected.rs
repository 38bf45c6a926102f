//! What is expected of a signed thing.

use super::definition::DefinitionRef;

/// What an attestation has to say.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Its predicate type, a URI; any if there is none.
    pub predicate_type: Option<String>,
    /// What one of its subjects has to be.
    pub subject: Option<Claim>,
    /// What its provenance has to say.
    pub provenance: Provenance,
}

/// A digest that something has to be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Name of the algorithm, such as `sha256`.
    pub algorithm: String,
    /// Hexadecimal digits.
    pub digest: String,
}

impl Claim {
    /// A SHA-256.
    pub fn sha256(hex: impl Into<String>) -> Self {
        Self {
            algorithm: "sha256".to_owned(),
            digest: hex.into(),
        }
    }
}

/// Whose word something in a provenance is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The author of the run may have chosen it.
    Claimed,
    /// The build platform recorded it, or a definition that the verifier trusts stated it.
    #[default]
    Verified,
}

impl Standing {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Verified => "verified",
        }
    }
}

/// What the provenance has to say. Each part that is there has to hold.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// URI of the source, with or without `git+` in front and `.git` at the end.
    pub source_uri: Option<String>,
    /// Digest of the source, of the same entry as the URI.
    pub source_commit: Option<String>,
    /// The builder.
    pub builder_id: Option<String>,
    /// The definition of the run, or a task of a pipeline that [`Self::pipeline_ref`] names.
    pub task_ref: Option<DefinitionRef>,
    /// The pipeline of a pipeline run.
    pub pipeline_ref: Option<DefinitionRef>,
    /// What suffices for source, task and pipeline.
    pub least: Standing,
}

impl Provenance {
    /// Whether anything is asked for.
    pub fn is_asked_for(&self) -> bool {
        let Self {
            source_uri,
            source_commit,
            builder_id,
            task_ref,
            pipeline_ref,
            least: _,
        } = self;
        [source_uri, source_commit, builder_id]
            .iter()
            .any(|part| part.is_some())
            || task_ref.is_some()
            || pipeline_ref.is_some()
    }
}
