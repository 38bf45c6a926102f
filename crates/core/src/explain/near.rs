//! Near misses: names, types and values that look like mistyped hints.
//!
//! Each is a mistake that Tekton users make. What may be intended is not reported.

use std::collections::HashSet;

use super::builder::ExplanationBuilder;
use super::digest;
use super::misplaced;
use super::origin::Place;
use crate::artifact::Digest;
use crate::extract::hints::{
    ARTIFACT_DIGEST, ARTIFACT_INPUTS, ARTIFACT_OUTPUTS, ARTIFACT_URI, IMAGE_DIGEST, IMAGE_URL,
    IMAGES,
};
use crate::extract::{GIT_COMMIT, GIT_URL, Git, GitSource, is_build_artifact};
use crate::run::{Param, ParamValue, RunResult, StepState};
use crate::warning::shown;

/// Ends of names without separators, in upper case, and the hint that was perhaps meant.
const MEANT: [(&str, &str); 16] = [
    ("IMAGEURL", IMAGE_URL),
    ("IMAGESURL", IMAGE_URL),
    ("IMAGEURI", IMAGE_URL),
    ("IMAGEDIGEST", IMAGE_DIGEST),
    ("IMAGESDIGEST", IMAGE_DIGEST),
    ("ARTIFACTURI", ARTIFACT_URI),
    ("ARTIFACTURL", ARTIFACT_URI),
    ("ARTIFACTSURI", ARTIFACT_URI),
    ("ARTIFACTDIGEST", ARTIFACT_DIGEST),
    ("ARTIFACTSDIGEST", ARTIFACT_DIGEST),
    ("ARTIFACTOUTPUTS", ARTIFACT_OUTPUTS),
    ("ARTIFACTOUTPUT", ARTIFACT_OUTPUTS),
    ("ARTIFACTINPUTS", ARTIFACT_INPUTS),
    ("ARTIFACTINPUT", ARTIFACT_INPUTS),
    ("CHAINSGITURL", GIT_URL),
    ("CHAINSGITCOMMIT", GIT_COMMIT),
];
/// Hex digits of a commit with SHA-1 and with SHA-256.
const COMMIT_LENGTHS: [usize; 2] = [40, 64];

/// Whether a result of this name is a hint that has to be a string.
fn is_text_hint(name: &str) -> bool {
    let suffixes = [IMAGE_URL, IMAGE_DIGEST, ARTIFACT_URI, ARTIFACT_DIGEST];
    matches!(name, IMAGES | GIT_URL | GIT_COMMIT)
        || suffixes.iter().any(|suffix| name.ends_with(suffix))
}

fn is_hint(name: &str) -> bool {
    is_text_hint(name) || name.ends_with(ARTIFACT_OUTPUTS) || name.ends_with(ARTIFACT_INPUTS)
}

/// Near misses among the results of one place.
pub(super) fn results(to: &mut ExplanationBuilder, place: Place<'_>, results: &[RunResult<'_>]) {
    let names: HashSet<&str> = results.iter().map(|result| &*result.name).collect();
    for result in results {
        let name = &*result.name;
        let sentence = if is_text_hint(name) {
            text_hint(result)
        } else if is_hint(name) {
            None
        } else {
            misspelt(result).and_then(|meant| {
                (!names.contains(meant.as_str())).then(|| {
                    let (name, meant) = (shown(name), shown(&meant));
                    format!("result {name} is not a hint; {meant} would be one")
                })
            })
        };
        let sentence = sentence.or_else(|| {
            let is_hint = is_hint(name);
            (!is_hint).then(|| misplaced::place(name)).flatten()
        });
        if let Some(sentence) = sentence {
            to.warn(place, &sentence);
        }
    }
    for sentence in misplaced::elsewhere(results) {
        to.warn(place, &sentence);
    }
}

