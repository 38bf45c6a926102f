//! Verification of a run by its annotations.
//!
//! A signature without an envelope covers the run's status. The status is written again in the
//! signed format and compared, so that annotations of another run, and a status that changed after
//! signing, are invalid.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use windlass_core::annotation;
use windlass_core::config::Config;
use windlass_core::dsse::Envelope;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::{Kind, Run};
use windlass_core::verify::{self, Outcome};

use super::Asked;
use super::report::{Checked, Report, What};
use crate::cluster::Connection;
use crate::inspect::runs::Runs;

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

/// Reads a run from the cluster and checks its annotations.
pub(crate) async fn on_cluster(
    connection: &Connection,
    kind: Kind,
    name: &str,
    namespace: Option<&str>,
    asked: &Asked,
) -> anyhow::Result<Report> {
    let client = connection.connect().await?;
    let namespace = namespace.unwrap_or(client.default_namespace());
    let runs = Runs::new(&client, kind, Some(namespace))?;
    let run = runs.get(name).await?;
    let target = format!("{}/{name} in namespace {namespace}", kind.singular());
    verify(&target, run.to_string().as_bytes(), asked)
}

/// Checks the annotations of a run, given as JSON.
pub(crate) fn verify(target: &str, document: &[u8], asked: &Asked) -> anyhow::Result<Report> {
    let run = Run::parse(document)?;
    let Object { metadata } = serde_json::from_slice(document)?;
    let annotations = metadata.annotations.unwrap_or_default();
    let mut report = asked.report(target.to_owned(), None);
    let own = run.short_key();
    let signature = annotation::signature("");
    let payload = annotation::payload("");
    let keys = annotations.keys().filter_map(|name| {
        let key = name.strip_prefix(&signature);
        key.or_else(|| name.strip_prefix(&payload))
    });
    let keys: std::collections::BTreeSet<&str> = keys.collect();
    for key in &keys {
        report.add(check(&run, &annotations, key, asked));
    }
    let missing = if !keys.contains(own.as_str()) {
        Some(format!(
            "the run has no signature of its own ({})",
            annotation::signature(&own)
        ))
    } else if asked.needs_attestation() && !report.has_attestation() {
        Some("no attestation of the run satisfies the options".to_owned())
    } else {
        None
    };
    report.decide_by_all(missing);
    Ok(report)
}

fn check(
    run: &Run<'_>,
    annotations: &BTreeMap<String, String>,
    key: &str,
    asked: &Asked,
) -> Checked {
    let mut checked = Checked {
        what: What::Signature,
        place: format!("annotation {}", annotation::signature(key)),
        outcome: Outcome::default(),
        envelope: None,
    };
    let read = |name: String| match annotations.get(&name) {
        None => Ok(None),
        Some(text) => STANDARD
            .decode(text)
            .map(Some)
            .map_err(|_| format!("the annotation {name} is not base64")),
    };
    let read = read(annotation::signature(key))
        .and_then(|signature| Ok((signature, read(annotation::payload(key))?)));
    let (signature, payload) = match read {
        Ok((Some(signature), payload)) => (signature, payload),
        Ok((None, _)) => {
            checked.outcome = Outcome::failed("there is a payload but no signature");
            return checked;
        }
        Err(damage) => {
            checked.outcome = Outcome::failed(damage);
            return checked;
        }
    };
    if signature.trim_ascii_start().starts_with(b"{") {
        checked.what = What::Attestation;
        match Envelope::from_json(&signature) {
            Ok(envelope) => {
                checked.outcome = attestation(run, &envelope, payload.as_deref(), asked);
                checked.envelope = Some(envelope);
            }
            Err(error) => {
                checked.outcome = Outcome::failed(format!("{:#}", anyhow::Error::new(error)));
            }
        }
        return checked;
    }
    checked.outcome = match payload {
        None => Outcome::failed("the signed payload was not found on the run"),
        Some(payload) if key == run.short_key() => status(run, &payload, &signature, asked),
        Some(payload) => image(key, &payload, &signature, asked),
    };
    checked
}

fn attestation(
    run: &Run<'_>,
    envelope: &Envelope,
    payload: Option<&[u8]>,
    asked: &Asked,
) -> Outcome {
    let mut outcome = verify::attestation(envelope, &asked.key, &asked.expected);
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
fn status(run: &Run<'_>, payload: &[u8], signature: &[u8], asked: &Asked) -> Outcome {
    let mut findings = Vec::new();
    if let Err(error) = asked.key.verify(payload, signature) {
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
        Err(error) => findings.push(format!("{:#}", anyhow::Error::new(error))),
    }
    Outcome {
        predicate_type: None,
        findings,
    }
}

/// The signature of an image that the run built.
fn image(key: &str, payload: &[u8], signature: &[u8], asked: &Asked) -> Outcome {
    let mut outcome = verify::image_signature(payload, signature, &asked.key, None);
    let document: Value = serde_json::from_slice(payload).unwrap_or_default();
    let digest = document["critical"]["image"]["docker-manifest-digest"].as_str();
    let hex = digest.and_then(|digest| digest.strip_prefix("sha256:"));
    if !hex.is_some_and(|hex| key.len() == 12 && hex.starts_with(key)) {
        let finding = "the payload is for another image than its annotation";
        outcome.findings.push(finding.to_owned());
    }
    outcome
}
