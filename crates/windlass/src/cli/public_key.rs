//! `public-key`: prints the public half of a key.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::key;
use super::output;
use crate::cluster::Connection;
use crate::local_file;
use crate::sign::reference::KeyRef;

/// Print the public key that belongs to a key reference
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass public-key --key k8s://openshift-pipelines/signing-secrets
  windlass public-key --key cosign.key --outfile cosign.pub")]
pub(crate) struct PublicKey {
    /// Key: a file, k8s://<namespace>/<secret>, env://<variable>, hashivault://<key>, or a public one
    /// at https://...
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// Write the key to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    outfile: Option<PathBuf>,
}

impl PublicKey {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self { key, outfile } = self;
        let text = key::public(&key, connection).await?.to_pem();
        let Some(path) = outfile else {
            output::write(text)?;
            return Ok(ExitCode::SUCCESS);
        };
        local_file::output(&path, text.as_bytes())
            .with_context(|| format!("cannot write the public key to {}", path.display()))?;
        output::note(&format!("Public key written to {}", path.display()));
        Ok(ExitCode::SUCCESS)
    }
}
