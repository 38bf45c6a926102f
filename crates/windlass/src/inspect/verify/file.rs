//! Verification of a file: an envelope, a bundle, or an exported run with its annotations.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::verify::{self, Outcome};

use super::report::{Checked, Report, What};
use super::{Asked, run};
use crate::inspect::files;
use crate::inspect::input::{Input, MAX_CONTENT};
use crate::inspect::layers::layers;

/// Checks the file by what is in it. Nothing says what a lone envelope has to be about, so the
/// subjects of it are not compared with anything.
pub(crate) fn verify(path: &Path, asked: &Asked) -> anyhow::Result<Report> {
    let input = Input::File(path.to_owned());
    let target = input.to_string();
    let content = input.read(MAX_CONTENT);
    let content = content.with_context(|| format!("cannot read the file {target}"))?;
    let layers = layers(&content);
    let parsed = layers
        .iter()
        .filter_map(|layer| Some((layer, serde_json::from_slice::<Value>(layer).ok()?)))
        .find(|(_, value)| value.is_object());
    let envelope = match parsed {
        Some((text, value)) if value.get("payloadType").is_some() => {
            Envelope::from_json(text).map_err(|error| Chain(&error).to_string())
        }
        Some((text, value)) if value.get("mediaType").is_some() => verify::envelope_of_bundle(text),
        _ => {
            let documents = files::run(&input, None).with_context(|| {
                format!("{target} contains no envelope and no bundle, and was read as a run")
            })?;
            return run::verify(&target, documents.run.as_bytes(), asked);
        }
    };
    let mut report = asked.report(target, None);
    report.add(match envelope {
        Ok(envelope) => Checked {
            what: What::Attestation,
            place: "the file".to_owned(),
            outcome: verify::attestation(&envelope, &asked.key, &asked.expected),
            envelope: Some(envelope),
        },
        Err(damage) => Checked {
            what: What::Attestation,
            place: "the file".to_owned(),
            outcome: Outcome::failed(damage),
            envelope: None,
        },
    });
    report.decide_by_all(None);
    Ok(report)
}
