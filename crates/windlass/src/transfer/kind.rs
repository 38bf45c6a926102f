//! Which parts of a signed image are meant: what tags attach to it, and the platforms of an index.

use std::str::FromStr;

use windlass_registry::manifest::Descriptor;

/// Which parts of a signed image are meant.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// What tags attach.
    pub(crate) attachments: Vec<Attachment>,
    /// The rest: the image itself and its referrers, or nothing but attachments.
    pub(crate) scope: Scope,
    /// The one image of an index that is meant.
    pub(crate) platform: Option<Platform>,
}

/// Whether the image itself is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Whole,
    AttachmentsOnly,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            attachments: Attachment::ALL.to_vec(),
            scope: Scope::Whole,
            platform: None,
        }
    }
}

/// What a tag attaches to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Attachment {
    /// Signatures.
    #[value(name = "sig")]
    Signatures,
    /// Attestations.
    #[value(name = "att")]
    Attestations,
    /// A software bill of materials.
    #[value(name = "sbom")]
    Sbom,
}

impl Attachment {
    pub(crate) const ALL: [Self; 3] = [Self::Signatures, Self::Attestations, Self::Sbom];

    /// The end of its tag.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Signatures => ".sig",
            Self::Attestations => ".att",
            Self::Sbom => ".sbom",
        }
    }
}

/// The platform of an image: `linux/amd64`, `linux/arm/v7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err("expected OS/ARCHITECTURE, such as linux/amd64".to_owned()),
        };
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        })
    }
}

impl Platform {
    /// The platform that an index states of a manifest, if it states one.
    pub(super) fn of(listed: &Descriptor) -> Option<Self> {
        let stated = listed.rest.get("platform")?;
        let text = |name: &str| stated.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            os: text("os")?,
            architecture: text("architecture")?,
            variant: text("variant"),
        })
    }

    /// Whether an image for this platform is what was asked for.
    pub(super) fn is_met_by(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && (self.variant.is_none() || self.variant == other.variant)
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant
            .as_ref()
            .map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}
