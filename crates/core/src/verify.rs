//! Verification of signatures and attestations.
//!
//! It fails closed: every check uses the signed bytes only, content that cannot be read is invalid,
//! and a requested check that finds nothing to check has failed. The outcome is a list of findings,
//! one for each invalid part; an entry with a finding is invalid. Sources: DSSE 1.0.2, in-toto
//! attestation framework v1, SLSA provenance v0.2 and v1, cosign's signature specification.

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use self::bundle::{BUNDLES, envelope_of_bundle};
pub use self::definition::{DefinitionRef, DefinitionRefError};
pub use self::expected::{Claim, Expected, Provenance, Standing};
pub use self::provenance::Attribution;
use self::provenance::Judgement;
pub use self::reference::docker_reference;
pub use self::run::{Comparison, IDENTITY, image_of_run, statement_of_run, status_of_run};
use self::statement::Statement;
pub use self::statement::subject_names;
pub use self::story::{Listed, MOST as MOST_OF_STORY, Material, Story};
use crate::dsse::{Envelope, EnvelopeError, IN_TOTO};
use crate::error::Chain;
use crate::format::{SLSA_V1, SLSA_V02};
use crate::json::{Flaw, strict};
use crate::key::PublicKey;

mod build;
mod bundle;
mod definition;
mod expected;
mod provenance;
mod reference;
mod run;
mod statement;
mod story;

#[cfg(test)]
mod tests;

/// What a signature of an image says it is.
const IMAGE_SIGNATURE: &str = "cosign container image signature";

/// What was found about a signed thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The predicate type it states; none if it is no statement.
    pub predicate_type: Option<String>,
    /// Every part that does not hold.
    pub findings: Vec<String>,
    /// Parts of what was verified that the signature says nothing of.
    pub not_covered: Vec<String>,
    /// What its provenance says as expected, and on whose word.
    pub attributions: Vec<Attribution>,
    /// The repositories that it names for the image, as they are written.
    pub references: Vec<String>,
}

impl Outcome {
    /// Something that cannot be read.
    pub fn failed(finding: impl Into<String>) -> Self {
        Self::with(vec![finding.into()])
    }

    /// The findings about something that is no statement.
    fn with(findings: Vec<String>) -> Self {
        Self {
            findings,
            ..Self::default()
        }
    }

    /// Whether every part holds.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// A predicate type by the short name that cosign gives it, or by its URI.
pub fn predicate_type(name: &str) -> Option<&str> {
    match name {
        "custom" => Some("https://cosign.sigstore.dev/attestation/v1"),
        "slsaprovenance" | "slsaprovenance02" => Some(SLSA_V02),
        "slsaprovenance1" => Some(SLSA_V1),
        "link" => Some("https://in-toto.io/Link/v1"),
        "spdx" | "spdxjson" => Some("https://spdx.dev/Document"),
        "cyclonedx" => Some("https://cyclonedx.org/bom"),
        "vuln" => Some("https://cosign.sigstore.dev/attestation/vuln/v1"),
        "openvex" => Some("https://openvex.dev/ns"),
        uri if uri.contains("://") => Some(uri),
        _ => None,
    }
}

/// Checks an attestation: the signature over payload and type, that the payload is an in-toto
/// statement, and all that is expected of it.
///
/// ```
/// use windlass_core::dsse::{Envelope, IN_TOTO, pae};
/// use windlass_core::key::PrivateKey;
/// use windlass_core::verify::{Claim, Expected, attestation};
///
/// let key = PrivateKey::generate_p256(&[7; 32])?;
/// let statement = br#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"custom",
///     "subject":[{"name":"app","digest":{"sha256":"ab12"}}],"predicate":{}}"#;
/// let signature = key.sign(&pae(IN_TOTO, statement))?;
/// let keyid = key.public_key().key_id();
/// let envelope = Envelope::with_signature(IN_TOTO, statement, keyid, &signature);
///
/// let mut expected = Expected::default();
/// expected.subject = Some(Claim::sha256("ab12"));
/// assert!(attestation(&envelope, key.public_key(), &expected).holds());
///
/// expected.subject = Some(Claim::sha256("cd34"));
/// let outcome = attestation(&envelope, key.public_key(), &expected);
/// assert!(outcome.findings[0].contains("is not among the statement's subjects"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn attestation(envelope: &Envelope, key: &PublicKey, expected: &Expected) -> Outcome {
    let signature = envelope.verify(key).map(drop);
    let type_changed = matches!(signature, Err(EnvelopeError::PayloadTypeChanged { .. }));
    let signature = signature.map_err(|error| Chain(&error).to_string());
    if type_changed {
        return content(envelope, signature.err().into_iter().collect(), expected);
    }
    attestation_signed(envelope, signature, expected)
}

