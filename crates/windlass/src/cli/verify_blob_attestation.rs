//! `verify-blob-attestation`: checks a DSSE envelope with an in-toto statement, with the flags of
//! cosign.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;
use std::collections::BTreeMap;
use windlass_core::dsse::{Envelope, EnvelopeError, IN_TOTO};
use windlass_core::key::PublicKey;

use super::verdict;
use crate::cluster::Connection;
use crate::key_ref::KeyRef;

/// Verify an attestation: a signed statement about a file
///
/// Exits with 0 and prints "Verified OK" when the envelope is signed by the key and its statement
/// has the type and, unless --check-claims=false, the subject that are asked for; with 1 when it
/// is not; with 2 when it could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-blob-attestation --key k8s://tekton-chains/signing-secrets --signature envelope \\
      --type slsaprovenance --check-claims=false
  windlass verify-blob-attestation --key cosign.pub --signature envelope --type slsaprovenance1 app.tar")]
pub(crate) struct VerifyBlobAttestation {
    /// Key: a file, k8s://<namespace>/<secret> or env://<variable>
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// The DSSE envelope, as JSON or base64: a file, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    /// Predicate type: slsaprovenance, slsaprovenance02, slsaprovenance1, link, spdx, spdxjson,
    /// cyclonedx, vuln, openvex, custom, or a URI
    #[arg(long = "type", value_name = "TYPE", default_value = "custom", value_parser = predicate_type)]
    predicate: PredicateType,
    /// Whether the file's digest must be one of the statement's subjects
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    check_claims: bool,
    /// Digest of the subject, in hexadecimal, instead of a file
    #[arg(
        long,
        value_name = "HEX",
        requires = "digest_alg",
        conflicts_with = "blob"
    )]
    digest: Option<String>,
    /// Algorithm of --digest, such as sha256
    #[arg(long = "digestAlg", value_name = "NAME", requires = "digest")]
    digest_alg: Option<String>,
    /// Accepted for compatibility: no transparency log is consulted
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_ignore_tlog: Option<bool>,
    /// Accepted for compatibility: the envelope is always detached
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    new_bundle_format: Option<bool>,
    /// The file that the statement is about, or `-` for standard input
    #[arg(value_name = "FILE")]
    blob: Option<PathBuf>,
}

/// A predicate type's URI.
#[derive(Debug, Clone)]
struct PredicateType(String);

/// The short names that cosign knows.
fn predicate_type(text: &str) -> Result<PredicateType, String> {
    let uri = match text {
        "custom" => "https://cosign.sigstore.dev/attestation/v1",
        "slsaprovenance" | "slsaprovenance02" => "https://slsa.dev/provenance/v0.2",
        "slsaprovenance1" => "https://slsa.dev/provenance/v1",
        "link" => "https://in-toto.io/Link/v1",
        "spdx" | "spdxjson" => "https://spdx.dev/Document",
        "cyclonedx" => "https://cyclonedx.org/bom",
        "vuln" => "https://cosign.sigstore.dev/attestation/vuln/v1",
        "openvex" => "https://openvex.dev/ns",
        uri if uri.contains("://") => uri,
        _ => {
            return Err(
                "expected slsaprovenance, slsaprovenance02, slsaprovenance1, link, spdx, \
                        spdxjson, cyclonedx, vuln, openvex, custom or a URI"
                    .to_owned(),
            );
        }
    };
    Ok(PredicateType(uri.to_owned()))
}

/// What the statement must be about.
struct Claim {
    algorithm: String,
    digest: String,
}

