//! Payloads: the bytes that are signed, made from one artifact of a run.
//!
//! What goes where: docs/behaviour.md, "Payloads" and "JSON".

use crate::config::Config;
use crate::extract::Breadth;
use crate::format::{Format, IMAGE_PREDICATE};
use crate::image::Image;
use crate::intoto::Subject;
use crate::run::Run;
use crate::warning::{Notes, Warning};

pub use self::error::PayloadError;
pub(crate) use self::slsa_v1::PIPELINE_TASK;

mod error;
mod parts;
mod simplesigning;
mod slsa_v02;
mod slsa_v1;
mod tekton;
mod time;

#[cfg(test)]
mod tests;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payload {
    /// Format of the bytes.
    pub format: Format,
    /// The exact bytes that are signed.
    pub bytes: Vec<u8>,
    /// What the payload is about.
    pub subjects: Vec<Subject>,
    /// What could not be expressed and was left out, and what looks wrong.
    pub warnings: Vec<Warning>,
}

impl Payload {
    /// The payload for a run as a whole. Deterministic: the same run and configuration give the same
    /// bytes. What the format cannot express is left out, with a warning.
    ///
    /// ```
    /// use windlass_core::config::Config;
    /// use windlass_core::format::Format;
    /// use windlass_core::payload::Payload;
    /// use windlass_core::run::Run;
    ///
    /// let run = br#"{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"name":"build"}}"#;
    /// let payload = Payload::of_run(&Run::parse(run)?, &Config::default(), Format::SlsaV1)?;
    /// assert!(payload.bytes.starts_with(br#"{"_type":"https://in-toto.io/Statement/v0.1""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_run(run: &Run<'_>, config: &Config, format: Format) -> Result<Self, PayloadError> {
        let mut notes = Notes::default();
        let (subjects, bytes) = match format {
            Format::Tekton => (Vec::new(), tekton::bytes(run)?),
            Format::SlsaV1 => slsa_v02::statement(run, config, &mut notes)?,
            Format::SlsaV2Alpha3 => slsa_v1::statement(run, config, Breadth::AllHints, &mut notes)?,
            Format::SlsaV2Alpha4 => {
                slsa_v1::statement(run, config, Breadth::BuildArtifacts, &mut notes)?
            }
            Format::SimpleSigning | Format::ImageStatement => {
                let kind = run.kind();
                return Err(PayloadError::Unsuitable { format, kind });
            }
        };
        Ok(Self {
            format,
            bytes,
            subjects,
            warnings: notes.into_warnings(),
        })
    }

    /// The payload for an image, in the format `simplesigning`. It depends on the image only, so it
    /// is the same for every run that names it.
    pub fn of_image(image: &Image) -> Self {
        Self {
            format: Format::SimpleSigning,
            bytes: simplesigning::bytes(image),
            subjects: vec![Subject::new(image.repository(), "sha256", image.hex())],
            warnings: Vec::new(),
        }
    }

    /// The payload for an image in the format [`Format::ImageStatement`]. It depends on the digest
    /// only.
    pub fn image_statement(image: &Image) -> Self {
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}},"annotations":{{}}}}],"predicateType":"{IMAGE_PREDICATE}","predicate":{{}}}}"#,
            image.hex()
        );
        Self {
            format: Format::ImageStatement,
            bytes: text.into_bytes(),
            subjects: vec![Subject::new(image.repository(), "sha256", image.hex())],
            warnings: Vec::new(),
        }
    }

    /// The subjects as `NAME@ALGORITHM:HEX`, one for each digest.
    pub fn artifact_uris(&self) -> Vec<String> {
        let uris = self.subjects.iter().flat_map(|subject| {
            let digests = subject.digest.iter();
            digests.map(|(algorithm, hex)| format!("{}@{algorithm}:{hex}", subject.name))
        });
        uris.collect()
    }
}
