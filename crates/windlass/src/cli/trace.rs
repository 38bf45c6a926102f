//! `trace`: shows what an image or a run was made from, as text, for programs, or as a picture.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;

use super::access::Access;
use super::number;
use super::output;
use super::several_signers::{SignersFlags, WHO};
use super::target::{RunTargets, Target};
use super::verdict;
use crate::cluster::Connection;
use crate::input::Input;
use crate::inspect::trace::reach::{Prefix, Reach};
use crate::inspect::trace::{self, Bounds, Told, Trace, Walk};
use crate::inspect::verify::report::Report;
use crate::inspect::verify::{ExpectedSigner, VerifyRequest, file, run};

mod dot;
mod layout;
mod svg;
mod text;

/// Longest that one image may take.
const EACH: Duration = Duration::from_secs(30);

/// How a trace is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TraceFormat {
    /// For people.
    Text,
    /// For programs; docs/verification.md has the schema.
    Json,
    /// A picture.
    Svg,
    /// A page with the picture and all that is known.
    Html,
    /// For Graphviz.
    Dot,
}

/// Show what an image or a run was made from: run, source, step images, and theirs in turn
///
/// Only provenance that was signed with a given key, or by a given name, is followed. What it names is reached without
/// credentials and at public addresses only, unless it is on the registry that is typed, or named with
/// --registry.
///
/// Exit status: 0 there is verified provenance of the target, 1 there is none, 2 it could not be read.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg(WHO[0], |key| key.required_unless_present_any([WHO[1], WHO[2]])),
    after_help = "Examples:
  windlass trace --key cosign.pub registry.example.com/team/app:v1
  windlass trace --key cosign.pub --key base.pub --registry base.example.com \\
      registry.example.com/team/app:v1
  windlass trace --key k8s://tekton-chains/signing-secrets pipelinerun --last -n team-a
  windlass trace --key cosign.pub -o svg registry.example.com/team/app:v1 > app.svg
  windlass trace --key cosign.pub -o json registry.example.com/team/app:v1 | jq '.nodes[].name'
  windlass trace --trusted-root trusted_root.json --certificate-identity me@example.com \\
      --certificate-oidc-issuer https://accounts.google.com registry.example.com/team/app:v1"
)]
pub(crate) struct TraceVerb {
    #[command(flatten)]
    signers: Box<SignersFlags>,
    /// Registry, or part of one, to read as if it were typed; may be repeated
    #[arg(long, value_name = "HOST[/PATH]")]
    registry: Vec<Prefix>,
    /// How many images in a row
    #[arg(long, value_name = "COUNT", default_value_t = 3, allow_negative_numbers = true, value_parser = number::within(0..=20))]
    depth: usize,
    /// How many images altogether
    #[arg(long, value_name = "COUNT", default_value_t = 50, allow_negative_numbers = true, value_parser = number::within(1..=200))]
    most: usize,
    #[command(flatten)]
    access: Access,
    /// text, json, svg, html or dot
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: TraceFormat,
    #[command(flatten)]
    target: RunTargets,
}

impl TraceVerb {
    /// Walks and prints.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let targets = self.target.read()?;
        let [target] = &targets[..] else {
            bail!("trace is about one target; run it for each");
        };
        let signers = self.signers.signers(Vec::new(), connection).await?;
        let trace = self.trace(target, &signers, connection).await?;
        output::write(self.text(&trace))?;
        let missing = (!trace.is_verified()).then(|| missing(&trace));
        Ok(verdict::report(missing.as_slice()))
    }

    async fn trace(
        &self,
        target: &Target,
        signers: &[ExpectedSigner],
        connection: &Connection,
    ) -> anyhow::Result<Trace> {
        let typed = match target {
            Target::Image(image) => Some(image.repository.clone()),
            _ => None,
        };
        let reach = Reach {
            lookup: self.access.lookup()?,
            typed,
            listed: self.registry.clone(),
        };
        let walk = Walk {
            signers,
            reach: &reach,
            bounds: Bounds {
                depth: self.depth,
                images: self.most,
                each: EACH,
                until: Instant::now() + self.access.timeout(),
            },
        };
        let (name, told) = match target {
            Target::Image(image) => {
                return Ok(Box::pin(trace::of_image(image, &walk)).await?);
            }
            Target::Content(input) => self.in_file(input, signers).await?,
            Target::Run(..) | Target::Last(_) => {
                self.on_cluster(target, signers, connection).await?
            }
        };
        Ok(Box::pin(trace::of_run(name, told, &walk)).await)
    }

    async fn on_cluster(
        &self,
        target: &Target,
        signers: &[ExpectedSigner],
        connection: &Connection,
    ) -> anyhow::Result<(String, Result<Told, String>)> {
        let client = connection.connect().await?;
        let (kind, namespace, name) = self.target.on_cluster(target, &client).await?;
        let verify = async |request: &VerifyRequest| {
            let report = run::on_cluster(&client, kind, &namespace, &name, request).await?;
            Ok(report)
        };
        by_any(signers, verify).await
    }

    async fn in_file(
        &self,
        input: &Input,
        signers: &[ExpectedSigner],
    ) -> anyhow::Result<(String, Result<Told, String>)> {
        if signers.len() > 1 && *input == Input::Stdin {
            bail!("standard input is read once, for one --key; give a file");
        }
        let verify = async |request: &VerifyRequest| {
            let reports = file::verify(input, self.target.name(), request).await?;
            <[Report; 1]>::try_from(reports)
                .map(|[report]| report)
                .map_err(|reports| {
                    let runs = reports.len();
                    anyhow::anyhow!("there are {runs} runs in it; choose one with --name")
                })
        };
        by_any(signers, verify).await
    }

    fn text(&self, trace: &Trace) -> String {
        match self.output {
            TraceFormat::Text => text::text(trace),
            TraceFormat::Json => format!("{:#}\n", trace.json()),
            TraceFormat::Svg => svg::picture(trace),
            TraceFormat::Html => svg::page(trace),
            TraceFormat::Dot => dot::graph(trace),
        }
    }
}

/// What a run is called and what the first signer of it tells, or why the last one does not.
async fn by_any(
    signers: &[ExpectedSigner],
    verify: impl AsyncFn(&VerifyRequest) -> anyhow::Result<Report>,
) -> anyhow::Result<(String, Result<Told, String>)> {
    let mut last = None;
    for signer in signers {
        let report = verify(&VerifyRequest::of(signer.clone())).await?;
        let told = told(&report);
        let is_told = told.is_ok();
        last = Some((report.target, told));
        if is_told {
            break;
        }
    }
    last.ok_or_else(|| anyhow::anyhow!("give a key with --key"))
}

/// The provenance of a run, or why there is none.
fn told(report: &Report) -> Result<Told, String> {
    report.verdict()?;
    let (story, place) = report.story().ok_or(
        "its signature is valid, but its format tells of no sources; use in-toto or slsa/v2alpha4",
    )?;
    Ok(Told {
        story: story.clone(),
        key: report.key.clone(),
        place: place.to_owned(),
    })
}

fn missing(trace: &Trace) -> String {
    let root = trace.nodes.first();
    let reason = root.and_then(|root| root.state.reason());
    let reason = reason.unwrap_or("it is signed, but nothing tells how it was built");
    format!("no provenance that a given key or name signed: {reason}")
}
