//! The names of formats. A format says how one artifact of a run is described; the bytes are made in
//! [`payload`](crate::payload).

/// Predicate type of SLSA provenance v0.2.
pub const SLSA_V02: &str = "https://slsa.dev/provenance/v0.2";
/// Predicate type of SLSA provenance v1.
pub const SLSA_V1: &str = "https://slsa.dev/provenance/v1";
/// Predicate type of a statement that says no more than that an image is signed.
pub const IMAGE_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

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
    /// A statement that says no more than that an image is signed: the form in which cosign 3 writes
    /// and verifies signatures of images in bundles. It cannot be configured.
    ImageStatement,
    /// A statement that somebody else has written. It cannot be configured.
    Statement,
    /// Any content, signed as it is. It cannot be configured.
    Content,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 8] = [
        Self::Tekton,
        Self::SlsaV1,
        Self::SlsaV2Alpha3,
        Self::SlsaV2Alpha4,
        Self::SimpleSigning,
        Self::ImageStatement,
        Self::Statement,
        Self::Content,
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

    /// Its name: the one under which it is configured, if it can be.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tekton => "tekton",
            Self::SlsaV1 => "slsa/v1",
            Self::SlsaV2Alpha3 => "slsa/v2alpha3",
            Self::SlsaV2Alpha4 => "slsa/v2alpha4",
            Self::SimpleSigning => "simplesigning",
            Self::ImageStatement => "cosign/sign/v1",
            Self::Statement => "statement",
            Self::Content => "content",
        }
    }

    /// Whether its payload is an in-toto statement, which is signed inside a DSSE envelope.
    pub fn is_statement(self) -> bool {
        match self {
            Self::SlsaV1
            | Self::SlsaV2Alpha3
            | Self::SlsaV2Alpha4
            | Self::ImageStatement
            | Self::Statement => true,
            Self::Tekton | Self::SimpleSigning | Self::Content => false,
        }
    }

    /// The predicate type of its statement; none if it is no statement, or one of any type.
    pub fn predicate_type(self) -> Option<&'static str> {
        match self {
            Self::SlsaV1 => Some(SLSA_V02),
            Self::SlsaV2Alpha3 | Self::SlsaV2Alpha4 => Some(SLSA_V1),
            Self::ImageStatement => Some(IMAGE_PREDICATE),
            Self::Tekton | Self::SimpleSigning | Self::Statement | Self::Content => None,
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
