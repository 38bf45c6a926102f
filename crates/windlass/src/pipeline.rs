//! The straight line from a finished run to what is recorded of it: extract → format → sign → store.
//!
//! Given the same run, configuration and key it gives the same bytes, so a pass that broke off can
//! be repeated. Nothing is written here; the record is one patch that the controller makes.

use std::collections::BTreeMap;

use windlass_core::config::{ArtifactPolicy, Config, SignerKind, StoreKind, TransparencyMode};
use windlass_core::dsse::{self, Envelope};
use windlass_core::extract;
use windlass_core::format::{Format, IMAGE_PREDICATE};
use windlass_core::image::Image;
use windlass_core::intoto::Subject;
use windlass_core::key::SignError;
use windlass_core::payload::{Payload, PayloadError};
pub(crate) use windlass_core::retry::Retry;
use windlass_core::run::Run;

use crate::sign::Signer;
use crate::store::oci::{self, Content, Upload};
use crate::store::run::{self as run_store, Annotations, Signed, TooLarge};

/// Media type of every statement.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Said of a run that is kept in registries only and names no image.
const NOTHING: &str =
    "nothing is stored: the run names no image to store it beside; add tekton to the storage";

/// What is to be recorded of a run.
#[derive(Debug)]
pub(crate) struct Record {
    /// Annotations that hold payloads and signatures.
    pub(crate) annotations: Annotations,
    /// What is to be stored beside images before the run is marked.
    pub(crate) uploads: Vec<Upload>,
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
    Format {
        format: Format,
        source: PayloadError,
    },
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
/// `listed` are images that those it built list, where these are signed too. `others` is the size in
/// bytes of the annotations that stay beside what is recorded.
pub(crate) fn attest(
    run: &Run<'_>,
    listed: &[Image],
    config: &Config,
    signer: &Signer,
    others: usize,
) -> Result<Record, AttestError> {
    let mut making = Making {
        run,
        config,
        signer,
        artifacts: Vec::new(),
        uploads: Vec::new(),
        warnings: Vec::new(),
        missing: None,
        signatures: 0,
    };
    making.attest_run()?;
    if let Run::Task(task) = run
        && config.oci.is_enabled()
    {
        let (mut images, doubts) = extract::images(task);
        making.warn(&doubts);
        for image in listed {
            if !images.contains(image) {
                images.push(image.clone());
            }
        }
        if config.oci.storage.contains(&StoreKind::Tekton) {
            making.warn(&clashes(&images));
        }
        for image in images {
            making.sign_image(&image)?;
        }
    }
    let (annotations, mut note) = run_store::annotations(&making.artifacts, others)?;
    if making.artifacts.is_empty() && making.uploads.is_empty() && making.missing.is_none() {
        note = Some(NOTHING.to_owned());
        making.warnings.push(NOTHING.to_owned());
    }
    Ok(Record {
        annotations,
        uploads: making.uploads,
        note,
        warnings: making.warnings,
        missing: making.missing,
        signatures: making.signatures,
    })
}

/// A record in the making.
struct Making<'a> {
    run: &'a Run<'a>,
    config: &'a Config,
    signer: &'a Signer,
    artifacts: Vec<Signed>,
    uploads: Vec<Upload>,
    warnings: Vec<String>,
    missing: Option<Unsupported>,
    signatures: u64,
}

