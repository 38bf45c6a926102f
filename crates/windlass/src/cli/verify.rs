//! `verify`: checks signatures and attestations that are attached to an image, stored with a run,
//! or in a file, and reports for each whether it is valid, and if not, why.

use std::process::ExitCode;

use super::access::{Access, within};
use super::claims::{Claims, Notes};
use super::report::{self, ReportFormat};
use super::signer_flags::{LogRule, SignerFlags};
use super::target::{RunTargets, Target};
use super::verdict::PredicateType;
use crate::cluster::Connection;
use crate::inspect::verify::report::Report;
use crate::inspect::verify::{SealRule, VerifyRequest, file, image, run};

/// Verify the signatures and attestations of images, runs or files
///
/// Exit status: 0 verified, 1 not verified, 2 could not be checked. An image is verified if at
/// least one image signature made with the key, or with a certificate of the name, is valid; with --type or any provenance option, one
/// attestation must satisfy all of them. A run is verified if everything in its annotations is
/// valid. Of several targets, each has to be verified.
///
/// A source, and a task by its name, may be chosen by the author of the run. They count if
/// --task-ref or --pipeline-ref names the revision that stated them, or with
/// --allow-claimed-source; the report says for each whether it is verified or claimed, and by whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify --key cosign.pub registry.example.com/team/app:v1
  windlass verify --key k8s://tekton-chains/signing-secrets taskrun/build -n team-a
  windlass verify --key cosign.pub taskrun --last
  windlass verify --key cosign.pub --type slsaprovenance --source-uri https://git.example.com/app \\
      --task-ref https://git.example.com/tasks@sha1:0123456789abcdef0123456789abcdef01234567 \\
      registry.example.com/team/app@sha256:...
  windlass verify --key cosign.pub -o json registry.example.com/team/app:v1 | jq '.[0].critical'
  windlass verify --key cosign.pub envelope.json
  windlass verify --trusted-root trusted_root.json --certificate-identity me@example.com \\
      --certificate-oidc-issuer https://accounts.google.com registry.example.com/team/app:v1

Credentials for registries come from the Docker configuration of this machine and its credential
helpers. With -o json, standard output has the signed payloads of the images as cosign prints them,
and standard error the report; of runs and files it is the report.")]
pub(crate) struct Verify {
    #[command(flatten)]
    signer: SignerFlags,
    /// Predicate type of the attestation: slsaprovenance, slsaprovenance1, ..., or a URI
    #[arg(long = "type", value_name = "TYPE")]
    predicate: Option<PredicateType>,
    #[command(flatten)]
    claims: Claims,
    /// Require the seal by which the mark of a run names it (windlass writes one, Chains does not)
    #[arg(long)]
    require_seal: bool,
    #[command(flatten)]
    notes: Notes,
    #[command(flatten)]
    access: Access,
    /// Output: text, json, report (json, but for images too), report-text
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: ReportFormat,
    #[command(flatten)]
    target: RunTargets,
}

impl Verify {
    /// Checks the targets and prints what was found.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.check(connection))).await
    }

    async fn check(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let targets = self.target.read()?;
        let are_images = targets
            .iter()
            .all(|target| matches!(target, Target::Image(_)));
        anyhow::ensure!(
            self.claims.identity().is_none() || are_images,
            "--identity is about images, and not every target is one"
        );
        anyhow::ensure!(
            !self.require_seal
                || !targets
                    .iter()
                    .any(|target| matches!(target, Target::Image(_))),
            "--require-seal is about runs, and a target is an image"
        );
        let request = VerifyRequest {
            signer: self
                .signer
                .signer(LogRule::IfRootIsGiven, connection)
                .await?,
            identity: self.claims.identity(),
            expected: self.claims.clone().expected(self.predicate.clone()),
            annotations: self.notes.annotations.clone(),
            checks_subject: self.notes.check_claims,
            seal: if self.require_seal {
                SealRule::Required
            } else {
                SealRule::IfPresent
            },
        };
        let mut reports = Vec::new();
        for target in &targets {
            reports.extend(self.reports(target, &request, connection).await?);
        }
        if are_images && self.output == ReportFormat::Json {
            return report::print_claims(&reports);
        }
        report::print(&reports, self.output)
    }

    async fn reports(
        &self,
        target: &Target,
        request: &VerifyRequest,
        connection: &Connection,
    ) -> anyhow::Result<Vec<Report>> {
        match target {
            Target::Image(reference) => {
                let image = self.access.resolve(reference).await?;
                Ok(vec![image::verify(reference, &image, request).await?])
            }
            Target::Content(input) => Ok(file::verify(input, self.target.name(), request).await?),
            Target::Run(..) | Target::Last(_) => {
                let client = connection.connect().await?;
                let (kind, namespace, name) = self.target.on_cluster(target, &client).await?;
                Ok(vec![
                    run::on_cluster(&client, kind, &namespace, &name, request).await?,
                ])
            }
        }
    }
}
