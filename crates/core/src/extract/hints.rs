//! Type hints: results whose names say that they describe artifacts.

use std::collections::HashSet;

use indexmap::IndexMap;

use crate::artifact::{Digest, ResolvedArtifact};
use crate::image::Image;
use crate::run::RunResult;
use crate::warning::{Notes, shown};

pub(crate) const IMAGE_URL: &str = "IMAGE_URL";
pub(crate) const IMAGE_DIGEST: &str = "IMAGE_DIGEST";
pub(crate) const IMAGES: &str = "IMAGES";
pub(crate) const ARTIFACT_URI: &str = "ARTIFACT_URI";
pub(crate) const ARTIFACT_DIGEST: &str = "ARTIFACT_DIGEST";
pub(crate) const ARTIFACT_INPUTS: &str = "ARTIFACT_INPUTS";
pub(crate) const ARTIFACT_OUTPUTS: &str = "ARTIFACT_OUTPUTS";

/// Two results that belong together by the start of their names.
#[derive(Debug, Default)]
struct Pair<'r> {
    uri: &'r str,
    digest: &'r str,
}

/// Pairs of results by the part of the name before the suffix, in the order in which they occur.
fn pairs<'r>(
    results: &'r [RunResult<'_>],
    uri_suffix: &str,
    digest_suffix: &str,
    notes: &mut Notes,
) -> Vec<Pair<'r>> {
    let mut pairs: IndexMap<&str, Pair<'r>> = IndexMap::new();
    for result in results {
        let value = result.value.text().trim();
        if value.is_empty() {
            continue;
        }
        if let Some(marker) = result.name.strip_suffix(uri_suffix) {
            pairs.entry(marker).or_default().uri = value;
        } else if let Some(marker) = result.name.strip_suffix(digest_suffix) {
            pairs.entry(marker).or_default().digest = value;
        }
    }
    for (marker, pair) in &pairs {
        let (found, missing) = match (pair.uri, pair.digest) {
            ("", _) => (digest_suffix, uri_suffix),
            (_, "") => (uri_suffix, digest_suffix),
            _ => continue,
        };
        let (found, missing) = (format!("{marker}{found}"), format!("{marker}{missing}"));
        notes.add(format!(
            "result {} is not used without a result {}",
            shown(&found),
            shown(&missing)
        ));
    }
    pairs
        .into_values()
        .filter(|pair| !pair.uri.is_empty() && !pair.digest.is_empty())
        .collect()
}

/// Images that results name, each once: docs/behaviour.md, "Images".
pub(crate) fn images(results: &[RunResult<'_>], notes: &mut Notes) -> Vec<Image> {
    let mut images = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |reference: &str, notes: &mut Notes| match Image::parse(reference) {
        Ok(image) => {
            if image.has_scheme() {
                notes.add(format!(
                    "image {} starts with a scheme, which is not a registry; leave it out",
                    shown(reference)
                ));
            }
            if seen.insert(image.clone()) {
                images.push(image);
            }
        }
        Err(error) => {
            notes.add(format!("image {} is not used: {error}", shown(reference)));
        }
    };
    for pair in pairs(results, IMAGE_URL, IMAGE_DIGEST, notes) {
        add(&format!("{}@{}", pair.uri, pair.digest), notes);
    }
    for result in results.iter().filter(|result| &*result.name == IMAGES) {
        references(result.value.text()).for_each(|one| add(one, notes));
    }
    let outputs = results
        .iter()
        .filter(|result| is_build_artifact(result) == Ok(true));
    for output in outputs.filter_map(|result| structured(result, ARTIFACT_OUTPUTS)) {
        add(&format!("{}@{}", output.uri, output.digest), notes);
    }
    images
}

/// The references in a value of `IMAGES`.
pub(crate) fn references(value: &str) -> impl Iterator<Item = &str> {
    let references = value.split([',', '\n']).map(str::trim);
    references.filter(|reference| !reference.is_empty())
}

/// Artifacts of `*ARTIFACT_URI` and `*ARTIFACT_DIGEST`: docs/behaviour.md, "Artifact pairs". The
/// algorithm is kept as it is written.
pub(crate) fn artifact_pairs(
    results: &[RunResult<'_>],
    notes: &mut Notes,
) -> Vec<ResolvedArtifact> {
    let mut artifacts = Vec::new();
    for pair in pairs(results, ARTIFACT_URI, ARTIFACT_DIGEST, notes) {
        if Digest::parse(pair.digest).is_none() {
            let (uri, digest) = (shown(pair.uri), shown(pair.digest));
            notes.add(format!(
                "artifact {uri} is not used: {digest} is not a digest"
            ));
            continue;
        }
        artifacts.push(as_written(pair.uri, pair.digest));
    }
    artifacts
}

/// A result that is an object with `uri` and `digest`.
struct Structured<'r> {
    uri: &'r str,
    digest: &'r str,
}

impl Structured<'_> {
    fn as_written(&self) -> ResolvedArtifact {
        as_written(self.uri, self.digest)
    }
}

