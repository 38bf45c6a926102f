//! `verify-blob`: checks a detached signature over a file, with the flags of cosign.

use std::path::Path;
use std::process::ExitCode;

use clap::ValueHint;

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
    /// Key: a file, k8s://<namespace>/<secret> or env://<variable>
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// Signature: a file, `-` for standard input, or the base64 text itself
    #[arg(long, value_name = "FILE")]
    signature: String,
    /// Accepted for compatibility: windlass consults no transparency log
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_ignore_tlog: Option<bool>,
    /// Accepted for compatibility: the signature is always detached
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    new_bundle_format: Option<bool>,
    /// The signed file, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    blob: Input,
}

impl VerifyBlob {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            key,
            signature,
            insecure_ignore_tlog: _,
            new_bundle_format: _,
            blob,
        } = self;
        anyhow::ensure!(
            signature != "-" || blob != Input::Stdin,
            "the signature and the file cannot both come from standard input"
        );
        let signature = read_signature(&signature)?;
        let payload = verdict::read(&blob, "file")?;
        let findings = match key::public(&key, connection).await? {
            Ok(key) => blob::signature(&key, &payload, &signature)
                .err()
                .into_iter()
                .collect(),
            Err(damaged) => vec![damaged],
        };
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
