//! Whether what was signed is about this run and no other.
//!
//! A genuine statement of another run is no evidence for this one. The payload is therefore created
//! again from the run as it is now and compared with the signed one, value by value: Tekton Chains
//! lists subjects in random order and its white space varies. What a payload says only of itself
//! (builder, build type, deep inspection) is taken from it.
//!
//! Three things legitimately differ, and are reported as not covered by the signature:
//! labels and annotations that somebody wrote since, what task runs added that are gone by now, and
//! a definition in the form of an older release, which cannot be created again.

use serde_json::Value;

use self::coverage::{Content, uncovered};
use self::differences::{Difference, differences};
use self::normal::normal;
use self::parts::{Allowance, Part};
use crate::config::{BuildType, Config};
use crate::error::Chain;
use crate::extract;
use crate::format::{Format, IMAGE_PREDICATE, SLSA_V1, SLSA_V02};
use crate::image::Image;
use crate::payload::{Payload, PayloadError};
use crate::run::{Kind, Run};

mod coverage;
mod differences;
mod normal;
mod parts;

#[cfg(test)]
mod tests;

/// Parts that name a run, as they are called in [`Comparison::not_covered`].
pub const IDENTITY: [&str; 4] = [coverage::KIND, "namespace", "name", "uid"];

/// Most paths that a finding names.
const NAMED: usize = 4;

/// How something signed compares with the run that it should be about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Every part that contradicts the run.
    pub findings: Vec<String>,
    /// Parts of the run that may be anything as far as the signature is concerned.
    pub not_covered: Vec<String>,
}

impl Comparison {
    fn failed(finding: impl Into<String>) -> Self {
        Self {
            findings: vec![finding.into()],
            not_covered: Vec::new(),
        }
    }
}

/// Compares a signed statement with the run that carries it. The signature is not looked at.
///
/// A pipeline run should have its task runs, see [`Run::Pipeline`]; without them less is compared.
pub fn statement_of_run(run: &Run<'_>, payload: &[u8]) -> Comparison {
    let Ok(signed) = serde_json::from_slice::<Value>(payload) else {
        return Comparison::failed("the signed payload is not JSON");
    };
    let predicate = &signed["predicate"];
    let (formats, build_type): (&[Format], _) = match signed["predicateType"].as_str() {
        Some(SLSA_V02) => (&[Format::SlsaV1], &predicate["buildType"]),
        Some(SLSA_V1) => (
            &[Format::SlsaV2Alpha4, Format::SlsaV2Alpha3],
            &predicate["buildDefinition"]["buildType"],
        ),
        other => {
            let other = other.unwrap_or_default();
            return Comparison::failed(format!(
                "a statement with the predicateType `{other}` does not describe a run"
            ));
        }
    };
    let build_type = build_type.as_str().unwrap_or_default();
    if let Some(finding) = other_run(run, predicate, build_type) {
        return Comparison::failed(finding);
    }
    let allowance = Allowance::new(run, build_type);
    let candidates = formats.iter().flat_map(|format| {
        let configs = configurations(predicate, build_type, run.kind());
        configs.map(|config| Candidate::new(run, *format, config))
    });
    let compared = candidates.map(|candidate| {
        let (distance, comparison) = match &candidate {
            Ok(candidate) => candidate.compare(&signed, payload, &allowance),
            Err(error) => (usize::MAX, Comparison::failed(Chain(error).to_string())),
        };
        (distance, comparison, candidate)
    });
    // the settings under which it was signed are those that contradict the run least
    let Some((_, mut comparison, candidate)) = compared.min_by_key(|(distance, ..)| *distance)
    else {
        return Comparison::failed("there is nothing to compare the statement with");
    };
    if let Ok(candidate) = candidate {
        let written = std::mem::take(&mut comparison.not_covered);
        comparison.not_covered = uncovered(run, &candidate.content());
        comparison.not_covered.extend(written);
    }
    comparison
}

