//! Payloads: the bytes that are signed, made from one artifact of a run.
//!
//! What goes where: docs/behaviour.md, "Payloads" and "JSON".

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::config::Config;
use crate::extract::Breadth;
use crate::format::{Format, IMAGE_PREDICATE};
use crate::image::Image;
use crate::intoto::Subject;
use crate::run::Run;
use crate::warning::{Notes, Warning};

pub use self::error::PayloadError;
pub use self::simplesigning::ImageClaims;
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
            Format::SimpleSigning
            | Format::ImageStatement
            | Format::Statement
            | Format::Content => {
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
        Self::of_image_with(image, &ImageClaims::default())
    }

    /// The same, with what else somebody claims.
    pub fn of_image_with(image: &Image, claims: &ImageClaims) -> Self {
        Self::about(
            image,
            Format::SimpleSigning,
            simplesigning::bytes(image, claims),
        )
    }

    /// A payload about an image that was written elsewhere.
    pub fn about(image: &Image, format: Format, bytes: Vec<u8>) -> Self {
        Self {
            format,
            bytes,
            subjects: vec![Subject::new(image.repository(), "sha256", image.hex())],
            warnings: Vec::new(),
        }
    }

    /// A payload about something that is no image, which was written elsewhere.
    pub fn other(format: Format, bytes: Vec<u8>) -> Self {
        Self {
            format,
            bytes,
            subjects: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The payload for an image in the format [`Format::ImageStatement`]. It depends on the digest
    /// only.
    pub fn image_statement(image: &Image) -> Self {
        Self::image_statement_with(image, &BTreeMap::new())
    }

    /// The same, with annotations that somebody claims.
    pub fn image_statement_with(image: &Image, annotations: &BTreeMap<String, String>) -> Self {
        let annotations = simplesigning::texts(annotations).to_predicate();
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}},"annotations":{annotations}}}],"predicateType":"{IMAGE_PREDICATE}","predicate":{{}}}}"#,
            image.hex()
        );
        Self::about(image, Format::ImageStatement, text.into_bytes())
    }

    /// The predicate type of the statement; none if it is no statement, or names none.
    pub fn predicate_type(&self) -> Option<Cow<'static, str>> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Header {
            predicate_type: String,
        }
        match self.format {
            Format::Statement => {
                let header: Header = serde_json::from_slice(&self.bytes).ok()?;
                Some(header.predicate_type.into())
            }
            known => known.predicate_type().map(Cow::Borrowed),
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
