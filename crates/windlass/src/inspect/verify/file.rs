//! Verification of a file: an envelope, a bundle, or an exported run with its annotations.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::verify::{self, Outcome};

use super::report::{Entry, EntryKind, Report};
use super::{SealRule, VerifyError, VerifyRequest, run};
use crate::input::{Input, MAX_CONTENT};
use crate::inspect::files;
use crate::inspect::layers::layers;
use crate::inspect::selector::RunSelector;
use crate::sigstore::Material;

/// Checks a file by what is in it: each of its runs, unless one is selected. Nothing says what a lone
/// envelope has to be about, so the subjects of it are not compared with anything.
pub(crate) async fn verify(
    input: &Input,
    selector: Option<&RunSelector>,
    request: &VerifyRequest,
) -> Result<Vec<Report>, VerifyError> {
    let file = input.to_string();
    let content = match input.read(MAX_CONTENT) {
        Ok(content) => content,
        Err(source) => return Err(VerifyError::Read { file, source }),
    };
    let Some(envelope) = envelope(&content) else {
        return runs(input, &content, selector, request).await;
    };
    let mut report = Report::new(file, None, &request.signer);
    let outcome = match &envelope {
        Ok((envelope, material)) => {
            let signer = &request.signer;
            signer.attestation(envelope, material, &request.expected)
        }
        Err(damage) => Outcome::failed(damage),
    };
    report.add(Entry {
        kind: EntryKind::Attestation,
        place: "the file".to_owned(),
        outcome,
        envelope: envelope.ok().map(|(envelope, _)| envelope),
        claims: None,
    });
    let lacks_seal = request.seal == SealRule::Required;
    let missing = "the file is no run, and only runs have a seal; leave out --require-seal";
    report.decide_by_all(lacks_seal.then(|| missing.to_owned()));
    Ok(vec![report])
}

/// Checks the runs in a file.
async fn runs(
    input: &Input,
    content: &[u8],
    selector: Option<&RunSelector>,
    request: &VerifyRequest,
) -> Result<Vec<Report>, VerifyError> {
    let file = input.to_string();
    let found = match selector {
        Some(selector) => files::run_of(input, content, selector)
            .map(|documents| vec![(selector.to_string(), documents)]),
        None => files::all_runs(input, content),
    };
    let found = found.map_err(|source| VerifyError::File {
        file: file.clone(),
        source,
    })?;
    let is_one = found.len() == 1 && selector.is_none();
    let mut reports = Vec::new();
    for (name, documents) in found {
        let target = if is_one {
            file.clone()
        } else {
            format!("{name} in {file}")
        };
        reports.push(run::verify(target, &documents, request).await?);
    }
    Ok(reports)
}

/// The envelope or bundle in `content`, which may be base64 of it, or what is wrong with it; nothing
/// if it is neither.
fn envelope(content: &[u8]) -> Option<Result<(Envelope, Material), String>> {
    let layers = layers(content);
    let mut objects = layers.iter().filter_map(|layer| {
        let members = serde_json::from_slice::<BTreeMap<String, &RawValue>>(layer).ok()?;
        Some((layer, members))
    });
    let (text, members) = objects.next()?;
    if members.contains_key("payloadType") {
        let envelope = Envelope::from_json(text);
        let envelope = envelope.map(|envelope| (envelope, Material::None));
        return Some(envelope.map_err(|error| Chain(&error).to_string()));
    }
    let is_bundle = ["mediaType", "media_type"].map(|name| members.contains_key(name));
    is_bundle.contains(&true).then(|| {
        let envelope = verify::envelope_of_bundle(text)?;
        Ok((envelope, Material::Bundle(text.clone().into())))
    })
}