/// Compares a signed status, the format `tekton`, with the run that carries it. The signature is not
/// looked at.
pub fn status_of_run(run: &Run<'_>, payload: &[u8]) -> Comparison {
    let config = Config::default();
    let now = match Payload::of_run(run, &config, Format::Tekton) {
        Ok(now) => now,
        Err(error) => return Comparison::failed(Chain(&error).to_string()),
    };
    if now.bytes != payload {
        return Comparison::failed(
            "the payload differs from the status of the run: one of them was changed",
        );
    }
    if let Some(member) = parts::foreign_member(run.kind(), payload) {
        let kind = run.kind();
        return Comparison::failed(format!(
            "the signed status has the member `{member}`, which a {kind} does not have"
        ));
    }
    let content = Content {
        payload,
        format: Format::Tekton,
        config: &config,
    };
    let mut not_covered = uncovered(run, &content);
    let mut others = Kind::ALL.into_iter().filter(|kind| *kind != run.kind());
    if others.all(|other| parts::foreign_member(other, payload).is_some()) {
        not_covered.retain(|part| part != coverage::KIND);
    }
    Comparison {
        findings: Vec::new(),
        not_covered,
    }
}

/// Compares the signed payload of an image with the run that carries it under the key `key`. The
/// signature is not looked at. The error says why the run does not vouch for the image.
pub fn image_of_run(run: &Run<'_>, key: &str, payload: &[u8]) -> Result<Image, String> {
    let signed = serde_json::from_slice(payload).unwrap_or_default();
    let (repository, Some(digest)) = named_image(&signed) else {
        return Err("the payload names no image".to_owned());
    };
    let images = match run {
        Run::Task(task) => extract::images(task).0,
        // the images of a pipeline are signed with its task runs
        Run::Pipeline(..) => Vec::new(),
    };
    let is_named = |image: &Image| {
        image.digest() == digest
            && repository.is_none_or(|repository| repository == image.repository())
    };
    let Some(image) = images.into_iter().find(is_named) else {
        let repository = repository.unwrap_or("the image");
        return Err(format!(
            "the results of the run do not name {repository}@{digest}; an image that an index lists \
             is verified in its registry"
        ));
    };
    let key = key.strip_suffix(".statement").unwrap_or(key);
    if key != image.short_key() {
        return Err("the payload is for another image than its annotation".to_owned());
    }
    Ok(image)
}

/// Repository and digest of the image that a payload names. A statement names no repository.
fn named_image(signed: &Value) -> (Option<&str>, Option<String>) {
    if signed["predicateType"] == IMAGE_PREDICATE {
        let subjects = signed["subject"].as_array().map(Vec::as_slice);
        let hex = match subjects.unwrap_or_default() {
            [subject] => subject["digest"]["sha256"].as_str(),
            _ => None,
        };
        return (None, hex.map(|hex| format!("sha256:{hex}")));
    }
    let critical = &signed["critical"];
    let repository = critical["identity"]["docker-reference"].as_str();
    let digest = critical["image"]["docker-manifest-digest"].as_str();
    (
        Some(repository.unwrap_or_default()),
        digest.map(str::to_owned),
    )
}

/// What names another run, or a run of the other kind.
fn other_run(run: &Run<'_>, predicate: &Value, build_type: &str) -> Option<String> {
    let (kind, uid) = (run.kind(), &*run.metadata().uid);
    let invocation = predicate["runDetails"]["metadata"]["invocationId"].as_str();
    if let Some(other) = invocation.filter(|invocation| *invocation != uid) {
        return Some(format!(
            "the statement is about another run, {other}; this one is {uid}"
        ));
    }
    let mut others = Kind::ALL.into_iter().filter(|other| *other != kind);
    let other = others.find(|other| build_type.ends_with(&format!("/{other}")))?;
    Some(format!(
        "the statement is about a {other}; this is a {kind}"
    ))
}