/// What is odd about the value of a hint that has to be a string.
fn text_hint(result: &RunResult<'_>) -> Option<String> {
    let name = shown(&result.name);
    let text = match &result.value {
        ParamValue::Missing => return Some(format!("result {name} has no value")),
        ParamValue::Array(_) => return Some(not_a_string(&name, "an array")),
        ParamValue::Object(_) => return Some(not_a_string(&name, "an object")),
        ParamValue::String(text) => text.as_str(),
    };
    if matches!(&*result.name, IMAGES | GIT_URL | GIT_COMMIT) {
        return None;
    }
    if text.trim().is_empty() {
        return Some(format!("result {name} is empty"));
    }
    if text.trim() != text {
        return Some(format!(
            "result {name} has leading or trailing whitespace, which is dropped"
        ));
    }
    if result.name.ends_with(ARTIFACT_DIGEST) {
        return odd_algorithm(&format!("result {name}"), text);
    }
    None
}

fn not_a_string(name: &str, what: &str) -> String {
    format!("result {name} is {what} and is not used: this hint must be a string")
}

/// An algorithm that is accepted, but not written as verifiers expect it.
fn odd_algorithm(what: &str, text: &str) -> Option<String> {
    let written = text.split_once(':')?.0;
    let digest = Digest::parse(text)?;
    let odd = (written != digest.algorithm).then_some(written)?;
    Some(format!(
        "the digest of {what} has the algorithm {}, and the subject keeps that spelling; write {:?}",
        shown(odd),
        digest.algorithm
    ))
}

/// The hint that a name without one perhaps means.
fn misspelt(result: &RunResult<'_>) -> Option<String> {
    let name = &*result.name;
    if name.eq_ignore_ascii_case(IMAGES) {
        return result.value.text().contains('@').then(|| IMAGES.to_owned());
    }
    meant(name)
}

fn meant(name: &str) -> Option<String> {
    let letters: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let (end, hint) = MEANT.iter().find(|(end, _)| letters.ends_with(end))?;
    let mut left = end.len();
    let start = name.char_indices().rev().find(|(_, letter)| {
        left -= usize::from(letter.is_ascii_alphanumeric());
        left == 0
    });
    let (start, _) = start?;
    match *hint {
        GIT_URL | GIT_COMMIT => (start == 0).then(|| (*hint).to_owned()),
        hint => Some(format!("{}{hint}", &name[..start])),
    }
}

/// Params that look like the hints on sources.
pub(super) fn params(to: &mut ExplanationBuilder, place: Place<'_>, params: &[Param<'_>]) {
    for param in params {
        let name = &*param.name;
        if matches!(name, GIT_URL | GIT_COMMIT) {
            continue;
        }
        if let Some(meant @ (GIT_URL | GIT_COMMIT)) = meant(name).as_deref() {
            let (name, meant) = (shown(name), shown(meant));
            to.warn(
                place,
                &format!("param {name} is not a hint; {meant} would be one"),
            );
        }
    }
}

/// Hints on the results of steps, in a format that does not look there.
pub(super) fn step_results(to: &mut ExplanationBuilder, place: Place<'_>, steps: &[StepState<'_>]) {
    for step in steps {
        let hints = step.results.iter().map(|result| &*result.name);
        let mut hints = hints.filter(|name| is_hint(name));
        let Some(first) = hints.next() else {
            continue;
        };
        let more = match hints.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let place = Place {
            step: Some(&step.name),
            ..place
        };
        let format = to.format;
        to.warn(
            place,
            &format!(
                "result {}{more} is not used: slsa/v2alpha4 uses results of steps, {format} does \
                 not",
                shown(first)
            ),
        );
    }
}

