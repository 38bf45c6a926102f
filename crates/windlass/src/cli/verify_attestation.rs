//! `verify-attestation`: checks the attestations of an image and prints those that are valid, with
//! the flags of cosign.

use std::process::ExitCode;

use super::access::{Access, within};
use super::claims::Claims;
use super::report::{self, Unverified};
use super::saved::SavedFlag;
use super::signer_flags::{LogRule, SignerFlags};
use super::verdict::PredicateType;
use crate::cluster::Connection;
use crate::inspect::verify::{SealRule, VerifyRequest, image};

/// Verify an attestation of images
///
/// Prints the valid envelopes to standard output, one per line, and a report to standard error. With
/// -o json a program gets an object with the error if there is no envelope to print.
/// Exit status: 0 at least one of each image is valid, 1 none is valid, 2 could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-attestation --key cosign.pub --type slsaprovenance \\
      registry.example.com/team/app:v1
  windlass verify-attestation --key cosign.pub --type slsaprovenance1 \\
      registry.example.com/team/app:v1 | jq -r .payload | base64 -d
  windlass verify-attestation --key cosign.pub --type slsaprovenance --local-image app")]
pub(crate) struct VerifyAttestation {
    #[command(flatten)]
    signer: SignerFlags,
    /// Predicate type: slsaprovenance, slsaprovenance1, ..., or a URI
    #[arg(long = "type", value_name = "TYPE", default_value = "custom")]
    predicate: PredicateType,
    #[command(flatten)]
    claims: Claims,
    /// Whether the image's digest must be one of the statement's subjects
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    check_claims: bool,
    #[command(flatten)]
    saved: SavedFlag,
    #[command(flatten)]
    access: Access,
    /// Output: json or text, each envelope on a line; json is one object if none is valid
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: EnvelopeFormat,
    /// IMAGE@DIGEST or IMAGE:TAG; with --local-image, the folder of an image
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// How an envelope is printed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum EnvelopeFormat {
    Json,
    Text,
}

impl VerifyAttestation {
    /// Checks the images and prints the envelopes that hold.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.check(connection))).await
    }

    async fn check(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let images = self.saved.read(&self.images)?;
        let request = VerifyRequest {
            signer: self
                .signer
                .signer(LogRule::IfRootIsGiven, connection)
                .await?,
            identity: self.claims.identity(),
            expected: self.claims.expected(Some(self.predicate)),
            annotations: Vec::new(),
            checks_subject: self.check_claims,
            seal: SealRule::IfPresent,
        };
        let mut reports = Vec::new();
        for image in &images {
            let subject = image.subject(&self.access).await?;
            reports.push(image::verify(&subject, &request).await?);
        }
        report::print_envelopes(
            &reports,
            match self.output {
                EnvelopeFormat::Json => Unverified::Object,
                EnvelopeFormat::Text => Unverified::Nothing,
            },
        )
    }
}
