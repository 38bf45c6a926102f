//! `download`: prints the signatures or attestations of an image as they are stored.

use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use windlass_registry::Reference;

use super::access::{Access, reference, within};
use super::output;
use super::verdict::PredicateType;
use crate::store::Wanted;
use crate::store::evidence::Evidence;

/// What is looked at of a statement.
#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "predicateType", default)]
    predicate_type: String,
}

/// Print the signatures or attestations of an image
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass download signature registry.example.com/team/app:v1
  windlass download attestation registry.example.com/team/app:v1 | jq -r .payload | base64 -d")]
pub(crate) struct Download {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Signature(Signatures),
    Attestation(Attestations),
}

/// Print the signatures of an image, one JSON object per line
///
/// Nothing is verified; use `windlass verify` for that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass download signature registry.example.com/team/app:v1 | jq -r .Payload | base64 -d")]
struct Signatures {
    #[command(flatten)]
    access: Access,
    /// IMAGE@DIGEST or IMAGE:TAG
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
}

/// Print the attestations of an image, one envelope per line
///
/// Nothing is verified; use `windlass verify-attestation` for that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass download attestation registry.example.com/team/app:v1 | jq -r .payload | base64 -d")]
struct Attestations {
    /// Only attestations of this type: slsaprovenance, slsaprovenance1, ..., or a URI
    #[arg(long, value_name = "TYPE")]
    predicate_type: Option<PredicateType>,
    /// Accepted for compatibility: the attestations are those of the digest that is named
    #[arg(long, value_name = "PLATFORM", hide = true)]
    platform: Option<String>,
    #[command(flatten)]
    access: Access,
    /// IMAGE@DIGEST or IMAGE:TAG
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
}

impl Download {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Signature(verb) => {
                let Signatures { access, image } = verb;
                let work = lines(&access, &image, "signature", signature);
                within(access.timeout(), Box::pin(work)).await
            }
            What::Attestation(verb) => {
                let Attestations {
                    predicate_type,
                    platform: _,
                    access,
                    image,
                } = verb;
                let wanted = predicate_type.map(|PredicateType(uri)| uri);
                let line = |evidence| attestation(evidence, wanted.as_deref());
                let work = lines(&access, &image, "attestation", line);
                within(access.timeout(), Box::pin(work)).await
            }
        }
    }
}

/// Prints a line for each thing that is attached to an image, if it is one that is asked for.
async fn lines(
    access: &Access,
    image: &Reference,
    what: &str,
    line: impl Fn(Evidence) -> Option<String>,
) -> anyhow::Result<ExitCode> {
    let found = access.resolve(image).await?;
    let mut text = String::new();
    let wanted = Wanted::Image {
        remote: &found.remote,
        tags: &found.tags,
        digest: &found.digest,
    };
    let see = |found: crate::store::evidence::Found| {
        if let Some(line) = line(found.evidence) {
            text.push_str(&line);
            text.push('\n');
        }
    };
    wanted.each(see).await?;
    anyhow::ensure!(!text.is_empty(), "{image} has no {what}");
    output::write(text)?;
    Ok(ExitCode::SUCCESS)
}

/// A signature as cosign prints one.
fn signature(evidence: Evidence) -> Option<String> {
    let Evidence::Signature {
        payload: Some(payload),
        signature,
        ..
    } = evidence
    else {
        return None;
    };
    let object = json!({
        "Base64Signature": STANDARD.encode(signature),
        "Payload": STANDARD.encode(payload),
        "Cert": null,
        "Chain": null,
        "Bundle": null,
        "RFC3161Timestamp": null,
    });
    Some(object.to_string())
}

fn attestation(evidence: Evidence, wanted: Option<&str>) -> Option<String> {
    let Evidence::Statement { envelope, .. } = evidence else {
        return None;
    };
    if let Some(wanted) = wanted {
        let payload = envelope.decode_payload().ok()?;
        let statement: Statement = serde_json::from_slice(&payload).ok()?;
        if statement.predicate_type != wanted {
            return None;
        }
    }
    Some(envelope.to_json())
}