/// Checks everything of an attestation but its signature, about which `signature` has what somebody else
/// found: a certificate's, with its log entry and timestamps.
pub fn attestation_signed(
    envelope: &Envelope,
    signature: Result<(), String>,
    expected: &Expected,
) -> Outcome {
    let mut findings: Vec<String> = signature.err().into_iter().collect();
    if envelope.payload_type != IN_TOTO {
        let found = &envelope.payload_type;
        findings.push(format!(
            "the envelope's payloadType is `{found}`, expected `{IN_TOTO}`"
        ));
    }
    content(envelope, findings, expected)
}

/// Adds what is wrong with the payload.
fn content(envelope: &Envelope, mut findings: Vec<String>, expected: &Expected) -> Outcome {
    match envelope.decode_payload() {
        Ok(payload) => statement(&payload, expected, findings),
        Err(error) => {
            if findings.is_empty() {
                findings.push(Chain(&error).to_string());
            }
            Outcome::with(findings)
        }
    }
}

/// Adds what is wrong with the statement to what is wrong with its signature.
fn statement(payload: &[u8], expected: &Expected, mut findings: Vec<String>) -> Outcome {
    let read = strict(payload).map_err(|error| Chain(&error).to_string());
    let read = read.and_then(|text| {
        serde_json::from_str::<Statement<'_>>(text).map_err(|error| Flaw::from(error).to_string())
    });
    let statement = match read {
        Ok(statement) => statement,
        Err(reason) => {
            findings.push(format!(
                "the envelope's payload is not an in-toto statement: {reason}"
            ));
            return Outcome::with(findings);
        }
    };
    // a predicate that nobody signed says nothing
    let said = if findings.is_empty() {
        provenance::check(&statement, &expected.provenance)
    } else {
        Judgement::default()
    };
    findings.extend(statement.check(expected));
    findings.extend(said.findings);
    Outcome {
        predicate_type: Some(statement.predicate_type),
        attributions: said.attributions,
        ..Outcome::with(findings)
    }
}

/// The payload of an image signature. Members that it does not have are refused: the format `tekton`
/// is bare JSON under the same key, and a run's status must never be taken for an image's signature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SimpleSigning {
    critical: Critical,
    /// Whatever the signer adds; may be anything.
    #[serde(rename = "optional", default)]
    _optional: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    /// What the image is called.
    #[serde(rename = "identity")]
    _identity: Identity,
    image: SignedImage,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    #[serde(rename = "docker-reference")]
    _reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedImage {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Checks the signature of an image: that `key` signed the payload, that the payload is the
/// signature of an image, and that the image is the one with the digest, `sha256:HEX`; any if there
/// is none.
pub fn image_signature(
    payload: &[u8],
    signature: &[u8],
    key: &PublicKey,
    digest: Option<&str>,
) -> Outcome {
    let signature = key.verify(payload, signature).map(drop).map_err(|error| {
        format!(
            "the signature does not match this payload and key: {}",
            Chain(&error)
        )
    });
    image_payload(payload, signature, digest)
}

/// Checks the payload of an image signature, about which `signature` has what was found.
pub fn image_payload(
    payload: &[u8],
    signature: Result<(), String>,
    digest: Option<&str>,
) -> Outcome {
    let mut findings: Vec<String> = signature.err().into_iter().collect();
    let read: SimpleSigning = match serde_json::from_slice(payload) {
        Ok(read) => read,
        Err(error) => {
            findings.push(format!(
                "the payload is not the signature of an image: {}",
                Flaw::from(error)
            ));
            return Outcome::with(findings);
        }
    };
    let Critical { image, kind, .. } = read.critical;
    if kind != IMAGE_SIGNATURE {
        findings.push(format!(
            "the payload's type is `{kind:.200}`, expected `{IMAGE_SIGNATURE}`"
        ));
    }
    if digest.is_some_and(|wanted| wanted != image.digest) {
        findings.push(format!(
            "the signature is for another image, {}",
            image.digest
        ));
    }
    Outcome::with(findings)
}