/// The part of an in-toto statement that is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type", default)]
    kind: String,
    #[serde(default)]
    predicate_type: String,
    #[serde(default)]
    subject: Option<Vec<Subject>>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl VerifyBlobAttestation {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let claim = self.claim()?;
        let signature = verdict::read(&self.signature, "envelope")?;
        let key = match verdict::key(&self.key, connection).await? {
            Ok(key) => key,
            Err(damaged) => return Ok(verdict::report(&[damaged])),
        };
        let findings = match envelope(&signature) {
            Ok(envelope) => check(&envelope, &key, &self.predicate, claim.as_ref()),
            Err(damage) => vec![damage],
        };
        Ok(verdict::report(&findings))
    }

    /// What the subject must be; none with `--check-claims=false`.
    fn claim(&self) -> anyhow::Result<Option<Claim>> {
        if !self.check_claims {
            return Ok(None);
        }
        if let (Some(digest), Some(algorithm)) = (&self.digest, &self.digest_alg) {
            return Ok(Some(Claim {
                algorithm: algorithm.clone(),
                digest: digest.clone(),
            }));
        }
        let Some(blob) = &self.blob else {
            anyhow::bail!(
                "nothing to compare the subjects with: give the file, or --digest and --digestAlg, \
                 or --check-claims=false"
            );
        };
        anyhow::ensure!(
            blob != Path::new("-") || self.signature != Path::new("-"),
            "the envelope and the file cannot both come from standard input"
        );
        let digest = verdict::sha256(&verdict::read(blob, "file")?);
        Ok(Some(Claim {
            algorithm: "sha256".to_owned(),
            digest,
        }))
    }
}

/// The envelope in `text`, which is JSON or the base64 of it.
fn envelope(text: &[u8]) -> Result<Envelope, String> {
    if text.trim_ascii().is_empty() {
        return Err("the envelope is empty".to_owned());
    }
    let layers = verdict::layers(text);
    let layer = layers
        .iter()
        .find(|layer| layer.trim_ascii_start().starts_with(b"{"));
    let Some(json) = layer else {
        return Err(
            "the envelope is damaged: it is neither JSON nor the base64 of JSON".to_owned(),
        );
    };
    Envelope::from_json(json).map_err(describe)
}

/// Every part of the envelope that does not hold.
fn check(
    envelope: &Envelope,
    key: &PublicKey,
    predicate: &PredicateType,
    claim: Option<&Claim>,
) -> Vec<String> {
    let mut findings = Vec::new();
    let type_changed = match envelope.verify(key) {
        Ok(_) => false,
        Err(error) => {
            let type_changed = matches!(error, EnvelopeError::PayloadTypeChanged { .. });
            findings.push(describe(error));
            type_changed
        }
    };
    if envelope.payload_type != IN_TOTO && !type_changed {
        let found = &envelope.payload_type;
        findings.push(format!(
            "the envelope's payloadType is `{found}`, expected `{IN_TOTO}`"
        ));
    }
    // an undecodable payload has been reported by `verify` already
    if let Ok(payload) = envelope.decode_payload() {
        findings.extend(check_statement(&payload, predicate, claim));
    }
    findings
}

fn check_statement(
    payload: &[u8],
    predicate: &PredicateType,
    claim: Option<&Claim>,
) -> Vec<String> {
    let statement: Statement = match serde_json::from_slice(payload) {
        Ok(statement) => statement,
        Err(error) => {
            return vec![format!(
                "the envelope's payload is not an in-toto statement: {error}"
            )];
        }
    };
    let mut findings = Vec::new();
    let Statement {
        kind,
        predicate_type,
        subject,
    } = statement;
    let known = [
        "https://in-toto.io/Statement/v0.1",
        "https://in-toto.io/Statement/v1",
    ];
    if !known.contains(&kind.as_str()) {
        findings.push(format!(
            "the statement's _type is `{kind}`, expected `{}` or `{}`",
            known[0], known[1]
        ));
    }
    if predicate_type != predicate.0 {
        findings.push(format!(
            "the statement's predicateType is `{predicate_type}`, expected `{}`; choose with --type",
            predicate.0
        ));
    }
    findings.extend(claim.and_then(|claim| missing(claim, &subject.unwrap_or_default())));
    findings
}

fn missing(claim: &Claim, subjects: &[Subject]) -> Option<String> {
    let Claim { algorithm, digest } = claim;
    let is_claimed = |subject: &Subject| {
        subject
            .digest
            .get(algorithm)
            .is_some_and(|d| d.eq_ignore_ascii_case(digest))
    };
    if subjects.iter().any(is_claimed) {
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

fn describe(error: EnvelopeError) -> String {
    format!("{:#}", anyhow::Error::new(error))
}
