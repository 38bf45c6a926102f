//! A format turns one artifact of a run into a payload: the bytes that are signed.
//!
//! Sections 4 and B of the behaviour reference say what goes where.

use crate::config::Config;
use crate::image::Image;
use crate::intoto::Subject;
use crate::run::{Kind, Run};
use crate::warning::Warning;

mod after;
mod byproducts;
mod simplesigning;
mod slsa_v02;
mod slsa_v02_pipeline;
mod slsa_v1;
mod slsa_v1_dependencies;
mod tekton;
mod time;

#[cfg(test)]
mod tests;

/// How an artifact is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// The run's `status`, signed without an envelope.
    Tekton,
    /// In-toto statement v0.1 with SLSA provenance v0.2.
    SlsaV1,
    /// In-toto statement v1 with SLSA provenance v1, all hinted artifacts as subjects.
    SlsaV2Alpha3,
    /// In-toto statement v1 with SLSA provenance v1, images and build artifacts as subjects.
    SlsaV2Alpha4,
    /// The identity and digest of one image, signed without an envelope.
    SimpleSigning,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [
        Self::Tekton,
        Self::SlsaV1,
        Self::SlsaV2Alpha3,
        Self::SlsaV2Alpha4,
        Self::SimpleSigning,
    ];

    /// Names of the formats for runs, with those that say what they give.
    pub(crate) const OF_RUNS: [(&'static str, Self); 7] = [
        ("in-toto", Self::SlsaV1),
        ("slsa/v1", Self::SlsaV1),
        ("slsa/v2alpha3", Self::SlsaV2Alpha3),
        ("slsa/v2alpha4", Self::SlsaV2Alpha4),
        ("tekton", Self::Tekton),
        ("slsa-provenance/v0.2", Self::SlsaV1),
        ("slsa-provenance/v1", Self::SlsaV2Alpha4),
    ];

    /// The name under which it is configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tekton => "tekton",
            Self::SlsaV1 => "slsa/v1",
            Self::SlsaV2Alpha3 => "slsa/v2alpha3",
            Self::SlsaV2Alpha4 => "slsa/v2alpha4",
            Self::SimpleSigning => "simplesigning",
        }
    }

    /// Whether its payload is an in-toto statement, which is signed inside a DSSE envelope.
    pub fn is_statement(self) -> bool {
        self.predicate_type().is_some()
    }

    /// The predicate type of its statement; none if it is no statement.
    pub fn predicate_type(self) -> Option<&'static str> {
        match self {
            Self::SlsaV1 => Some(slsa_v02::PREDICATE),
            Self::SlsaV2Alpha3 | Self::SlsaV2Alpha4 => Some(slsa_v1::PREDICATE),
            Self::Tekton | Self::SimpleSigning => None,
        }
    }
}

/// A name that is not that of a format for runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format; use {}", Format::OF_RUNS.map(|(name, _)| name).join(", "))]
pub struct UnknownFormat;

impl std::str::FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::OF_RUNS.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or(UnknownFormat)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

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

/// Why a run has no payload. None of these goes away by trying again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The format describes something else.
    #[error("the format {format} cannot describe a {kind}")]
    Unsuitable {
        /// The format.
        format: Format,
        /// Kind of the run.
        kind: Kind,
    },
    /// A part that is copied into the payload cannot be read.
    #[error("cannot copy {part} of the run into a payload")]
    Copy {
        /// Where it is in the run.
        part: &'static str,
        /// What is wrong with it.
        #[source]
        source: crate::json::JsonError,
    },
}

/// The payload for a run as a whole. Deterministic: the same run and configuration give the same
/// bytes. What the format cannot express is left out, with a warning.
pub fn payload(run: &Run<'_>, config: &Config, format: Format) -> Result<Payload, FormatError> {
    match format {
        Format::Tekton => tekton::payload(run),
        Format::SlsaV1 => slsa_v02::payload(run, config),
        Format::SlsaV2Alpha3 | Format::SlsaV2Alpha4 => slsa_v1::payload(run, config, format),
        Format::SimpleSigning => Err(FormatError::Unsuitable {
            format,
            kind: run.kind(),
        }),
    }
}

/// The payload for an image, in the format `simplesigning`. It depends on the image only, so it is
/// the same for every run that names it.
pub fn image_payload(image: &Image) -> Payload {
    simplesigning::payload(image)
}

/// Predicate type of [`image_statement`].
pub const IMAGE_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A statement that says no more than that the image is signed: the form in which cosign 3 writes
/// and verifies signatures of images in bundles.
pub fn image_statement(image: &Image) -> Vec<u8> {
    let text = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}},"annotations":{{}}}}],"predicateType":"{IMAGE_PREDICATE}","predicate":{{}}}}"#,
        image.hex()
    );
    text.into_bytes()
}

impl Payload {
    /// The subjects as `NAME@ALGORITHM:HEX`, one for each digest.
    pub fn artifact_uris(&self) -> Vec<String> {
        let uris = self.subjects.iter().flat_map(|subject| {
            let digests = subject.digest.iter();
            digests.map(|(algorithm, hex)| format!("{}@{algorithm}:{hex}", subject.name))
        });
        uris.collect()
    }
}
