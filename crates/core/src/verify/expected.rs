//! What is expected of a signed thing.

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

/// What the provenance has to say. Each part that is there has to hold.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// URI of the source, with or without `git+` in front and `.git` at the end.
    pub source_uri: Option<String>,
    /// Digest of the source, of the same entry as the URI.
    pub source_commit: Option<String>,
    /// The builder.
    pub builder_id: Option<String>,
    /// The task or pipeline: its name, or the URI it was read from, which may end in
    /// `@ALGORITHM:HEX`.
    pub task_ref: Option<String>,
}

impl Provenance {
    /// Whether anything is asked for.
    pub fn is_asked_for(&self) -> bool {
        let Self {
            source_uri,
            source_commit,
            builder_id,
            task_ref,
        } = self;
        [source_uri, source_commit, builder_id, task_ref]
            .iter()
            .any(|part| part.is_some())
    }
}
