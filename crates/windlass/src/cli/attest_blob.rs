//! `attest-blob`: signs a statement about a file, with the flags of cosign.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::ValueHint;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::signed::Signed;

use super::access::{duration, within};
use super::attaching::write;
use super::output;
use super::predicate_flags::PredicateFlags;
use super::sign::certificate_of;
use super::signing_flags::{Place, SigningFlags, check_bundle_format, sign_file};
use super::verdict;
use crate::cluster::Connection;
use crate::input::Input;
use crate::inspect::verify::blob::sha256;
use crate::signing::statement::Subject;
use crate::store::oci::bundle_file;

/// Sign an attestation of a file
///
/// Makes an in-toto statement about the file and prints it in a signed envelope, or writes a bundle with
/// all that a verifier needs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass attest-blob --key cosign.key --predicate provenance.json --type slsaprovenance1 \\
      --bundle app.sigstore.json app.tar
  windlass verify-blob-attestation --key cosign.pub --insecure-ignore-tlog \\
      --type slsaprovenance1 --bundle app.sigstore.json app.tar

  windlass attest-blob --key cosign.key --predicate sbom.json --type cyclonedx app.tar > envelope")]
pub(crate) struct AttestBlob {
    #[command(flatten)]
    predicate: PredicateFlags,
    #[command(flatten)]
    signing: SigningFlags,
    /// SHA-256 of the file in hexadecimal; the file itself is then not read, its name is used
    #[arg(long, value_name = "HEX", value_parser = digest)]
    hash: Option<String>,
    /// Write the envelope, with what vouches for it, to this file as a Sigstore bundle
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    bundle: Option<PathBuf>,
    /// Write the envelope to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output_signature: Option<PathBuf>,
    /// Write the statement, which is signed, to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output_attestation: Option<PathBuf>,
    /// Write the certificate of a signature without a key to this file, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output_certificate: Option<PathBuf>,
    /// The format of the bundle, which is always the one that cosign 3 writes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    new_bundle_format: bool,
    /// How long it may take altogether, such as 30s or 5m
    #[arg(short, long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
    /// The file, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "hash")]
    blob: Option<Input>,
}

/// A SHA-256 in hexadecimal.
fn digest(typed: &str) -> Result<String, String> {
    let hex = typed.strip_prefix("sha256:").unwrap_or(typed);
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return Err("expected the 64 hexadecimal digits of a SHA-256".to_owned());
    }
    Ok(hex.to_ascii_lowercase())
}

impl AttestBlob {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        check_bundle_format(self.new_bundle_format, self.bundle.as_deref())?;
        let blob = self.blob.as_ref().filter(|_| self.hash.is_none());
        let from_stdin = [self.predicate.input(), blob];
        let from_stdin = from_stdin
            .iter()
            .filter(|input| **input == Some(&Input::Stdin));
        let readers = from_stdin.count() + usize::from(self.signing.needs_input());
        ensure!(
            readers < 2,
            "standard input can be read for one thing only: give files, and set COSIGN_PASSWORD"
        );
        self.signing
            .check_files([&self.bundle, &self.output_certificate])?;
        within(self.timeout, Box::pin(self.attest(connection))).await
    }

    async fn attest(&self, connection: &Connection) -> anyhow::Result<ExitCode> {
        // the key first: its password may be piped in
        let place = Place::of_file(self.bundle.is_some(), false);
        let means = self.signing.open(place, connection).await?;
        let statement = self.predicate.read()?.about(&self.subject()?)?;
        let payload = Payload::other(Format::Statement, statement);
        let signed = sign_file(&means, payload).await?;
        self.write(&signed)?;
        if self.bundle.is_some() {
            self.signing.tell(&means);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The file that is attested.
    fn subject(&self) -> anyhow::Result<Subject> {
        let name = match &self.blob {
            Some(Input::File(path)) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
            Some(Input::Stdin) | None => "-".to_owned(),
        };
        let hex = match (&self.hash, &self.blob) {
            (Some(hash), _) => hash.clone(),
            (None, blob) => {
                let blob = blob.as_ref().context("give a file, or its --hash")?;
                sha256(&verdict::read(blob, "file")?)
            }
        };
        Ok(Subject {
            name,
            algorithm: "sha256".to_owned(),
            hex,
        })
    }

    fn write(&self, signed: &Signed) -> anyhow::Result<()> {
        if let Some(path) = &self.bundle {
            write(path, bundle_file(signed).as_bytes(), "bundle")?;
        }
        if let Some(path) = &self.output_attestation {
            write(path, &signed.payload.bytes, "attestation")?;
        }
        if let Some(path) = &self.output_certificate {
            write(
                path,
                certificate_of(signed, path)?.as_bytes(),
                "certificate",
            )?;
        }
        let envelope = signed.signature_text();
        if let Some(path) = &self.output_signature {
            return write(path, &envelope, "envelope");
        }
        if self.bundle.is_some() {
            return Ok(());
        }
        output::write(&envelope)?;
        output::write("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_a_sha256_in_hexadecimal() {
        let hex = "AB".repeat(32);
        assert_eq!(digest(&hex).unwrap(), hex.to_lowercase());
        assert_eq!(
            digest(&format!("sha256:{hex}")).unwrap(),
            hex.to_lowercase()
        );
        for wrong in ["", "ab", &"g".repeat(64), &"a".repeat(65), &"é".repeat(32)] {
            assert!(digest(wrong).is_err(), "{wrong}");
        }
    }
}
