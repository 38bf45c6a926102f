//! The straight line from a finished run to what is recorded of it: extract → format → sign → store.
//!
//! Given the same run, configuration and key it gives the same bytes, so a pass that broke off can
//! be repeated. Nothing is written here; the record is one patch that the controller makes.

use std::collections::BTreeMap;

use windlass_core::config::{Artifact, Config, SignerKind, StoreKind, TransparencyMode};
use windlass_core::dsse;
use windlass_core::extract;
use windlass_core::format::{self, Format, FormatError, Payload};
use windlass_core::image::Image;
use windlass_core::key::SignError;
use windlass_core::run::Run;

use crate::signer::Signer;
use crate::store::{self, Annotations, Signed, TooLarge};

/// Media type of every statement.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// What is to be recorded of a run.
#[derive(Debug)]
pub(crate) struct Record {
    /// Annotations that hold payloads and signatures.
    pub(crate) annotations: Annotations,
    /// What was left out, for the annotation that gives reasons.
    pub(crate) note: Option<String>,
    /// What could not be expressed in a payload.
    pub(crate) warnings: Vec<String>,
    /// What the configuration asks for beyond what is recorded; a run with something missing is
    /// not signed yet.
    pub(crate) missing: Option<Unsupported>,
    /// Signatures made.
    pub(crate) signatures: u64,
}

/// Something that the configuration asks for and this version does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} asks for {value:?}, which this version of windlass cannot do yet; {remedy}")]
pub(crate) struct Unsupported {
    setting: String,
    value: String,
    remedy: &'static str,
}

/// Why a run could not be attested, by stage.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttestError {
    /// The payload could not be made.
    #[error("cannot make the {} payload", format.as_str())]
    Format { format: Format, source: FormatError },
    /// There is no such signer.
    #[error(transparent)]
    NoSigner(Unsupported),
    /// The payload could not be signed.
    #[error("cannot sign the payload")]
    Sign(#[source] SignError),
    /// The artifacts do not fit into the run's annotations.
    #[error(transparent)]
    Store(#[from] TooLarge),
}

/// When a failed pass is worth repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It will fail the same way every time.
    Never,
    /// Once the settings have changed.
    Settings,
}

impl Record {
    /// Adds what is missing from the run itself.
    pub(crate) fn incomplete(mut self, what: Option<String>) -> Self {
        let Some(what) = what else {
            return self;
        };
        let what = format!("incomplete: {what}");
        self.note = Some(match self.note {
            Some(note) => format!("{what}; {note}"),
            None => what.clone(),
        });
        self.warnings.insert(0, what);
        self
    }
}

impl AttestError {
    /// When a repetition is worth it.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Format { .. } | Self::Store(_) => Retry::Never,
            Self::NoSigner(_) | Self::Sign(_) => Retry::Settings,
        }
    }
}

/// Attests a finished run: itself, and the images it built.
///
/// `others` is the size in bytes of the annotations that stay beside what is recorded.
pub(crate) fn attest(
    run: &Run<'_>,
    config: &Config,
    signer: &Signer,
    others: usize,
) -> Result<Record, AttestError> {
    let mut artifacts = Vec::new();
    let mut warnings = Vec::new();
    let mut missing = None;
    let (kind, artifact) = artifact_config(run, config);
    if artifact.is_enabled() {
        missing = missing.or(unsupported(kind, artifact, config)?);
        let payload = format::payload(run, config, artifact.format).map_err(|source| {
            AttestError::Format {
                format: artifact.format,
                source,
            }
        })?;
        warnings.extend(payload.warnings.iter().map(ToString::to_string));
        if artifact.storage.contains(&StoreKind::Tekton) {
            artifacts.push(sign(signer, run.short_key(), payload)?);
        }
    }
    if let Run::Task(task) = run
        && config.oci.is_enabled()
    {
        let (images, doubts) = extract::images(task);
        warnings.extend(doubts.iter().map(ToString::to_string));
        if config.oci.storage.contains(&StoreKind::Tekton) {
            warnings.extend(clashes(&images));
        }
        for image in images {
            missing = missing.or(unsupported("oci", &config.oci, config)?);
            if config.oci.storage.contains(&StoreKind::Tekton) {
                artifacts.push(sign(
                    signer,
                    image.short_key().to_owned(),
                    format::image_payload(&image),
                )?);
            }
        }
    }
    let signatures = artifacts.len() as u64;
    let (annotations, note) = store::annotations(&artifacts, others)?;
    Ok(Record {
        annotations,
        note,
        warnings,
        missing,
        signatures,
    })
}

/// Images whose annotations have the same names, since their digest is the same: the last one's
/// signature is kept, as in the reference.
fn clashes(images: &[Image]) -> Vec<String> {
    let mut last = BTreeMap::new();
    let mut clashes = Vec::new();
    for image in images {
        if let Some(earlier) = last.insert(image.short_key(), image) {
            clashes.push(format!(
                "images {earlier} and {image} have one digest: only the signature of the latter is \
                 kept on the run"
            ));
        }
    }
    clashes
}

fn artifact_config<'c>(run: &Run<'_>, config: &'c Config) -> (&'static str, &'c Artifact) {
    match run {
        Run::Task(_) => ("taskrun", &config.taskrun),
        Run::Pipeline(..) => ("pipelinerun", &config.pipelinerun),
    }
}

/// What an enabled artifact asks for and does not get. A signer that does not exist is an error,
/// since nothing can be recorded without one.
fn unsupported(
    kind: &str,
    artifact: &Artifact,
    config: &Config,
) -> Result<Option<Unsupported>, AttestError> {
    let missing = |setting: String, value: &str, remedy| Unsupported {
        setting,
        value: value.to_owned(),
        remedy,
    };
    if artifact.signer != SignerKind::X509 {
        let setting = format!("artifacts.{kind}.signer");
        let remedy = "set it to x509, or to none";
        return Err(AttestError::NoSigner(missing(
            setting,
            artifact.signer.as_str(),
            remedy,
        )));
    }
    if config.x509.fulcio_enabled {
        let setting = "signers.x509.fulcio.enabled".to_owned();
        let remedy = "set it to false and give a key";
        return Err(AttestError::NoSigner(missing(setting, "true", remedy)));
    }
    if config.transparency.mode == TransparencyMode::Always {
        let remedy = "set it to false";
        return Ok(Some(missing(
            "transparency.enabled".to_owned(),
            "true",
            remedy,
        )));
    }
    let other = artifact
        .storage
        .iter()
        .find(|store| **store != StoreKind::Tekton);
    Ok(other.map(|store| {
        let setting = format!("artifacts.{kind}.storage");
        missing(
            setting,
            store.as_str(),
            "set it to tekton, or to the empty string",
        )
    }))
}

fn sign(signer: &Signer, short_key: String, payload: Payload) -> Result<Signed, AttestError> {
    let enveloped = payload.format.is_statement();
    let signature = if enveloped {
        let envelope = dsse::sign(signer.key(), IN_TOTO, &payload.bytes);
        envelope.map_err(AttestError::Sign)?.to_json().into_bytes()
    } else {
        signer
            .key()
            .sign(&payload.bytes)
            .map_err(AttestError::Sign)?
    };
    Ok(Signed {
        short_key,
        payload: payload.bytes,
        signature,
        enveloped,
    })
}
