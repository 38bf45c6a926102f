//! `verify`: checks signatures and attestations that are attached to an image, stored with a run,
//! or in a file, and reports for each whether it is valid, and if not, why.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use windlass_core::run::Kind;
use windlass_registry::Reference;

use super::access::{Access, reference, within};
use super::claims::Claims;
use super::key;
use super::report::{self, ReportFormat};
use super::verdict::PredicateType;
use crate::cluster::Connection;
use crate::inspect::verify::{VerifyRequest, file, image, run};
use crate::sign::reference::KeyRef;

/// Verify the signatures and attestations of an image, a run or a file
///
/// Exit status: 0 verified, 1 not verified, 2 could not be checked. An image is verified if at
/// least one image signature made with the key is valid; with --type or any provenance option, one
/// attestation must satisfy all of them. A run is verified if everything in its annotations is
/// valid.
///
/// A source, and a task by its name, may be chosen by the author of the run. They count if
/// --task-ref or --pipeline-ref names the revision that stated them, or with
/// --allow-claimed-source; the report says for each whether it is verified or claimed, and by whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify --key cosign.pub registry.example.com/team/app:v1
  windlass verify --key k8s://tekton-chains/signing-secrets taskrun/build -n team-a
  windlass verify --key cosign.pub --type slsaprovenance --source-uri https://git.example.com/app \\
      --task-ref https://git.example.com/tasks@sha1:0123456789abcdef0123456789abcdef01234567 \\
      registry.example.com/team/app@sha256:...
  windlass verify --key cosign.pub envelope.json

Credentials for registries come from the Docker configuration of this machine.")]
pub(crate) struct Verify {
    /// Key: a file, k8s://<namespace>/<secret> or env://<variable>
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// Predicate type of the attestation: slsaprovenance, slsaprovenance1, ..., or a URI
    #[arg(long = "type", value_name = "TYPE")]
    predicate: Option<PredicateType>,
    #[command(flatten)]
    claims: Claims,
    #[command(flatten)]
    access: Access,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Output: text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: ReportFormat,
    /// Accepted for compatibility: windlass consults no transparency log
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_ignore_tlog: Option<bool>,
    /// Accepted for compatibility: windlass reads both tags and referrers
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    new_bundle_format: Option<bool>,
    /// IMAGE@DIGEST, IMAGE:TAG, taskrun/NAME, pipelinerun/NAME, or a file with an envelope, a bundle
    /// or a run
    #[arg(value_name = "TARGET")]
    target: Target,
}

/// What is verified.
#[derive(Debug, Clone)]
enum Target {
    Run(Kind, String),
    File(PathBuf),
    Image(Reference),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let run = text.split_once('/').and_then(|(kind, name)| {
            let kind = match kind {
                "taskrun" | "taskruns" | "tr" | "taskrun.tekton.dev" => Kind::Task,
                "pipelinerun" | "pipelineruns" | "pr" | "pipelinerun.tekton.dev" => Kind::Pipeline,
                _ => return None,
            };
            Some(Self::Run(kind, name.to_owned()))
        });
        if let Some(run) = run {
            return Ok(run);
        }
        if PathBuf::from(text).is_file() {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let image = reference(text).map_err(|error| {
            format!("not a file, not taskrun/NAME or pipelinerun/NAME, and not an image: {error}")
        })?;
        Ok(Self::Image(image))
    }
}

impl Verify {
    /// Checks the target and prints what was found.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.check(connection))).await
    }

    async fn check(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let key = match key::public(&self.key, connection).await? {
            Ok(key) => key,
            Err(damaged) => return report::not_verified(damaged, self.output),
        };
        anyhow::ensure!(
            self.claims.identity().is_none() || matches!(self.target, Target::Image(_)),
            "--identity is about images, and the target is none"
        );
        let request = VerifyRequest {
            key,
            identity: self.claims.identity(),
            expected: self.claims.expected(self.predicate),
        };
        let report = match self.target {
            Target::Image(reference) => {
                let image = self.access.resolve(&reference).await?;
                image::verify(&reference, &image, &request).await?
            }
            Target::File(path) => file::verify(&path, &request).await?,
            Target::Run(kind, name) => {
                let client = connection.connect().await?;
                let namespace = self.namespace.as_deref();
                let namespace = namespace.unwrap_or(client.default_namespace());
                run::on_cluster(&client, kind, namespace, &name, &request).await?
            }
        };
        report::print(&report, self.output)
    }
}
