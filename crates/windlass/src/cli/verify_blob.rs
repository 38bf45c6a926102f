//! `verify-blob`: checks a detached signature over a file, with the flags of cosign.

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueHint;

use super::access::{duration, within};
use super::given;
use super::signer_flags::{LogRule, SignerFlags};
use super::verdict;
use crate::cluster::Connection;
use crate::input::Input;
use crate::inspect::verify::ExpectedSigner;
use crate::inspect::verify::blob::{self, BlobContent};

/// Verify a signature over a file
///
/// Exit status: 0 verified (prints "Verified OK"), 1 not verified, 2 could not be checked.
///
/// A bundle needs an entry in a transparency log, unless --insecure-ignore-tlog is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-blob --key k8s://openshift-pipelines/signing-secrets \\
      --signature ./signature ./payload
  windlass verify-blob --key cosign.pub --signature signature -   < payload
  windlass verify-blob --bundle app.sigstore.json --trusted-root trusted_root.json \\
      --certificate-identity me@example.com \\
      --certificate-oidc-issuer https://accounts.google.com app.tar")]
pub(crate) struct VerifyBlob {
    /// Signature: a file, `-` for standard input, https://..., env://<variable>, or the base64 text itself
    #[arg(long, value_name = "FILE", required_unless_present = "bundle")]
    signature: Option<String>,
    /// Bundle with the signature, its certificate, log entry and timestamp: a file, or `-` for standard
    /// input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "signature")]
    bundle: Option<Input>,
    #[command(flatten)]
    signer: SignerFlags,
    /// How long it may take altogether, such as 30s or 5m
    #[arg(short, long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
    /// The signed file, or `-` for standard input; with --bundle also its digest, sha256:HEX
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    blob: Input,
}

impl VerifyBlob {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let from_stdin =
            self.signature.as_deref() == Some("-") || self.bundle == Some(Input::Stdin);
        anyhow::ensure!(
            !from_stdin || self.blob != Input::Stdin,
            "the signature and the file cannot both come from standard input"
        );
        let finding = match &self.bundle {
            Some(bundle) => self.check_bundle(bundle, connection).await?,
            None => self.check_signature(connection).await?,
        };
        let findings: Vec<String> = finding.err().into_iter().collect();
        Ok(verdict::report(&findings))
    }

    async fn check_bundle(
        &self,
        bundle: &Input,
        connection: &Connection,
    ) -> anyhow::Result<Result<(), String>> {
        let bundle = verdict::read_bundle(bundle)?;
        let content = match digest(&self.blob) {
            Some(digest) => BlobContent::Digest(digest),
            None => BlobContent::Bytes(verdict::read(&self.blob, "file")?),
        };
        let signer = self.signer.signer(LogRule::Usual, connection);
        let signer = within(self.timeout, signer).await?;
        Ok(blob::bundle(&signer, &bundle, &content))
    }

    async fn check_signature(&self, connection: &Connection) -> anyhow::Result<Result<(), String>> {
        let signature = given::signature(self.signature.as_deref().unwrap_or_default()).await?;
        let payload = verdict::read(&self.blob, "file")?;
        let signer = self.signer.signer(LogRule::IfRootIsGiven, connection);
        match within(self.timeout, signer).await? {
            ExpectedSigner::Key(key, None) => Ok(blob::signature(&key, &payload, &signature)),
            _ => anyhow::bail!(
                "a signature by itself has no certificate and no log entry; give a bundle with --bundle"
            ),
        }
    }
}

/// The digest that is given in place of a file.
fn digest(typed: &Input) -> Option<[u8; 32]> {
    let Input::File(path) = typed else {
        return None;
    };
    let digest = path.to_str()?.strip_prefix("sha256:")?;
    blob::sha256_of_hex(digest).filter(|_| !path.exists())
}
