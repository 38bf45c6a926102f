//! The flags on what a provenance has to say.

use windlass_core::verify::{Expected, Provenance};

use super::verdict::PredicateType;

/// What the provenance must state.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Claims {
    /// Expected source repository (git+ and .git are optional)
    #[arg(long, value_name = "URI")]
    source_uri: Option<String>,
    /// Expected commit of that source
    #[arg(long, value_name = "DIGEST")]
    source_commit: Option<String>,
    /// Expected builder
    #[arg(long, value_name = "ID")]
    builder_id: Option<String>,
    /// Expected task or pipeline: a name, or a URI that may end with @sha1:HEX
    #[arg(long, value_name = "REF")]
    task_ref: Option<String>,
}

impl Claims {
    /// What an attestation has to say, with these claims and of this type.
    pub(super) fn expected(self, predicate: Option<PredicateType>) -> Expected {
        let Self {
            source_uri,
            source_commit,
            builder_id,
            task_ref,
        } = self;
        Expected {
            predicate_type: predicate.map(|PredicateType(uri)| uri),
            subject: None,
            provenance: Provenance {
                source_uri,
                source_commit,
                builder_id,
                task_ref,
            },
        }
    }
}