/// Pairs that a format does not count as subjects.
pub(super) fn broad_pairs(
    to: &mut ExplanationBuilder,
    place: Place<'_>,
    pairs: &[Vec<RunResult<'_>>],
) {
    for first in pairs.iter().filter_map(|pair| pair.first()) {
        let format = to.format;
        to.warn(
            place,
            &format!(
                "result {} is not a subject in {format}: name it by an {ARTIFACT_OUTPUTS} with \
                 isBuildArtifact, or use slsa/v2alpha3",
                shown(&first.name)
            ),
        );
    }
}

/// What is odd about an `*ARTIFACT_OUTPUTS` that is used or would be.
pub(super) fn output(to: &mut ExplanationBuilder, place: Place<'_>, output: &RunResult<'_>) {
    let name = format!("result {}", shown(&output.name));
    let digest = output.value.member("digest").unwrap_or_default();
    if let Some(sentence) = odd_algorithm(&name, digest) {
        to.warn(place, &sentence);
    }
    if object_fault(&output.value).is_some() || is_build_artifact(output) == Ok(true) {
        return;
    }
    let sentence = match output.value.member("isBuildArtifact") {
        None | Some("" | "false") if !to.is_narrow() => return,
        None => format!(
            "{name} is not a subject in {}: it has no isBuildArtifact: \"true\"",
            to.format
        ),
        Some(flag) => format!(
            "{name} is not a build artifact: isBuildArtifact is {}, not \"true\"",
            shown(flag)
        ),
    };
    to.warn(place, &sentence);
}

/// Why a value is not an object with a URI and a digest.
pub(super) fn object_fault(value: &ParamValue<'_>) -> Option<String> {
    if !value.is_object() {
        let is_json = value.text().trim_start().starts_with('{');
        return Some(if is_json {
            "it is a string or has members that are not strings; declare the result with type \
             object and put its values in quotes"
                .to_owned()
        } else {
            "it is not an object".to_owned()
        });
    }
    let uri = value.member("uri").unwrap_or_default();
    let digest = value.member("digest").unwrap_or_default();
    match (uri, digest) {
        ("", "") => Some("it has neither uri nor digest".to_owned()),
        ("", _) => Some("it has no uri".to_owned()),
        (_, "") => Some("it has no digest".to_owned()),
        (_, digest) => {
            digest::fault(digest).map(|fault| format!("digest of {}: {fault}", shown(uri)))
        }
    }
}

/// What is odd about a source.
pub(super) fn git(to: &mut ExplanationBuilder, place: Place<'_>, git: &Git<'_>) {
    if !git.url.is_empty() && git.commit.is_empty() {
        let empty = if git.commit_source == GitSource::Nowhere {
            ""
        } else {
            " (it exists but is empty)"
        };
        to.warn(
            place,
            &format!("{GIT_URL} is not used without a {GIT_COMMIT}{empty}"),
        );
        return;
    }
    if git.commit.is_empty() {
        return;
    }
    for (name, value) in [(GIT_URL, git.url), (GIT_COMMIT, git.commit)] {
        if value.trim() != value {
            let sentence = format!(
                "{name} has leading or trailing whitespace, which stays in the dependency; write \
                 it with printf or echo -n"
            );
            to.warn(place, &sentence);
        }
    }
    let commit = git.commit.trim();
    let is_commit = COMMIT_LENGTHS.contains(&commit.len())
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_commit {
        let sentence = format!(
            "{GIT_COMMIT} is {}, which is not a commit of 40 hex digits; it is written as sha1",
            shown(commit)
        );
        to.warn(place, &sentence);
    }
}

/// A pipeline run's commit without a URL, which is not used.
pub(super) fn commit_alone(to: &mut ExplanationBuilder, place: Place<'_>, git: &Git<'_>) {
    if !git.commit.is_empty() {
        to.warn(
            place,
            &format!("{GIT_COMMIT} is not used without a {GIT_URL}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn a_name_that_nearly_is_a_hint_is_told_what_would_be_one() {
        for (name, hint) in [
            ("IMAGE-URL", "IMAGE_URL"),
            ("image_url", "IMAGE_URL"),
            ("app-imageUrl", "app-IMAGE_URL"),
            ("IMAGES_URL", "IMAGE_URL"),
            ("my_IMAGE-DIGEST", "my_IMAGE_DIGEST"),
            ("jar.ARTIFACT_OUTPUT", "jar.ARTIFACT_OUTPUTS"),
            ("CHAINS_GIT_URL", "CHAINS-GIT_URL"),
            ("chains-git-commit", "CHAINS-GIT_COMMIT"),
        ] {
            assert_eq!(meant(name).as_deref(), Some(hint), "{name}");
        }
    }

    #[test]
    fn a_name_that_says_something_else_is_left_alone() {
        for name in [
            "commit",
            "url",
            "IMAGE_REF",
            "BASE_IMAGES_DIGESTS",
            "digest",
            "my-CHAINS_GIT_URL",
            "",
            "é-ü",
        ] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
