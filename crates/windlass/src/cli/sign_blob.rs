//! `sign-blob`: signs a file, with the flags of cosign.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueHint;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::signed::Signed;

use super::access::{duration, within};
use super::attaching::write;
use super::output;
use super::sign::certificate_of;
use super::signing_flags::{
    Place, SigningFlags, check_bundle_format, check_timestamp_file, sign_file, write_timestamp,
};
use super::verdict;
use crate::cluster::Connection;
use crate::input::Input;
use crate::store::oci::bundle_file;

/// Sign a file
///
/// Prints the signature in base64, in the form that `cosign verify-blob` expects, or writes a bundle
/// with all that a verifier needs. Nothing is sent to a transparency log or to Fulcio unless its address
/// is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass sign-blob --key cosign.key payload > signature
  windlass sign-blob --key k8s://tekton-chains/signing-secrets --output-signature signature payload
  VAULT_ADDR=https://vault:8200 windlass sign-blob --key hashivault://release payload
  windlass sign-blob --key cosign.key --bundle app.sigstore.json app.tar
  windlass sign-blob --identity-token token --fulcio-url https://fulcio.example.com \\
      --rekor-url https://rekor.example.com --bundle app.sigstore.json app.tar")]
pub(crate) struct SignBlob {
    #[command(flatten)]
    signing: SigningFlags,
    /// Write the signature, with what vouches for it, to this file as a Sigstore bundle
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    bundle: Option<PathBuf>,
    /// Write the signature to this file instead of standard output
    #[arg(long, alias = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    output_signature: Option<PathBuf>,
    /// Write the certificate of a signature without a key to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output_certificate: Option<PathBuf>,
    /// Write the timestamp to this file, for --rfc3161-timestamp of `cosign verify-blob`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    rfc3161_timestamp: Option<PathBuf>,
    /// Whether signature and certificate are written in base64
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    b64: bool,
    /// The format of the bundle, which is always the one that cosign 3 writes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    new_bundle_format: bool,
    /// How long it may take altogether, such as 30s or 5m
    #[arg(short, long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
    /// The file to sign, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    blob: Input,
}

impl SignBlob {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        check_bundle_format(self.new_bundle_format, self.bundle.as_deref())?;
        // the key first: its password may be piped in
        let piped_twice = self.blob == Input::Stdin && self.signing.needs_input();
        ensure!(
            !piped_twice,
            "the file is read from standard input, so the password cannot be; set COSIGN_PASSWORD"
        );
        self.signing
            .check_files([&self.bundle, &self.output_certificate])?;
        within(self.timeout, Box::pin(self.sign(connection))).await
    }

    async fn sign(&self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let timestamp = self.rfc3161_timestamp.as_deref();
        let place = Place::of_file(self.bundle.is_some(), timestamp.is_some());
        let means = self.signing.open(place, connection).await?;
        check_timestamp_file(&means, timestamp)?;
        let content = verdict::read(&self.blob, "file")?;
        let payload = Payload::other(Format::Content, content);
        let signed = sign_file(&means, payload).await?;
        self.write(&signed)?;
        if self.bundle.is_some() {
            self.signing.tell(&means);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write(&self, signed: &Signed) -> anyhow::Result<()> {
        let encoded = |bytes: &[u8]| {
            if self.b64 {
                STANDARD.encode(bytes).into_bytes()
            } else {
                bytes.to_vec()
            }
        };
        let signature = encoded(&signed.signature_text());
        if let Some(path) = &self.bundle {
            write(path, bundle_file(signed).as_bytes(), "bundle")?;
        }
        write_timestamp(signed, self.rfc3161_timestamp.as_deref())?;
        if let Some(path) = &self.output_certificate {
            let certificate = certificate_of(signed, path)?;
            write(path, &encoded(certificate.as_bytes()), "certificate")?;
        }
        if let Some(path) = &self.output_signature {
            return write(path, &signature, "signature");
        }
        if self.bundle.is_some() {
            return Ok(());
        }
        output::write(signature)?;
        if self.b64 {
            output::write("\n")?;
        }
        Ok(())
    }
}