fn as_written(uri: &str, digest: &str) -> ResolvedArtifact {
    let (algorithm, hex) = digest.split_once(':').unwrap_or((digest, ""));
    ResolvedArtifact::new(uri, algorithm, hex)
}

/// A valid object result of a category: docs/behaviour.md, "Object results".
fn structured<'r>(result: &'r RunResult<'_>, category: &str) -> Option<Structured<'r>> {
    if !result.name.ends_with(category) {
        return None;
    }
    let uri = result.value.member("uri").filter(|uri| !uri.is_empty())?;
    let digest = result
        .value
        .member("digest")
        .filter(|digest| Digest::parse(digest).is_some())?;
    Some(Structured { uri, digest })
}

/// A result that says that it is a build artifact but does not describe one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Whether a result is a build artifact: `*ARTIFACT_OUTPUTS` with the flag `isBuildArtifact`.
pub(crate) fn is_build_artifact(result: &RunResult<'_>) -> Result<bool, Malformed> {
    if !result.name.ends_with(ARTIFACT_OUTPUTS) {
        return Ok(false);
    }
    if !result.value.is_object() {
        return Err(Malformed);
    }
    if result.value.member("isBuildArtifact") != Some("true") {
        return Ok(false);
    }
    structured(result, ARTIFACT_OUTPUTS)
        .map(|_| true)
        .ok_or(Malformed)
}

/// Whether a result names an image, or a part of one.
pub(crate) fn is_image_result(name: &str) -> bool {
    name.ends_with(IMAGE_URL) || name.ends_with(IMAGE_DIGEST) || name == IMAGES
}

/// All valid `*ARTIFACT_OUTPUTS`.
pub(crate) fn outputs(results: &[RunResult<'_>], notes: &mut Notes) -> Vec<ResolvedArtifact> {
    note_malformed(results, ARTIFACT_OUTPUTS, notes);
    let outputs = results
        .iter()
        .filter_map(|result| structured(result, ARTIFACT_OUTPUTS));
    outputs.map(|output| output.as_written()).collect()
}

/// Those `*ARTIFACT_OUTPUTS` that are build artifacts.
pub(crate) fn build_artifacts(
    results: &[RunResult<'_>],
    notes: &mut Notes,
) -> Vec<ResolvedArtifact> {
    note_malformed(results, ARTIFACT_OUTPUTS, notes);
    let artifacts = results
        .iter()
        .filter(|result| is_build_artifact(result) == Ok(true));
    let artifacts = artifacts.filter_map(|result| structured(result, ARTIFACT_OUTPUTS));
    artifacts.map(|artifact| artifact.as_written()).collect()
}

/// Sources that `*ARTIFACT_INPUTS` name, with the algorithm in lower case.
pub(crate) fn inputs<'r, 'a: 'r>(
    results: impl IntoIterator<Item = &'r RunResult<'a>>,
    notes: &mut Notes,
) -> Vec<ResolvedArtifact> {
    let mut sources = Vec::new();
    for result in results {
        note_malformed(std::slice::from_ref(result), ARTIFACT_INPUTS, notes);
        let Some(input) = structured(result, ARTIFACT_INPUTS) else {
            continue;
        };
        let Some(digest) = Digest::parse(input.digest) else {
            continue;
        };
        sources.push(ResolvedArtifact::new(
            input.uri,
            &digest.algorithm,
            digest.hex,
        ));
    }
    sources
}

fn note_malformed(results: &[RunResult<'_>], category: &str, notes: &mut Notes) {
    for result in results {
        if result.name.ends_with(category) && structured(result, category).is_none() {
            notes.add(format!(
                "result {} is not used: it is not an object with a uri and a digest",
                shown(&result.name)
            ));
        }
    }
}
