//! `verify-attestation`: checks the attestations of an image and prints those that are valid, with
//! the flags of cosign.

use std::process::ExitCode;

use windlass_registry::Reference;

use super::access::{Access, reference, within};
use super::claims::Claims;
use super::key;
use super::report;
use super::verdict::{self, PredicateType};
use crate::cluster::Connection;
use crate::inspect::verify::{VerifyRequest, image};
use crate::sign::reference::KeyRef;

/// Verify an attestation of an image
///
/// Prints the valid envelopes to standard output, one per line, and a report to standard error.
/// Exit status: 0 at least one is valid, 1 none is valid, 2 could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-attestation --key cosign.pub --type slsaprovenance \\
      registry.example.com/team/app:v1
  windlass verify-attestation --key cosign.pub --type slsaprovenance1 \\
      registry.example.com/team/app:v1 | jq -r .payload | base64 -d")]
pub(crate) struct VerifyAttestation {
    /// Key: a file, k8s://<namespace>/<secret> or env://<variable>
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// Predicate type: slsaprovenance, slsaprovenance1, ..., or a URI
    #[arg(long = "type", value_name = "TYPE", default_value = "custom")]
    predicate: PredicateType,
    #[command(flatten)]
    claims: Claims,
    #[command(flatten)]
    access: Access,
    /// Accepted for compatibility: windlass consults no transparency log
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_ignore_tlog: Option<bool>,
    /// Accepted for compatibility: windlass reads both tags and referrers
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    new_bundle_format: Option<bool>,
    /// IMAGE@DIGEST or IMAGE:TAG
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
}

impl VerifyAttestation {
    /// Checks the image and prints the envelopes that hold.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.check(connection))).await
    }

    async fn check(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let key = match key::public(&self.key, connection).await? {
            Ok(key) => key,
            Err(damaged) => return Ok(verdict::report(&[damaged])),
        };
        let request = VerifyRequest {
            key,
            identity: self.claims.identity(),
            expected: self.claims.expected(Some(self.predicate)),
        };
        let image = self.access.resolve(&self.image).await?;
        let report = image::verify(&self.image, &image, &request).await?;
        report::print_envelopes(&report)
    }
}
