//! An explanation: what a run's payload is about, which images are signed, and which result or
//! param of which run said so; and what looks like a hint but is none.
//!
//! Subjects and dependencies are those of the payload itself. Where they come from is found by
//! giving the functions of [`crate::extract`] one hint at a time, so that the explanation follows
//! the same rules as the payload. Behaviour reference, section 3.

use serde::Serialize;

use self::dependencies::Dependencies;
use self::finds::{Finds, Keys};
use self::gather::Gathering;
pub use self::origin::{Origin, Part, PartKind};
use crate::artifact::Digests;
use crate::config::{self, Config, TransparencyMode};
use crate::extract::Children;
use crate::format::Format;
use crate::payload::{Payload, PayloadError};
use crate::run::Run;

mod dependencies;
mod digest;
mod finds;
mod gather;
mod near;
mod origin;
mod pipeline;
mod warnings;

#[cfg(test)]
mod tests;

/// What will be signed about a run, and why. The names of the fields are those of the JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The run.
    pub run: RunName,
    /// What the configuration says of the run and of its images.
    pub artifacts: Vec<Signing>,
    /// Images that are signed, if images are: those of a task run's own results.
    pub images: Vec<ImageFound>,
    /// Subjects of the payload, in its order.
    pub subjects: Vec<SubjectFound>,
    /// Materials (SLSA v0.2) or resolved dependencies (SLSA v1.0) of the payload, in its order.
    pub dependencies: Vec<DependencyFound>,
    /// Near misses, what was left out, and what is not enabled.
    pub warnings: Vec<String>,
}

/// What names a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunName {
    /// `TaskRun` or `PipelineRun`.
    pub kind: &'static str,
    /// Name.
    pub name: String,
    /// Namespace; empty if the document does not say it.
    pub namespace: String,
    /// UID.
    pub uid: String,
    /// Key of its payload and signature where space is short.
    pub short_key: String,
    /// Key of its payload and signature where names may be long.
    pub full_key: String,
}

/// What the configuration says of one kind of artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Signing {
    /// `taskrun`, `pipelinerun` or `oci`, as in the keys of the configuration.
    pub artifact: &'static str,
    /// Neither the signer nor the storage is switched off.
    pub enabled: bool,
    /// Format of the payload.
    pub format: &'static str,
    /// Who signs.
    pub signer: &'static str,
    /// Where payload and signature are kept.
    pub storage: Vec<&'static str>,
    /// Whether there will be entries in the transparency log: `off`, `always` or `manual`.
    pub transparency: &'static str,
}

/// An image to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImageFound {
    /// `REGISTRY/PATH@sha256:HEX`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Key of its signature where space is short.
    pub short_key: String,
    /// Key of its signature where names may be long.
    pub full_key: String,
    /// Which results name it.
    pub from: Vec<Origin>,
}

/// A subject of the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubjectFound {
    /// Its name.
    pub name: String,
    /// Its digests, hex by algorithm.
    pub digest: Digests,
    /// Which results name it.
    pub from: Vec<Origin>,
}

/// A dependency of the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DependencyFound {
    /// Its name in the payload, if it has one there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it came from; empty for a task that is kept as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Its digests, hex by algorithm.
    #[serde(skip_serializing_if = "Digests::is_empty")]
    pub digest: Digests,
    /// The payload holds a whole task run here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_content: bool,
    /// What names it.
    pub from: Vec<Origin>,
}

/// Explains the payload of a run in the format that is configured for it.
///
/// Fails where the run has no payload in that format.
pub fn explain(run: &Run<'_>, config: &Config) -> Result<Explanation, PayloadError> {
    let format = artifact_of(run, config).1.format;
    let payload = Payload::of_run(run, config, format)?;
    let children = match run {
        Run::Task(_) => None,
        Run::Pipeline(pipeline, children) => Some(Children::new(pipeline, children)),
    };
    let mut gathering = Gathering::new(format, config.deep_inspection);
    match (run, &children) {
        (Run::Pipeline(pipeline, _), Some(children)) => gathering.pipeline(pipeline, children),
        (Run::Task(task), _) => gathering.task(task),
        (Run::Pipeline(..), None) => {}
    }
    let warnings = warnings::all(run, config, &payload, &mut gathering, children.as_ref());
    let dependencies = Dependencies::of(&payload);
    let Gathering {
        images,
        subjects,
        dependencies: sources,
        copies,
        ..
    } = gathering;
    Ok(Explanation {
        run: name(run),
        artifacts: artifacts(run, config),
        images: images.into_found(),
        subjects: subjects_found(&payload, &subjects),
        dependencies: dependencies.with_origins(&sources, copies, format),
        warnings,
    })
}

fn name(run: &Run<'_>) -> RunName {
    let metadata = run.metadata();
    RunName {
        kind: run.kind().name(),
        name: metadata.name.to_string(),
        namespace: metadata.namespace.to_string(),
        uid: metadata.uid.to_string(),
        short_key: run.short_key(),
        full_key: run.full_key(),
    }
}

fn subjects_found(payload: &Payload, finds: &Finds) -> Vec<SubjectFound> {
    let subjects = payload.subjects.iter();
    subjects
        .map(|subject| SubjectFound {
            name: subject.name.clone(),
            digest: subject.digest.clone(),
            from: finds.origins(&subject.name, &subject.digest, Keys::Any, &[""]),
        })
        .collect()
}

fn artifact_of<'c>(
    run: &Run<'_>,
    config: &'c Config,
) -> (&'static str, &'c config::ArtifactPolicy) {
    match run {
        Run::Task(_) => ("taskrun", &config.taskrun),
        Run::Pipeline(..) => ("pipelinerun", &config.pipelinerun),
    }
}

/// What is configured for the run, and for images if the run may have any to sign.
fn artifacts(run: &Run<'_>, config: &Config) -> Vec<Signing> {
    let (kind, artifact) = artifact_of(run, config);
    let images = matches!(run, Run::Task(_)).then_some(("oci", &config.oci));
    let both = std::iter::once((kind, artifact)).chain(images);
    both.map(|(kind, artifact)| signing(kind, artifact, config))
        .collect()
}

fn signing(kind: &'static str, artifact: &config::ArtifactPolicy, config: &Config) -> Signing {
    Signing {
        artifact: kind,
        enabled: artifact.is_enabled(),
        format: artifact.format.as_str(),
        signer: artifact.signer.as_str(),
        storage: artifact
            .storage
            .iter()
            .map(|store| store.as_str())
            .collect(),
        transparency: match config.transparency.mode {
            TransparencyMode::Off => "off",
            TransparencyMode::Always => "always",
            TransparencyMode::Manual => "manual",
        },
    }
}

/// Whether hints on the results of steps count, and only images and build artifacts are subjects.
fn is_narrow(format: Format) -> bool {
    format == Format::SlsaV2Alpha4
}
