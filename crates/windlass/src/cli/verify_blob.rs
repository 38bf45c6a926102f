//! `verify-blob`: checks a detached signature over a file, with the flags of cosign.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueHint;

use super::access::{duration, within};
use super::key;
use super::verdict;
use crate::cluster::Connection;
use crate::inspect::input::Input;
use crate::inspect::layers::decode;
use crate::inspect::verify::blob;
use crate::sign::reference::KeyRef;

/// Verify a signature over a file
///
/// Exit status: 0 verified (prints "Verified OK"), 1 not verified, 2 could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-blob --key k8s://openshift-pipelines/signing-secrets \\
      --signature ./signature ./payload
  windlass verify-blob --key cosign.pub --signature signature -   < payload")]
pub(crate) struct VerifyBlob {
    /// Key: a file, k8s://<namespace>/<secret>, env://<variable>, hashivault://<key>, or a public one
    /// at https://...
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// Signature: a file, `-` for standard input, or the base64 text itself
    #[arg(long, value_name = "FILE")]
    signature: String,
    /// How long it may take altogether, such as 30s or 5m
    #[arg(short, long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
    /// The signed file, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    blob: Input,
}

impl VerifyBlob {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            key,
            signature,
            timeout,
            blob,
        } = self;
        anyhow::ensure!(
            signature != "-" || blob != Input::Stdin,
            "the signature and the file cannot both come from standard input"
        );
        let signature = read_signature(&signature)?;
        let payload = verdict::read(&blob, "file")?;
        let key = async { Ok(key::public(&key, connection).await?) };
        let key = within(timeout, key).await?;
        let finding = blob::signature(&key, &payload, &signature).err();
        let findings: Vec<String> = finding.into_iter().collect();
        Ok(verdict::report(&findings))
    }
}

/// The content of the file `reference`, or `reference` itself where that is a signature.
fn read_signature(reference: &str) -> anyhow::Result<Vec<u8>> {
    // the shortest signature, Ed25519's, has 64 bytes; no path is taken for one
    let literal = decode(reference.as_bytes()).is_some_and(|bytes| bytes.len() >= 64);
    if literal && !Path::new(reference).exists() {
        return Ok(reference.as_bytes().to_vec());
    }
    let Ok(source) = reference.parse();
    verdict::read(&source, "signature")
}
