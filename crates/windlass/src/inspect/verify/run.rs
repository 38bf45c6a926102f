//! Verification of a run by its annotations.
//!
//! A signature without an envelope covers the run's status. The status is written again in the
//! signed format and compared, so that annotations of another run, and a status that changed after
//! signing, are invalid.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    verify(target, run.to_string().as_bytes(), request)
}

/// Checks the annotations of a run, given as JSON.
pub(super) fn verify(
    target: String,
    document: &[u8],
    request: &VerifyRequest,
) -> Result<Report, VerifyError> {
    let run = Run::parse(document)?;
    let mut report = Report::new(target, None, &request.key);
    let own = run.short_key();
    let keys = keys(&run);
    for key in &keys {
        report.add(check(&run, key, request));
    }
    let missing = if !keys.contains(own.as_str()) {
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

/// The keys of everything of which there is a signature or a payload.
fn keys<'r>(run: &'r Run<'_>) -> BTreeSet<&'r str> {
    let signature = annotation::signature("");
    let payload = annotation::payload("");
    let names = run.metadata().annotations.keys();
    let keys = names.filter_map(|name| {
        let key = name.strip_prefix(&signature);
        key.or_else(|| name.strip_prefix(&payload))
    });
    keys.collect()
}

fn check(run: &Run<'_>, key: &str, request: &VerifyRequest) -> Entry {
    let mut entry = Entry {
        kind: EntryKind::Signature,
        place: format!("annotation {}", annotation::signature(key)),
        outcome: Outcome::default(),
        envelope: None,
    };
    let (signature, payload) = match parts(run, key) {
        Ok(parts) => parts,
        Err(damage) => {
            entry.outcome = Outcome::failed(damage);
            return entry;
        }
    };
    if signature.trim_ascii_start().starts_with(b"{") {
        entry.kind = EntryKind::Attestation;
        match Envelope::from_json(&signature) {
            Ok(envelope) => {
                entry.outcome = attestation(run, &envelope, payload.as_deref(), request);
                entry.envelope = Some(envelope);
            }
            Err(error) => entry.outcome = Outcome::failed(Chain(&error).to_string()),
        }
        return entry;
    }
    entry.outcome = match payload {
        None => Outcome::failed("the signed payload was not found on the run"),
        Some(payload) if key == run.short_key() => status(run, &payload, &signature, request),
        Some(payload) => image(key, &payload, &signature, request),
    };
    entry
}

/// The signature and the payload in the annotations of a key, or what is wrong with them.
fn parts(run: &Run<'_>, key: &str) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let decoded = |name: String| match run.metadata().annotation(&name) {
        None => Ok(None),
        Some(text) => STANDARD
            .decode(text)
            .map(Some)
            .map_err(|_| format!("the annotation {name} is not base64")),
    };
    let signature = decoded(annotation::signature(key))?;
    let payload = decoded(annotation::payload(key))?;
    let signature = signature.ok_or("there is a payload but no signature")?;
    Ok((signature, payload))
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
