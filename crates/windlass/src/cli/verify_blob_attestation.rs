//! `verify-blob-attestation`: checks a DSSE envelope with an in-toto statement, with the flags of
//! cosign.

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueHint;
use windlass_core::verify::{self, Claim, Expected};

use super::access::{duration, within};
use super::claims::text;
use super::signer_flags::{LogRule, SignerFlags};
use super::verdict::{self, PredicateType};
use crate::cluster::Connection;
use crate::input::Input;
use crate::inspect::verify::{ExpectedSigner, blob};

/// Verify an attestation: a signed statement about a file
///
/// Exit status: 0 verified (prints "Verified OK"), 1 not verified, 2 could not be checked. The
/// envelope must be signed with the key, or by whom the certificate names, and its statement must
/// have the given type and, unless --check-claims=false, the given subject. A bundle needs an entry
/// in a transparency log, unless --insecure-ignore-tlog is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-blob-attestation --key k8s://tekton-chains/signing-secrets --signature envelope \\
      --type slsaprovenance --check-claims=false
  windlass verify-blob-attestation --key cosign.pub --signature envelope \\
      --type slsaprovenance1 app.tar
  windlass verify-blob-attestation --bundle app.sigstore.json --trusted-root trusted_root.json \\
      --certificate-identity-regexp ^https://github[.]com/team/ \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
      --type slsaprovenance1 app.tar")]
pub(crate) struct VerifyBlobAttestation {
    /// The DSSE envelope, as JSON or base64: a file, or `-` for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "bundle")]
    signature: Option<Input>,
    /// Bundle with the envelope, its certificate, log entry and timestamp: a file, or `-` for standard
    /// input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "signature")]
    bundle: Option<Input>,
    #[command(flatten)]
    signer: SignerFlags,
    /// Predicate type: slsaprovenance, slsaprovenance02, slsaprovenance1, link, spdx, spdxjson,
    /// cyclonedx, vuln, openvex, custom, or a URI
    #[arg(long = "type", value_name = "TYPE", default_value = "custom")]
    predicate: PredicateType,
    /// Whether the file's digest must be one of the statement's subjects
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    check_claims: bool,
    /// Digest of the subject, in hexadecimal, instead of a file
    #[arg(
        long,
        value_name = "HEX",
        requires = "digest_alg",
        conflicts_with = "blob",
        value_parser = text
    )]
    digest: Option<String>,
    /// Algorithm of --digest, such as sha256
    #[arg(long = "digestAlg", value_name = "NAME", requires = "digest", value_parser = text)]
    digest_alg: Option<String>,
    /// How long it may take altogether, such as 30s or 5m
    #[arg(short, long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
    /// The file that the statement is about, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    blob: Option<Input>,
}

impl VerifyBlobAttestation {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let expected = Expected {
            predicate_type: Some(self.predicate.0.clone()),
            subject: self.claim()?,
            ..Expected::default()
        };
        let findings = match (&self.bundle, &self.signature) {
            (Some(bundle), _) => {
                let bundle = verdict::read_bundle(bundle)?;
                let signer = self.signer.signer(LogRule::Usual, connection);
                let signer = within(self.timeout, signer).await?;
                blob::attestation(&signer, &bundle, &expected)
            }
            (None, Some(envelope)) => self.check_envelope(envelope, &expected, connection).await?,
            (None, None) => {
                anyhow::bail!("give the envelope with --signature, or a bundle with --bundle")
            }
        };
        Ok(verdict::report(&findings))
    }

    async fn check_envelope(
        &self,
        envelope: &Input,
        expected: &Expected,
        connection: &Connection,
    ) -> anyhow::Result<Vec<String>> {
        let envelope = verdict::read(envelope, "envelope")?;
        let signer = self.signer.signer(LogRule::IfRootIsGiven, connection);
        let ExpectedSigner::Key(key, None) = within(self.timeout, signer).await? else {
            anyhow::bail!(
                "an envelope by itself has no certificate and no log entry; give a bundle with --bundle"
            );
        };
        Ok(match blob::envelope(&envelope) {
            Ok(envelope) => verify::attestation(&envelope, &key, expected).findings,
            Err(damage) => vec![damage],
        })
    }

    /// What the subject must be; none with `--check-claims=false`.
    fn claim(&self) -> anyhow::Result<Option<Claim>> {
        if !self.check_claims {
            return Ok(None);
        }
        if let (Some(digest), Some(algorithm)) = (&self.digest, &self.digest_alg) {
            return Ok(Some(Claim {
                algorithm: algorithm.clone(),
                digest: digest.clone(),
            }));
        }
        let from_stdin = [&self.signature, &self.bundle].contains(&&Some(Input::Stdin));
        let Some(file) = &self.blob else {
            anyhow::bail!(
                "nothing to compare the subjects with: give the file, or --digest and --digestAlg, \
                 or --check-claims=false"
            );
        };
        anyhow::ensure!(
            *file != Input::Stdin || !from_stdin,
            "the envelope and the file cannot both come from standard input"
        );
        let digest = blob::sha256(&verdict::read(file, "file")?);
        Ok(Some(Claim::sha256(digest)))
    }
}
