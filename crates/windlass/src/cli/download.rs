//! `download`: prints the signatures or attestations of an image as they are stored.

use std::process::ExitCode;

use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use windlass_core::dsse::Envelope;
use windlass_core::format::IMAGE_PREDICATE;
use windlass_core::key::Certificate;
use windlass_registry::Reference;

use super::access::{Access, reference, within};
use super::output;
use super::verdict::PredicateType;
use crate::sigstore::Material;
use crate::store::Wanted;
use crate::store::evidence::{Evidence, Found};

/// Most certificates of a signature that are printed.
const CERTIFICATES: usize = 16;

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
/// A signature under a tag is printed as cosign prints it, one in a bundle as its envelope. Nothing is
/// verified; use `windlass verify` for that.
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
        let text = match &self.what {
            What::Signature(verb) => within(verb.access.timeout(), Box::pin(verb.text())).await,
            What::Attestation(verb) => within(verb.access.timeout(), Box::pin(verb.text())).await,
        };
        output::write(text?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Signatures {
    async fn text(&self) -> anyhow::Result<String> {
        let text = lines(&self.access, &self.image, signature).await?;
        anyhow::ensure!(!text.is_empty(), "{} has no signature", self.image);
        Ok(text)
    }
}

impl Attestations {
    async fn text(&self) -> anyhow::Result<String> {
        let wanted = self.predicate_type.as_ref().map(|PredicateType(uri)| uri);
        let mut others = 0;
        let line = |evidence| {
            let Evidence::Statement { envelope, .. } = evidence else {
                return None;
            };
            let is_wanted = wanted.is_none_or(|wanted| type_of(&envelope).as_ref() == Some(wanted));
            others += usize::from(!is_wanted);
            is_wanted.then(|| envelope.to_json())
        };
        let text = lines(&self.access, &self.image, line).await?;
        let image = &self.image;
        match wanted {
            _ if !text.is_empty() => Ok(text),
            Some(wanted) if others > 0 => bail!(
                "{image} has no attestation of type {wanted}; without --predicate-type, those of other \
                 types are printed ({others})"
            ),
            _ => bail!("{image} has no attestation"),
        }
    }
}

/// A line for each thing that is attached to an image, if it is one that is asked for.
async fn lines(
    access: &Access,
    image: &Reference,
    mut line: impl FnMut(Evidence) -> Option<String>,
) -> anyhow::Result<String> {
    let found = access.resolve(image).await?;
    let mut text = String::new();
    let wanted = Wanted::Image {
        remote: &found.remote,
        tags: &found.tags,
        digest: &found.digest,
    };
    let see = |found: Found| {
        if let Some(line) = line(found.evidence) {
            text.push_str(&line);
            text.push('\n');
        }
    };
    wanted.each(see).await?;
    Ok(text)
}

/// A signature as cosign prints one; what it does not come with is null.
fn signature(evidence: Evidence) -> Option<String> {
    let (payload, signature, material) = match evidence {
        Evidence::Signature {
            payload: Some(payload),
            signature,
            material,
        } => (payload, signature, material),
        Evidence::Statement { envelope, .. } => {
            let is_signature = type_of(&envelope).as_deref() == Some(IMAGE_PREDICATE);
            return is_signature.then(|| envelope.to_json());
        }
        _ => return None,
    };
    let mut object = json!({
        "Base64Signature": STANDARD.encode(signature),
        "Payload": STANDARD.encode(payload),
        "Cert": null,
        "Chain": null,
        "Bundle": null,
        "RFC3161Timestamp": null,
    });
    if let (Material::Annotated(annotated), Value::Object(object)) = (material, &mut object) {
        let certificates = |pem: &str| {
            let read = Certificate::all_from_pem(pem, CERTIFICATES).unwrap_or_default();
            let all = read.iter();
            all.map(|one| json!({ "Raw": STANDARD.encode(one.der()) }))
                .collect::<Vec<Value>>()
        };
        put(object, "Cert", certificates(&annotated.certificate).pop());
        let chain = certificates(&annotated.chain);
        put(object, "Chain", (!chain.is_empty()).then(|| chain.into()));
        for (name, text) in [
            ("Bundle", &annotated.entry),
            ("RFC3161Timestamp", &annotated.timestamp),
        ] {
            put(object, name, serde_json::from_str(text).ok());
        }
    }
    Some(object.to_string())
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value);
    }
}

/// The predicate type of the statement in an envelope, if there is one.
fn type_of(envelope: &Envelope) -> Option<String> {
    let payload = envelope.decode_payload().ok()?;
    let statement: Statement = serde_json::from_slice(&payload).ok()?;
    Some(statement.predicate_type)
}
