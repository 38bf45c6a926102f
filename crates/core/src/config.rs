//! The configuration: `chains-config`, read into one typed value.
//!
//! Keys, allowed values and defaults follow section 2 of the behaviour reference. Where the
//! reference stops at the first bad value without naming its key, here all of them are reported
//! at once; where it ignores something silently, here is a [`Warning`]. Settings of windlass's own
//! live in a second `ConfigMap`, `windlass-config`, because an operator that owns `chains-config`
//! may refuse keys that it does not know.

use std::collections::{BTreeMap, BTreeSet};

pub use self::redact::{Endpoint, Token};
use crate::format::Format;

mod reader;
mod redact;
mod suggest;

#[cfg(test)]
mod tests;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What happens to task runs.
    pub taskrun: ArtifactPolicy,
    /// What happens to pipeline runs.
    pub pipelinerun: ArtifactPolicy,
    /// Whether a pipeline run's payload looks into its task runs.
    pub deep_inspection: bool,
    /// What happens to images.
    pub oci: ArtifactPolicy,
    /// Whether the manifests that an index lists are signed too; set in `windlass-config`.
    pub oci_recursive: bool,
    /// Settings of the stores.
    pub storage: Storage,
    /// Settings of the signer `x509`.
    pub x509: X509,
    /// Settings of the signer `kms`.
    pub kms: Kms,
    /// `builder.id` of provenance.
    pub builder_id: String,
    /// `buildType` of SLSA v1.0 provenance.
    pub build_type: BuildType,
    /// The transparency log.
    pub transparency: Transparency,
    /// Further values of `spec.managedBy` whose runs are signed.
    pub managed_by: BTreeSet<String>,
}

/// What happens to one kind of artifact: how it is described, who signs it, where that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactPolicy {
    /// Format of the payload.
    pub format: Format,
    /// Where payload and signature are kept; empty means that the artifact is disabled.
    pub storage: BTreeSet<StoreKind>,
    /// Who signs; `none` means that the artifact is disabled.
    pub signer: SignerKind,
}

impl ArtifactPolicy {
    /// Neither the signer nor the storage is switched off.
    pub fn is_enabled(&self) -> bool {
        self.signer != SignerKind::None && !self.storage.is_empty()
    }
}

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
    /// Annotations of the run.
    Tekton,
}

impl StoreKind {
    const NAMES: [(&'static str, Self); 7] = [
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
}

/// A signer, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignerKind {
    /// A key file, or keyless with Fulcio.
    X509,
    /// A key management service.
    Kms,
    /// Nobody: the artifact is disabled.
    None,
}

impl SignerKind {
    const NAMES: [(&'static str, Self); 3] = [
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
    /// Each of these, for clients of either kind. Not known to the reference.
    Both,
}

impl Encoding {
    const NAMES: [(&'static str, Self); 3] = [
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
    const NAMES: [(&'static str, Self); 2] = [
        ("https://tekton.dev/chains/v2/slsa", Self::Slsa),
        ("https://tekton.dev/chains/v2/slsa-tekton", Self::SlsaTekton),
    ];

    /// The URI that stands in the payload.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }
}

/// Settings of the stores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the key of the same name")]
pub struct Storage {
    pub gcs_bucket: String,
    pub oci_repository: String,
    pub oci_insecure: bool,
    pub oci_encoding: Encoding,
    pub docdb_url: Endpoint,
    pub docdb_mongo_server_url: Endpoint,
    pub docdb_mongo_server_url_dir: String,
    pub docdb_mongo_server_url_path: String,
    pub grafeas_project_id: String,
    pub grafeas_note_id: String,
    pub grafeas_note_hint: String,
    pub archivista_url: Endpoint,
    pub pubsub_provider: Option<PubsubProvider>,
    pub pubsub_topic: String,
    pub pubsub_kafka_bootstrap_servers: Endpoint,
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
    const NAMES: [(&'static str, Self); 2] = [("inmemory", Self::InMemory), ("kafka", Self::Kafka)];
}

/// Settings of the signer `x509`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the key of the same name")]
pub struct X509 {
    pub fulcio_enabled: bool,
    pub fulcio_address: Endpoint,
    pub fulcio_issuer: String,
    pub fulcio_provider: String,
    pub identity_token_file: String,
    pub tuf_mirror_url: Endpoint,
}

/// Settings of the signer `kms`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the key of the same name")]
pub struct Kms {
    pub kmsref: String,
    pub auth_address: Endpoint,
    pub auth_token: Token,
    pub auth_token_path: String,
    pub auth_oidc_path: String,
    pub auth_oidc_role: String,
    pub auth_oidc_token_path: String,
    pub auth_spire_sock: String,
    pub auth_spire_audience: String,
}

/// The transparency log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transparency {
    /// When entries are made.
    pub mode: TransparencyMode,
    /// Address of the log.
    pub url: Endpoint,
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

/// A configuration, and what its reader should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// What was accepted but probably not meant.
    pub warnings: Vec<Warning>,
}

/// Something that was accepted but probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The key.
    pub key: String,
    /// What it means, and what was perhaps meant.
    pub message: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// Where the reference's settings are.
const CHAINS: &str = "chains-config";
/// Where settings of windlass's own are.
const OWN: &str = "windlass-config";

/// One value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{key}: {value} is not allowed; use {}", place(config_map), allowed.join(", "))]
pub struct Problem {
    /// `chains-config` or `windlass-config`.
    pub config_map: &'static str,
    /// The key.
    pub key: String,
    /// The value, quoted and shortened, or `[redacted]`.
    pub value: String,
    /// What is allowed instead.
    pub allowed: Vec<&'static str>,
}

/// Every value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has {} bad value(s): {}", problems.len(), list(problems))]
pub struct ConfigError {
    /// The problems, in the order in which the keys are documented.
    pub problems: Vec<Problem>,
}

/// Where a key is, if it is not where all others are.
fn place(config_map: &str) -> &'static str {
    match config_map {
        OWN => "in windlass-config, ",
        _ => "",
    }
}

fn list(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn name_of<T: Copy + PartialEq>(names: &[(&'static str, T)], wanted: T) -> &'static str {
    names
        .iter()
        .find(|(_, value)| *value == wanted)
        .map_or("", |(name, _)| name)
}

impl Config {
    /// Reads the contents of `chains-config` and of `windlass-config`, either of which may be
    /// empty. Reports all bad values at once.
    pub fn parse(
        chains: &BTreeMap<String, String>,
        windlass: &BTreeMap<String, String>,
    ) -> Result<Parsed, ConfigError> {
        reader::parse(chains, windlass)
    }
}

impl Default for Config {
    fn default() -> Self {
        reader::default()
    }
}
