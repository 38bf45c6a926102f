//! The flags on what an attestation has to say.

use windlass_core::verify::{DefinitionRef, Expected, Provenance, Standing};
use windlass_registry::{Reference, Repository};

use super::verdict::PredicateType;

/// What the provenance must state. A value that is blank, such as that of a variable that is not
/// set, is refused: it would be satisfied by nothing.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Claims {
    /// Expected source repository (git+ and .git are optional); counts if a task or pipeline that
    /// --task-ref or --pipeline-ref names stated it
    #[arg(long, value_name = "URI", value_parser = uri)]
    source_uri: Option<String>,
    /// Expected commit of that source
    #[arg(long, value_name = "DIGEST", value_parser = text)]
    source_commit: Option<String>,
    /// Expected builder
    #[arg(long, value_name = "ID", value_parser = text)]
    builder_id: Option<String>,
    /// Expected task: where it was read from, its digest there, and which file or name it was
    #[arg(long, value_name = "URI@ALGORITHM:HEX[#PATH]")]
    task_ref: Option<DefinitionRef>,
    /// Expected pipeline: where it was read from, its digest there, and which file or name it was
    #[arg(long, value_name = "URI@ALGORITHM:HEX[#PATH]")]
    pipeline_ref: Option<DefinitionRef>,
    /// Accept a source, a task name or a pipeline name that the author of the run may have chosen
    #[arg(long)]
    allow_claimed_source: bool,
    /// Expected repository of the image, as the signature or the statement names it
    #[arg(long, value_name = "REPOSITORY", value_parser = repository)]
    identity: Option<Repository>,
}

/// What an image signature must say besides which image it is about.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Notes {
    /// Annotation that the signature must have; may be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = annotation)]
    pub(super) annotations: Vec<(String, String)>,
    /// Whether the image's digest must be the one that was signed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(super) check_claims: bool,
}

pub(super) fn annotation(typed: &str) -> Result<(String, String), String> {
    match typed.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Claims {
    /// The repository that has to be named.
    pub(super) fn identity(&self) -> Option<Repository> {
        self.identity.clone()
    }

    /// What an attestation has to say, with these claims and of this type.
    pub(super) fn expected(self, predicate: Option<PredicateType>) -> Expected {
        let Self {
            source_uri,
            source_commit,
            builder_id,
            task_ref,
            pipeline_ref,
            allow_claimed_source,
            identity: _,
        } = self;
        Expected {
            predicate_type: predicate.map(|PredicateType(uri)| uri),
            subject: None,
            provenance: Provenance {
                source_uri,
                source_commit,
                builder_id,
                task_ref,
                pipeline_ref,
                least: if allow_claimed_source {
                    Standing::Claimed
                } else {
                    Standing::Verified
                },
            },
        }
    }
}

/// A text that is not blank.
pub(super) fn text(typed: &str) -> Result<String, String> {
    if typed.trim().is_empty() {
        return Err("it is blank".to_owned());
    }
    Ok(typed.to_owned())
}

/// A URI that names something besides what writers add to one.
fn uri(typed: &str) -> Result<String, String> {
    let bare = typed.trim().trim_start_matches("git+");
    let bare = bare.trim_end_matches('/').trim_end_matches(".git");
    if !bare.contains(char::is_alphanumeric) {
        return Err("it names nothing".to_owned());
    }
    Ok(typed.trim().to_owned())
}

fn repository(typed: &str) -> Result<Repository, String> {
    let reference = Reference::parse(&text(typed)?).map_err(|error| error.to_string())?;
    if reference.tag.is_some() || reference.digest.is_some() {
        return Err("leave out the tag and the digest".to_owned());
    }
    Ok(reference.repository)
}