/// The settings under which the statement may have been signed.
fn configurations(predicate: &Value, build_type: &str, kind: Kind) -> impl Iterator<Item = Config> {
    let builder = [&predicate["builder"], &predicate["runDetails"]["builder"]];
    let builder = builder.iter().find_map(|builder| builder["id"].as_str());
    let builder = builder.unwrap_or_default().to_owned();
    let build_type = BuildType::from_uri(build_type);
    let depths: &[bool] = match kind {
        Kind::Task => &[false],
        Kind::Pipeline => &[false, true],
    };
    depths.iter().map(move |deep_inspection| {
        let mut config = Config::default();
        config.builder_id.clone_from(&builder);
        config.deep_inspection = *deep_inspection;
        if let Some(build_type) = build_type {
            config.build_type = build_type;
        }
        config
    })
}

/// What would be signed for a run under some settings.
struct Candidate {
    format: Format,
    config: Config,
    bytes: Vec<u8>,
}

impl Candidate {
    fn new(run: &Run<'_>, format: Format, config: Config) -> Result<Self, PayloadError> {
        let bytes = Payload::of_run(run, &config, format)?.bytes;
        Ok(Self {
            format,
            config,
            bytes,
        })
    }

    fn content(&self) -> Content<'_> {
        Content {
            payload: &self.bytes,
            format: self.format,
            config: &self.config,
        }
    }

    /// Compares with what was signed. The number is how far apart they are.
    fn compare(
        &self,
        signed: &Value,
        payload: &[u8],
        allowance: &Allowance,
    ) -> (usize, Comparison) {
        if self.bytes == payload {
            return (0, Comparison::default());
        }
        let now = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let (signed, now) = (normal(signed.clone()), normal(now));
        let found = differences(&signed, &now);
        let (mut contradictions, mut exceptions) = (Vec::new(), Exceptions::default());
        for difference in &found {
            match allowance.part(difference) {
                Part::Essential => contradictions.push(difference),
                Part::Written(name) => exceptions.written.push(name),
                Part::OfChildren => exceptions.lacks_children = true,
                Part::OfOlderRelease => exceptions.is_older = true,
            }
        }
        let findings = (!contradictions.is_empty()).then(|| contradiction(&contradictions));
        let comparison = Comparison {
            findings: findings.into_iter().collect(),
            not_covered: exceptions.sentences(),
        };
        // of two without contradiction, the one that needs fewer exceptions is the right one
        let distance = contradictions.len() * 10_000 + found.len().min(9_999);
        (distance, comparison)
    }
}

/// Differences that contradict nothing.
#[derive(Default)]
struct Exceptions {
    written: Vec<String>,
    lacks_children: bool,
    is_older: bool,
}

impl Exceptions {
    fn sentences(mut self) -> Vec<String> {
        self.written.sort_unstable();
        self.written.dedup();
        let mut sentences = Vec::new();
        if !self.written.is_empty() {
            let written = shortened(self.written.into_iter());
            sentences.push(format!(
                "labels and annotations written since it was signed ({written})"
            ));
        }
        if self.lacks_children {
            sentences.push("what its task runs add, some of which were not found".to_owned());
        }
        if self.is_older {
            sentences.push(
                "everything but subjects, kind, run and times (the statement has the form of an \
                 older release)"
                    .to_owned(),
            );
        }
        sentences
    }
}

fn contradiction(differences: &[&Difference<'_>]) -> String {
    let paths = shortened(differences.iter().map(|difference| difference.path()));
    format!(
        "the statement differs from the run at {paths}: the run was changed after it was signed, or \
         another run was signed"
    )
}

/// The first of some names, and how many more there are.
fn shortened(names: impl ExactSizeIterator<Item = String>) -> String {
    let count = names.len();
    let first: Vec<String> = names.take(NAMED).collect();
    let first = first.join(", ");
    match count.checked_sub(NAMED) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}
