//! `import-key-pair`: encrypts a private key in PEM as cosign does.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::ValueHint;
use windlass_core::key::PrivateKey;
use zeroize::Zeroizing;

use super::generate_key_pair::{Existing, KeyPair, write_pair};
use crate::input::Input;

/// Largest file that is taken for a key.
const LARGEST: usize = 1 << 20;

/// Encrypt a private key in PEM as cosign does
///
/// Writes the key to <PREFIX>.key, and its public half to <PREFIX>.pub. The password of the new file
/// comes from `COSIGN_PASSWORD`, from a prompt, or from a pipe.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass import-key-pair --key openssl.pem
  COSIGN_PASSWORD= windlass import-key-pair --key openssl.pem --output-key-prefix release")]
pub(crate) struct ImportKeyPair {
    /// Private key in PEM, not encrypted: PKCS#8, or that of RSA or EC by itself
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: Input,
    /// Files are named <PREFIX>.key and <PREFIX>.pub
    #[arg(short, long, value_name = "PREFIX", default_value = "import-cosign")]
    output_key_prefix: String,
    /// Replace files of these names
    #[arg(short, long)]
    yes: bool,
}

impl ImportKeyPair {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self {
            key: input,
            output_key_prefix: prefix,
            yes,
        } = self;
        let shown = input.to_string();
        let file = match &input {
            Input::Stdin => "FILE".to_owned(),
            Input::File(_) => shown.clone(),
        };
        let text = input.read(LARGEST).map(Zeroizing::new);
        let text = text.with_context(|| format!("cannot read {shown}"))?;
        let lossy = Zeroizing::new(String::from_utf8_lossy(&text).into_owned());
        let is_cosigns = ["SIGSTORE", "COSIGN"]
            .iter()
            .any(|name| lossy.contains(&format!("BEGIN ENCRYPTED {name} ")));
        ensure!(
            !is_cosigns,
            "the key in {shown} is in the form of cosign already; use it as it is: --key {file}"
        );
        let is_encrypted =
            lossy.contains("BEGIN ENCRYPTED") || lossy.contains("Proc-Type: 4,ENCRYPTED");
        ensure!(
            !is_encrypted,
            "the key in {shown} is encrypted; decrypt it first: openssl pkey -in {file} -out \
             decrypted.pem"
        );
        let key = PrivateKey::from_x509_pem(&text);
        let key = key.with_context(|| format!("cannot use the key in {shown}"))?;
        let existing = if yes {
            Existing::Replace
        } else {
            Existing::Keep
        };
        write_pair(&prefix, existing, || KeyPair::of(&key))?;
        Ok(ExitCode::SUCCESS)
    }
}
