//! `sign-blob`: signs a file, with the flags of cosign.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key;
use super::output;
use super::verdict;
use crate::cluster::Connection;
use crate::inspect::input::Input;
use crate::local_file;
use crate::sign::reference::KeyRef;

/// Sign a file
///
/// Prints the signature in base64, in the form that `cosign verify-blob` expects.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass sign-blob --key cosign.key payload > signature
  windlass sign-blob --key k8s://tekton-chains/signing-secrets --output-signature signature payload
  VAULT_ADDR=https://vault:8200 windlass sign-blob --key hashivault://release payload")]
pub(crate) struct SignBlob {
    /// Private key: a file, k8s://<namespace>/<secret>, env://<variable> or hashivault://<key>
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// Write the signature to this file instead of standard output
    #[arg(long, alias = "output", value_name = "FILE")]
    output_signature: Option<PathBuf>,
    /// Whether the signature is written in base64
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    b64: bool,
    /// Accepted for compatibility: nothing is sent to a transparency log
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    tlog_upload: Option<bool>,
    /// The file to sign, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    blob: Input,
}

impl SignBlob {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            key,
            output_signature,
            b64,
            tlog_upload,
            blob,
        } = self;
        anyhow::ensure!(
            tlog_upload != Some(true),
            "uploading to a transparency log is not supported yet; leave --tlog-upload out"
        );
        // the key first: its password may be piped in
        let piped_twice = blob == Input::Stdin && key::needs_input(&key);
        anyhow::ensure!(
            !piped_twice,
            "the file is read from standard input, so the password cannot be; set COSIGN_PASSWORD"
        );
        let signer = key::detached_signer(&key, connection).await?;
        let payload = verdict::read(&blob, "file")?;
        let signature = signer.sign(&payload).await?.bytes;
        let signature = if b64 {
            STANDARD.encode(signature).into_bytes()
        } else {
            signature
        };
        let Some(path) = output_signature else {
            output::write(signature)?;
            if b64 {
                output::write("\n")?;
            }
            return Ok(ExitCode::SUCCESS);
        };
        local_file::output(&path, &signature)
            .with_context(|| format!("cannot write the signature to {}", path.display()))?;
        output::note(&format!("Wrote signature to file {}", path.display()));
        Ok(ExitCode::SUCCESS)
    }
}
