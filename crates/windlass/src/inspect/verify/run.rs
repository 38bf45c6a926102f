//! Verification of a run by its annotations.
//!
//! A signature without an envelope covers the run's status. The status is written again in the
//! signed format and compared, so that annotations of another run, and a status that changed after
//! signing, are invalid.

use kube::Client;
use serde_json::Value;
use windlass_core::annotation;
use windlass_core::config::Config;
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::{Kind, Run};
use windlass_core::verify::{self, Outcome};

use super::report::{Entry, EntryKind, Report, Requirement};
use super::{VerifyError, VerifyRequest};
use crate::inspect::runs::Runs;
use crate::store::Wanted;
use crate::store::evidence::{Evidence, Found};

/// Reads a run from the cluster and checks its annotations.
pub(crate) async fn on_cluster(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
    request: &VerifyRequest,
) -> Result<Report, VerifyError> {
    let runs = Runs::new(client, kind, Some(namespace))?;
    let run = runs.get(name).await?;
    let target = format!("{}/{name} in namespace {namespace}", kind.singular());
    verify(target, run.to_string().as_bytes(), request).await
}

/// Checks the annotations of a run, given as JSON.
pub(super) async fn verify(
    target: String,
    document: &[u8],
    request: &VerifyRequest,
) -> Result<Report, VerifyError> {
    let run = Run::parse(document)?;
    let mut report = Report::new(target, None, &request.key);
    let own = run.short_key();
    let mut has_own = false;
    for found in Wanted::Run(&run).get().await? {
        has_own |= found.key.as_ref() == Some(&own);
        report.add(check(&run, found, request));
    }
    let missing = if !has_own {
        Some(format!(
            "the run has no signature of its own ({})",
            annotation::signature(&own)
        ))
    } else if request.requirement() == Requirement::Attestation
        && report.valid_attestations().next().is_none()
    {
        Some("no attestation of the run satisfies the options".to_owned())
    } else {
        None
    };
    report.decide_by_all(missing);
    Ok(report)
}

fn check(run: &Run<'_>, found: Found, request: &VerifyRequest) -> Entry {
    let Found {
        place,
        key,
        evidence,
    } = found;
    let mut entry = Entry {
        kind: EntryKind::Signature,
        place,
        outcome: Outcome::default(),
        envelope: None,
    };
    match evidence {
        Evidence::Statement { envelope, payload } => {
            entry.kind = EntryKind::Attestation;
            entry.outcome = attestation(run, &envelope, payload.as_deref(), request);
            entry.envelope = Some(envelope);
        }
        Evidence::Signature { payload, signature } => {
            let key = key.unwrap_or_default();
            entry.outcome = match payload {
                None => Outcome::failed("the signed payload was not found on the run"),
                Some(payload) if key == run.short_key() => {
                    status(run, &payload, &signature, request)
                }
                Some(payload) => image(&key, &payload, &signature, request),
            };
        }
        Evidence::Damaged(why) => entry.outcome = Outcome::failed(why),
        Evidence::Other(media_type) => {
            entry.kind = EntryKind::Other;
            entry.outcome = Outcome::failed(media_type);
        }
    }
    entry
}

fn attestation(
    run: &Run<'_>,
    envelope: &Envelope,
    payload: Option<&[u8]>,
    request: &VerifyRequest,
) -> Outcome {
    let mut outcome = verify::attestation(envelope, &request.key, &request.expected);
    let Ok(signed) = envelope.decode_payload() else {
        return outcome;
    };
    if payload.is_some_and(|payload| payload != signed) {
        let finding = "the payload annotation differs from the payload in the envelope";
        outcome.findings.push(finding.to_owned());
    }
    // provenance v0.2 of Chains names no run
    let statement: Value = serde_json::from_slice(&signed).unwrap_or_default();
    let invocation = statement["predicate"]["runDetails"]["metadata"]["invocationId"].as_str();
    let uid = &*run.metadata().uid;
    if let Some(other) = invocation.filter(|invocation| *invocation != uid) {
        outcome.findings.push(format!(
            "the statement is about another run, {other}; this one is {uid}"
        ));
    }
    outcome
}

/// The signature over a run's status, in the format `tekton`.
fn status(run: &Run<'_>, payload: &[u8], signature: &[u8], request: &VerifyRequest) -> Outcome {
    let mut findings = Vec::new();
    if let Err(error) = request.key.verify(payload, signature) {
        findings.push(format!(
            "the signature does not match this payload and key: {error}"
        ));
    }
    let now = Payload::of_run(run, &Config::default(), Format::Tekton);
    match now {
        Ok(now) if now.bytes == payload => {}
        Ok(_) => findings.push(
            "the payload differs from the status of the run: one of them was changed".to_owned(),
        ),
        Err(error) => findings.push(Chain(&error).to_string()),
    }
    Outcome {
        predicate_type: None,
        findings,
    }
}

/// The signature of an image that the run built.
fn image(key: &str, payload: &[u8], signature: &[u8], request: &VerifyRequest) -> Outcome {
    let mut outcome = verify::image_signature(payload, signature, &request.key, None);
    let document: Value = serde_json::from_slice(payload).unwrap_or_default();
    let digest = document["critical"]["image"]["docker-manifest-digest"].as_str();
    let hex = digest.and_then(|digest| digest.strip_prefix("sha256:"));
    if !hex.is_some_and(|hex| key.len() == 12 && hex.starts_with(key)) {
        let finding = "the payload is for another image than its annotation";
        outcome.findings.push(finding.to_owned());
    }
    outcome
}
