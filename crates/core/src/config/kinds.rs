//! The words of the configuration: stores, signers and whatever else is one of a few names.

/// A store, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKind {
    /// In-toto attestations sent to an Archivista server.
    Archivista,
    /// A document database.
    Docdb,
    /// A Google Cloud Storage bucket.
    Gcs,
    /// Google Container Analysis.
    Grafeas,
    /// A Kafka topic.
    Kafka,
    /// The image's registry.
    Oci,
    /// Annotations of the run. The last kind, by which those with a name are counted.
    Tekton,
}

impl StoreKind {
    /// A kind without a name does not compile.
    pub(super) const NAMES: [(&'static str, Self); Self::Tekton as usize + 1] = [
        ("tekton", Self::Tekton),
        ("oci", Self::Oci),
        ("gcs", Self::Gcs),
        ("docdb", Self::Docdb),
        ("grafeas", Self::Grafeas),
        ("kafka", Self::Kafka),
        ("archivista", Self::Archivista),
    ];

    /// Name in the configuration.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// Whether windlass stores there; the others are names that Chains knows, for which runs wait.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Oci | Self::Tekton => true,
            Self::Archivista | Self::Docdb | Self::Gcs | Self::Grafeas | Self::Kafka => false,
        }
    }
}

/// A signer, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignerKind {
    /// A key file, or keyless with Fulcio.
    X509,
    /// A key management service.
    Kms,
    /// Nobody: the artifact is disabled. The last kind, by which those with a name are counted.
    None,
}

impl SignerKind {
    /// A kind without a name does not compile.
    pub(super) const NAMES: [(&'static str, Self); Self::None as usize + 1] = [
        ("x509", Self::X509),
        ("kms", Self::Kms),
        ("none", Self::None),
    ];

    /// Name in the configuration.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }
}

/// How signatures are laid out in a registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Tags `.sig` and `.att`.
    #[default]
    Dsse,
    /// Sigstore bundles as referrers.
    SigstoreBundle,
    /// Each of these, for clients of either kind. Not known to Chains.
    Both,
}

impl Encoding {
    pub(super) const NAMES: [(&'static str, Self); 3] = [
        ("dsse", Self::Dsse),
        ("sigstore-bundle", Self::SigstoreBundle),
        ("both", Self::Both),
    ];

    /// Whether things are stored under tags.
    pub fn in_tags(self) -> bool {
        matches!(self, Self::Dsse | Self::Both)
    }

    /// Whether things are stored as bundles.
    pub fn in_bundles(self) -> bool {
        matches!(self, Self::SigstoreBundle | Self::Both)
    }
}

/// `buildType` of SLSA v1.0 provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildType {
    /// Plain.
    Slsa,
    /// With Tekton's own details: labels, annotations and whole child task runs.
    SlsaTekton,
}

impl BuildType {
    pub(super) const NAMES: [(&'static str, Self); 2] = [
        ("https://tekton.dev/chains/v2/slsa", Self::Slsa),
        ("https://tekton.dev/chains/v2/slsa-tekton", Self::SlsaTekton),
    ];

    /// The URI that stands in the payload.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The build type with this URI.
    pub(crate) fn from_uri(uri: &str) -> Option<Self> {
        let mut names = Self::NAMES.into_iter();
        names.find_map(|(name, value)| (name == uri).then_some(value))
    }
}

/// A message queue, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PubsubProvider {
    /// Within the process; for tests.
    InMemory,
    /// Kafka.
    Kafka,
}

impl PubsubProvider {
    pub(super) const NAMES: [(&'static str, Self); 2] =
        [("inmemory", Self::InMemory), ("kafka", Self::Kafka)];
}

/// When entries are made in the transparency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransparencyMode {
    /// Never.
    Off,
    /// For every signature.
    Always,
    /// For runs that ask for it with the annotation `chains.tekton.dev/transparency-upload`.
    Manual,
}

/// What becomes of an artifact that has no entry in the transparency log yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogNeed {
    /// It waits: nothing but the run itself has it, and the run is not marked. As in Chains.
    #[default]
    Required,
    /// It is stored, and the run is marked, without an entry.
    BestEffort,
    /// It is stored. The run is marked once the entry is made and added to what is stored.
    Deferred,
}

impl LogNeed {
    pub(super) const NAMES: [(&'static str, Self); 3] = [
        ("required", Self::Required),
        ("best-effort", Self::BestEffort),
        ("deferred", Self::Deferred),
    ];
}

/// Which interface a transparency log has: the `majorApiVersion` of a Sigstore signing config.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogVersion {
    /// Rekor 1: entries of several kinds, with a time and a promise of the log.
    #[default]
    One,
    /// Rekor 2: entries of hashes, without a time.
    Two,
}

impl LogVersion {
    pub(super) const NAMES: [(&'static str, Self); 2] = [("1", Self::One), ("2", Self::Two)];
}

fn name_of<T: Copy + PartialEq>(names: &[(&'static str, T)], wanted: T) -> &'static str {
    names
        .iter()
        .find(|(_, value)| *value == wanted)
        .map_or("", |(name, _)| name)
}
