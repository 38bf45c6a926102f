//! `verify-blob-attestation`: checks a DSSE envelope with an in-toto statement, with the flags of
//! cosign.

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueHint;
use windlass_core::verify::{self, Claim, Expected};

use super::access::{duration, within};
use super::claims::text;
use super::key;
use super::verdict::{self, PredicateType};
use crate::cluster::Connection;
use crate::inspect::input::Input;
use crate::inspect::verify::blob;
use crate::sign::reference::KeyRef;

/// Verify an attestation: a signed statement about a file
///
/// Exit status: 0 verified (prints "Verified OK"), 1 not verified, 2 could not be checked. The
/// envelope must be signed with the key, and its statement must have the given type and, unless
/// --check-claims=false, the given subject.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-blob-attestation --key k8s://tekton-chains/signing-secrets --signature envelope \\
      --type slsaprovenance --check-claims=false
  windlass verify-blob-attestation --key cosign.pub --signature envelope \\
      --type slsaprovenance1 app.tar")]
pub(crate) struct VerifyBlobAttestation {
    /// Key: a file, k8s://<namespace>/<secret>, env://<variable>, hashivault://<key>, or a public one
    /// at https://...
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// The DSSE envelope, as JSON or base64: a file, or `-` for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    signature: Input,
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
        let claim = self.claim()?;
        let signature = verdict::read(&self.signature, "envelope")?;
        let key = async { Ok(key::public(&self.key, connection).await?) };
        let key = within(self.timeout, key).await?;
        let findings = match blob::envelope(&signature) {
            Ok(envelope) => {
                let expected = Expected {
                    predicate_type: Some(self.predicate.0),
                    subject: claim,
                    ..Expected::default()
                };
                verify::attestation(&envelope, &key, &expected).findings
            }
            Err(damage) => vec![damage],
        };
        Ok(verdict::report(&findings))
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
        let Some(file) = &self.blob else {
            anyhow::bail!(
                "nothing to compare the subjects with: give the file, or --digest and --digestAlg, \
                 or --check-claims=false"
            );
        };
        anyhow::ensure!(
            *file != Input::Stdin || self.signature != Input::Stdin,
            "the envelope and the file cannot both come from standard input"
        );
        let digest = blob::sha256(&verdict::read(file, "file")?);
        Ok(Some(Claim::sha256(digest)))
    }
}
