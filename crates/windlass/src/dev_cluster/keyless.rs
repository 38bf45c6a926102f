//! A Sigstore for the built-in cluster, whose controller then signs without a key.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use windlass_sandbox::fulcio::Subject;
use windlass_sandbox::sigstore::{Sigstore, StartError};

/// The account of the controller, whom certificates name.
const ACCOUNT: &str = "tekton-chains-controller";
/// How long the identity token is valid: a cluster is not left running for longer.
const LIFETIME: Duration = Duration::from_secs(60 * 60 * 24 * 90);

/// The version of the transparency log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogVersion {
    /// The first one, whose entries every cosign reads
    V1,
    /// The second one, whose entries tell no time and come with a timestamp
    #[default]
    V2,
}

/// Servers on loopback, and a folder with the trusted root and the identity token, which is removed when
/// this is dropped.
#[derive(Debug)]
pub struct Keyless {
    /// The servers.
    pub sigstore: Sigstore,
    version: LogVersion,
    subject: Subject,
    namespace: String,
    folder: TempDir,
}

/// Why there is no Sigstore.
#[derive(Debug, thiserror::Error)]
pub enum KeylessError {
    /// A server did not start.
    #[error("cannot start the servers of Sigstore")]
    Start(#[from] StartError),
    /// The folder could not be made, or a file in it.
    #[error("cannot write the trusted root and the identity token to a scratch folder")]
    Write(#[from] std::io::Error),
}

impl Keyless {
    /// Starts the servers, for the controller of a namespace.
    pub async fn start(namespace: &str, version: LogVersion) -> Result<Self, KeylessError> {
        let sigstore = Sigstore::start().await?;
        // for its owner only, as the token is
        let folder = tempfile::Builder::new()
            .prefix("windlass-sigstore-")
            .tempdir()?;
        let keyless = Self {
            sigstore,
            version,
            subject: Subject {
                subject: format!("system:serviceaccount:{namespace}:{ACCOUNT}"),
                lifetime: LIFETIME,
                ..Subject::default()
            },
            namespace: namespace.to_owned(),
            folder,
        };
        let token = keyless.sigstore.fulcio.issue(&keyless.subject);
        std::fs::write(keyless.token(), token)?;
        let root = format!("{:#}\n", keyless.sigstore.trusted_root());
        std::fs::write(keyless.trusted_root(), root)?;
        std::fs::write(keyless.mirror_root(), keyless.sigstore.mirror.root())?;
        Ok(keyless)
    }

    /// The file with the trusted root.
    pub fn trusted_root(&self) -> PathBuf {
        self.folder.path().join("trusted_root.json")
    }

    /// The file with the root of the mirror's metadata.
    pub fn mirror_root(&self) -> PathBuf {
        self.folder.path().join("root.json")
    }

    fn token(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    /// Whom the certificates name.
    pub fn identity(&self) -> String {
        let namespace = &self.namespace;
        format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{ACCOUNT}")
    }

    /// Who identified them.
    pub fn issuer(&self) -> &str {
        &self.subject.issuer
    }

    /// The flags of verbs that verify, with this name for the file of the trusted root.
    pub fn flags(&self, root: &Path) -> String {
        format!(
            "--trusted-root {} --certificate-identity {} --certificate-oidc-issuer {}",
            root.display(),
            self.identity(),
            self.issuer()
        )
    }

    /// What `chains-config` needs for it, and where runs are stored: on themselves, in a format whose
    /// entries this version of the log vouches for.
    pub fn chains_config(&self) -> Value {
        // an entry of the first version vouches for no statement without a subject
        let format = match self.version {
            LogVersion::V1 => "tekton",
            LogVersion::V2 => "slsa/v1",
        };
        json!({
            "artifacts.oci.storage": "",
            "artifacts.pipelinerun.format": "slsa/v1",
            "artifacts.pipelinerun.storage": "tekton",
            "artifacts.taskrun.format": format,
            "artifacts.taskrun.storage": "tekton",
            "signers.x509.fulcio.address": self.sigstore.fulcio.url(),
            "signers.x509.fulcio.enabled": "true",
            "signers.x509.identity.token.file": self.token(),
            "transparency.enabled": "true",
            "transparency.url": self.sigstore.log.url(),
        })
    }

    /// `windlass-config` for it: whom the controller believes.
    pub fn windlass_config(&self) -> Value {
        let Sigstore { log, times, .. } = &self.sigstore;
        let root = self.sigstore.trusted_root();
        let mut data = json!({ "trusted_root.json": root.to_string() });
        if self.version == LogVersion::V1 {
            // its trusted root has the log by the name that it has in checkpoints only
            data["transparency.public-key"] = json!(log.public_key());
        } else {
            data["transparency.version"] = json!("2");
            data["transparency.origin"] = json!(log.origin());
            data["transparency.timestamp-url"] = json!(times.url());
        }
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "windlass-config", "namespace": self.namespace },
            "data": data,
        })
    }

    /// Stops the servers, and waits for that.
    pub async fn shutdown(self) {
        self.sigstore.shutdown().await;
    }
}
