//! The configuration as one typed value.

use std::collections::BTreeSet;
use std::time::Duration;

use super::kinds::{
    BuildType, Encoding, LogNeed, LogVersion, PubsubProvider, SignerKind, StoreKind,
    TransparencyMode,
};
use super::redact::{Endpoint, Token};
use super::shared::SharedCredentials;
use crate::format::Format;
use crate::key::PublicKey;
use crate::network::{Network, TokenServices};
use crate::run::Kind;
use crate::trusted_root::TimeAuthority;

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
    /// How long a deleted run that cannot be signed keeps its finalizer; set in `windlass-config`.
    pub finalizer_grace: Duration,
}

/// The grace of a deleted run unless the settings say otherwise.
pub const FINALIZER_GRACE: Duration = Duration::from_secs(600);

impl Config {
    /// What happens to runs of a kind.
    pub fn policy(&self, kind: Kind) -> &ArtifactPolicy {
        match kind {
            Kind::Task => &self.taskrun,
            Kind::Pipeline => &self.pipelinerun,
        }
    }

    /// Whether anything is signed with the key of the secret.
    pub fn needs_secret(&self) -> bool {
        self.signs_with(SignerKind::X509) && !self.x509.fulcio_enabled
    }

    /// Whether anything is signed with certificates.
    pub fn is_keyless(&self) -> bool {
        self.signs_with(SignerKind::X509) && self.x509.fulcio_enabled
    }

    /// Whether anything that is enabled is signed by this signer.
    pub fn signs_with(&self, signer: SignerKind) -> bool {
        let policies = [&self.taskrun, &self.pipelinerun, &self.oci];
        let mut enabled = policies.into_iter().filter(|policy| policy.is_enabled());
        enabled.any(|policy| policy.signer == signer)
    }
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

/// Settings of the stores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the key of the same name")]
pub struct Storage {
    pub gcs_bucket: String,
    pub oci_repository: String,
    pub oci_insecure: bool,
    pub oci_encoding: Encoding,
    /// `registries.shared-credentials` of `windlass-config`; none if the key is absent.
    pub shared_credentials: Option<SharedCredentials>,
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
    /// `network.allow` and `network.deny`, set in `windlass-config`.
    pub network: Network,
    /// `registries.token-services`, set in `windlass-config`.
    pub token_services: TokenServices,
}

/// Settings of the signer `x509`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the key of the same name")]
pub struct X509 {
    pub fulcio_enabled: bool,
    pub fulcio_address: Endpoint,
    /// The issuer that tokens have to have; none if the key is absent.
    pub fulcio_issuer: Option<String>,
    pub fulcio_provider: String,
    pub identity_token_file: String,
    pub tuf_mirror_url: Endpoint,
    /// `signers.x509.fulcio.root` of `windlass-config`: PEM of the roots of the authority.
    pub fulcio_root: String,
    /// `signers.x509.fulcio.ctlog-key` of `windlass-config`: PEM of the public keys of the logs.
    pub fulcio_ctlog_key: String,
    /// `signers.x509.identity.audience` of `windlass-config`: for whom tokens are asked.
    pub identity_audience: String,
    /// `signers.x509.identity.service-account` of `windlass-config`: whose token is asked of the
    /// cluster.
    pub identity_service_account: String,
}

/// Where a trusted root is to be had from by The Update Framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TufOrigin {
    /// `signers.x509.tuf.mirror.url`.
    pub mirror: Endpoint,
    /// The pinned root of its metadata, JSON; none for the one of the public instance.
    pub root: Option<String>,
}

/// Settings of the signer `kms`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// What becomes of an artifact without an entry, set in `windlass-config`.
    pub need: LogNeed,
    /// The public key of the log, set in `windlass-config`. Without one a log of version 1 is asked for
    /// it; of version 2 there is always one.
    pub public_key: Option<PublicKey>,
    /// Which interface the log has, set in `windlass-config`.
    pub version: LogVersion,
    /// What a log of version 2 calls itself in its checkpoints, set in `windlass-config`; empty for the
    /// host of its address.
    pub origin: String,
    /// Who tells when something was signed, if anybody does.
    pub timestamps: Option<Timestamps>,
}

/// A timestamp authority (RFC 3161), set in `windlass-config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamps {
    /// The address that requests are sent to.
    pub url: Endpoint,
    /// One of these signs what it gives.
    pub authorities: Vec<TimeAuthority>,
}