impl Making<'_> {
    /// The run itself, if its kind is enabled.
    fn attest_run(&mut self) -> Result<(), AttestError> {
        let (kind, artifact) = artifact_config(self.run, self.config);
        if !artifact.is_enabled() {
            return Ok(());
        }
        self.requires(kind, artifact)?;
        let format = artifact.format;
        let payload = Payload::of_run(self.run, self.config, format)
            .map_err(|source| AttestError::Format { format, source })?;
        self.warn(&payload.warnings);
        let stores = Stores::of(artifact);
        if !stores.on_run && !stores.in_registry {
            return Ok(());
        }
        let mut payload = payload;
        let subjects = std::mem::take(&mut payload.subjects);
        let (artifact, envelope) = self.sign(self.run.short_key(), payload)?;
        if stores.in_registry {
            self.attach(format, envelope, &subjects);
        }
        if stores.on_run {
            self.artifacts.push(artifact);
        }
        Ok(())
    }

    /// Notes that a statement is to be stored beside each image it is about.
    fn attach(&mut self, format: Format, envelope: Option<Envelope>, subjects: &[Subject]) {
        let (Some(envelope), Some(predicate)) = (envelope, format.predicate_type()) else {
            self.warnings.push(format!(
                "nothing is stored in a registry: the format {format} names no subjects"
            ));
            return;
        };
        let encoding = self.config.storage.oci_encoding;
        let bundle = encoding
            .in_bundles()
            .then(|| self.bundle(envelope.clone(), predicate));
        let layer = encoding.in_tags().then_some(Content::Attestation(envelope));
        let contents: Vec<Content> = layer.into_iter().chain(bundle).collect();
        for subject in subjects {
            let sha256 = subject.digest.get("sha256").map_or("", String::as_str);
            match oci::image_of(&subject.name, sha256) {
                Ok(image) => self.upload(&image, &contents),
                Err(error) => self.warnings.push(format!(
                    "nothing is stored beside {:.200?}, which is no image: {error}",
                    subject.name
                )),
            }
        }
    }

    /// An image that the run built.
    fn sign_image(&mut self, image: &Image) -> Result<(), AttestError> {
        let artifact = &self.config.oci;
        self.requires("oci", artifact)?;
        let stores = Stores::of(artifact);
        let encoding = self.config.storage.oci_encoding;
        if stores.in_registry && encoding.in_bundles() {
            // the form that cosign 3 writes and verifies
            let envelope = self.envelope(&Payload::image_statement(image).bytes)?;
            let content = self.bundle(envelope, IMAGE_PREDICATE);
            self.upload(image, &[content]);
        }
        let in_tag = stores.in_registry && encoding.in_tags();
        if !in_tag && !stores.on_run {
            return Ok(());
        }
        let key = image.short_key().to_owned();
        let (artifact, _) = self.sign(key, Payload::of_image(image))?;
        if in_tag {
            let content = Content::Signature {
                payload: artifact.payload.clone(),
                signature: artifact.signature.clone(),
            };
            self.upload(image, &[content]);
        }
        if stores.on_run {
            self.artifacts.push(artifact);
        }
        Ok(())
    }

    fn requires(&mut self, kind: &str, artifact: &ArtifactPolicy) -> Result<(), AttestError> {
        let missing = unsupported(kind, artifact, self.config)?;
        self.missing = self.missing.take().or(missing);
        Ok(())
    }

    /// Signs a payload, within an envelope if it is a statement.
    fn sign(
        &mut self,
        short_key: String,
        payload: Payload,
    ) -> Result<(Signed, Option<Envelope>), AttestError> {
        let (signature, envelope) = if payload.format.is_statement() {
            let envelope = self.envelope(&payload.bytes)?;
            (envelope.to_json().into_bytes(), Some(envelope))
        } else {
            let signature = self.signer.key().sign(&payload.bytes);
            self.signatures += 1;
            (signature.map_err(AttestError::Sign)?, None)
        };
        let artifact = Signed {
            short_key,
            payload: payload.bytes,
            signature,
            enveloped: envelope.is_some(),
        };
        Ok((artifact, envelope))
    }

    fn envelope(&mut self, statement: &[u8]) -> Result<Envelope, AttestError> {
        self.signatures += 1;
        dsse::sign(self.signer.key(), IN_TOTO, statement).map_err(AttestError::Sign)
    }

    fn bundle(&self, envelope: Envelope, predicate_type: &str) -> Content {
        Content::Bundle {
            envelope,
            predicate_type: predicate_type.to_owned(),
            hint: self.signer.key().public_key().hint(),
        }
    }

    fn upload(&mut self, image: &Image, contents: &[Content]) {
        let created = self.run.completion_time();
        let uploads = contents.iter().map(|content| Upload {
            image: image.clone(),
            content: content.clone(),
            created,
        });
        self.uploads.extend(uploads);
    }

    fn warn(&mut self, warnings: &[impl ToString]) {
        self.warnings
            .extend(warnings.iter().map(ToString::to_string));
    }
}

/// Where an artifact goes, as far as there are stores.
struct Stores {
    on_run: bool,
    in_registry: bool,
}

impl Stores {
    fn of(artifact: &ArtifactPolicy) -> Self {
        Self {
            on_run: artifact.storage.contains(&StoreKind::Tekton),
            in_registry: artifact.storage.contains(&StoreKind::Oci),
        }
    }
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

fn artifact_config<'c>(run: &Run<'_>, config: &'c Config) -> (&'static str, &'c ArtifactPolicy) {
    match run {
        Run::Task(_) => ("taskrun", &config.taskrun),
        Run::Pipeline(..) => ("pipelinerun", &config.pipelinerun),
    }
}

/// What an enabled artifact asks for and does not get. A signer that does not exist is an error,
/// since nothing can be recorded without one.
fn unsupported(
    kind: &str,
    artifact: &ArtifactPolicy,
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
        .find(|store| !matches!(store, StoreKind::Tekton | StoreKind::Oci));
    Ok(other.map(|store| {
        let setting = format!("artifacts.{kind}.storage");
        missing(
            setting,
            store.as_str(),
            "set it to tekton, to oci, or to the empty string",
        )
    }))
}
