//! `verify`: checks signatures and attestations that are attached to an image, stored with a run,
//! or in a file, and reports for each whether it is valid, and if not, why.

use std::process::ExitCode;

use anyhow::ensure;
use windlass_registry::Reference;

use super::access::{Access, within};
use super::claims::{Claims, Notes};
use super::detached::{DetachedFlags, Given};
use super::report::{self, ReportFormat};
use super::saved::{self, SavedFlag};
use super::signer_flags::{LogRule, SignerFlags};
use super::target::{RunTargets, Target};
use super::verdict::PredicateType;
use crate::cluster::Connection;
use crate::inspect::verify::report::{Report, Requirement};
use crate::inspect::verify::{SealRule, Subject, VerifyRequest, file, image, run};

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
  windlass verify --key cosign.pub --local-image app
  windlass verify --key cosign.pub --payload payload.json --signature payload.sig \\
      registry.example.com/team/app@sha256:...
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
    saved: SavedFlag,
    #[command(flatten)]
    detached: DetachedFlags,
    /// Verify what is attached to the image instead: its SBOM, under the tag sha256-DIGEST.sbom
    #[arg(long, value_name = "KIND")]
    attachment: Option<Attachment>,
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
        let targets = self.targets()?;
        let are_images = targets.iter().all(Typed::is_image);
        self.check_flags(&targets)?;
        let given = self.detached.read(&self.signer).await?;
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
        ensure!(
            given.is_none() || request.requirement() == Requirement::Signature,
            "--signature is one of an image, and --type and what provenance has to state are about \
             attestations; leave one of them out"
        );
        let mut reports = Vec::new();
        for target in &targets {
            let given = given.as_ref();
            reports.extend(self.reports(target, given, &request, connection).await?);
        }
        if are_images && self.output == ReportFormat::Json {
            return report::print_claims(&reports);
        }
        report::print(&reports, self.output)
    }

    fn targets(&self) -> anyhow::Result<Vec<Typed>> {
        if self.saved.local_image {
            let folders = self.target.folders()?;
            return Ok(folders.iter().cloned().map(Typed::Folder).collect());
        }
        let targets = self.target.read()?;
        Ok(targets.into_iter().map(Typed::Target).collect())
    }

    /// Refuses flags that are about something else than the targets.
    fn check_flags(&self, targets: &[Typed]) -> anyhow::Result<()> {
        let is_given = [
            ("--identity", self.claims.identity().is_some()),
            ("--signature", self.detached.are_given()),
            ("--attachment", self.attachment.is_some()),
        ];
        for (flag, is_given) in is_given {
            ensure!(
                !is_given || targets.iter().all(Typed::is_image),
                "{flag} is about images, and not every target is one"
            );
        }
        ensure!(
            !self.require_seal || !targets.iter().any(Typed::is_image),
            "--require-seal is about runs, and a target is an image"
        );
        ensure!(
            self.attachment.is_none() || !self.saved.local_image,
            "signatures of an attached SBOM are not saved in folders; leave out --local-image, and verify \
             it in its registry"
        );
        Ok(())
    }

    async fn reports(
        &self,
        typed: &Typed,
        given: Option<&Given>,
        request: &VerifyRequest,
        connection: &Connection,
    ) -> anyhow::Result<Vec<Report>> {
        let target = match typed {
            Typed::Folder(folder) => {
                let subject = saved::subject(folder).await?;
                return Ok(vec![verified(&subject, given, request).await?]);
            }
            Typed::Target(target) => target,
        };
        match target {
            Target::Image(reference) => {
                let subject = self.subject(reference).await?;
                Ok(vec![verified(&subject, given, request).await?])
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

    /// An image, or what is attached to it.
    async fn subject(&self, reference: &Reference) -> anyhow::Result<Subject> {
        let found = self.access.resolve(reference).await?;
        match self.attachment {
            None => Ok(Subject::found(reference, found)),
            Some(Attachment::Sbom) => {
                let (tag, found) = found.sbom().await?;
                let name = format!("{}:{tag}", found.remote.repository());
                Ok(Subject::Image { name, found })
            }
        }
    }
}

/// The report of an image: of the signature that is given, or of what is attached.
async fn verified(
    subject: &Subject,
    given: Option<&Given>,
    request: &VerifyRequest,
) -> anyhow::Result<Report> {
    match given {
        Some(given) => given.verify(subject, request),
        None => Ok(image::verify(subject, request).await?),
    }
}

/// What is attached to an image under a tag, and signed by itself.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Attachment {
    Sbom,
}

/// A target as it is typed.
enum Typed {
    /// The folder of an image.
    Folder(String),
    Target(Target),
}

impl Typed {
    fn is_image(&self) -> bool {
        matches!(self, Self::Folder(_) | Self::Target(Target::Image(_)))
    }
}
