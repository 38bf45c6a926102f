//! An explanation: the subjects and dependencies of a run's payload and the images to sign, with
//! the results and params that name them, and near misses.
//!
//! Subjects and dependencies are those of the payload itself. To find their origin, each hint is
//! given to the functions of [`crate::extract`] alone, so that the explanation follows the rules of
//! the payload. See docs/behaviour.md, "Artifacts".

use self::builder::ExplanationBuilder;
use self::dependencies::Dependencies;
pub use self::explanation::{
    DependencyFound, Explanation, ImageFound, RunName, Signing, SubjectFound,
};
use self::finds::{Finds, Keys};
pub use self::origin::{Origin, Part, PartKind};
use crate::config::{ArtifactPolicy, Config, TransparencyMode};
use crate::extract::Children;
use crate::payload::{Payload, PayloadError};
use crate::run::{Kind, Run};

mod builder;
mod dependencies;
mod digest;
mod explanation;
mod finds;
mod gather;
mod misplaced;
mod near;
mod origin;
mod pipeline;
mod warnings;

#[cfg(test)]
mod tests;

/// Explains the payload of a run in the format that is configured for it.
///
/// Fails where the run has no payload in that format.
pub fn explain(run: &Run<'_>, config: &Config) -> Result<Explanation, PayloadError> {
    let format = config.policy(run.kind()).format;
    let payload = Payload::of_run(run, config, format)?;
    let children = match run {
        Run::Task(_) => None,
        Run::Pipeline(pipeline, children) => Some(Children::new(pipeline, children)),
    };
    let mut builder = ExplanationBuilder::new(format, config.deep_inspection);
    match (run, &children) {
        (Run::Pipeline(pipeline, _), Some(children)) => builder.pipeline(pipeline, children),
        (Run::Task(task), _) => builder.task(task),
        (Run::Pipeline(..), None) => {}
    }
    let warnings = warnings::all(run, config, &payload, &mut builder, children.as_ref());
    let dependencies = Dependencies::of(&payload);
    let ExplanationBuilder {
        images,
        subjects,
        dependencies: sources,
        copies,
        ..
    } = builder;
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

/// What is configured for the run, and for images if the run may have any to sign.
fn artifacts(run: &Run<'_>, config: &Config) -> Vec<Signing> {
    let kind = run.kind();
    let images = (kind == Kind::Task).then_some(("oci", &config.oci));
    let both = std::iter::once((kind.singular(), config.policy(kind))).chain(images);
    both.map(|(kind, artifact)| signing(kind, artifact, config))
        .collect()
}

fn signing(kind: &'static str, artifact: &ArtifactPolicy, config: &Config) -> Signing {
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
        refused: None,
    }
}
