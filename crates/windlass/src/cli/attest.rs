//! `windlass attest`: prints the signature that the controller would store for a finished run; with
//! `--predicate` it is cosign's verb of that name, about images.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_core::annotation;
use windlass_core::config::{BuildType, Config};
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::Run;
use windlass_core::signed::{Artifact, Signed, message};
use windlass_core::terminal::quoted;
use windlass_registry::Reference;

use self::image::ImageAttestation;
use super::access::reference;
use super::key;
use super::output;
use super::run_files;
use super::run_source::RunSource;
use crate::cluster::Connection;
use crate::input::Input;
use crate::local_file;
use crate::sign::Signer;

mod image;
#[cfg(test)]
mod tests;

/// What the words of the command line are.
const TARGET: &str =
    "The run, as taskrun/NAME, pipelinerun/NAME or a file; with --predicate, images";

/// Sign a finished run, or with --predicate an attestation of an image
///
/// For a run, prints the envelope that the controller would store for it.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  # a run exported with kubectl
  kubectl get taskrun build -o yaml > run.yaml
  windlass attest -f run.yaml --key cosign.key -o envelope.json

  # a run on the cluster
  windlass attest taskrun/build -n team-a --key cosign.key

  # a pipeline run with its task runs, in another format, with the configuration of a cluster
  windlass attest -f pipelinerun.yaml --child taskruns.yaml --config chains-config.yaml \\
    --format slsa/v2alpha4 --key k8s://tekton-chains/signing-secrets > envelope.json

  # verify it, with windlass or with cosign; for formats slsa/v2alpha* the type is slsaprovenance1
  windlass verify-blob-attestation --key cosign.pub --signature envelope.json \\
    --type slsaprovenance --check-claims=false

  # an attestation of an image, as cosign makes it
  windlass attest --predicate provenance.json --type slsaprovenance1 --key cosign.key \\
    registry.example.com/team/app:v1

{}

The output is a DSSE envelope with the in-toto statement that `windlass payload` prints, byte for
byte the one that the controller stores in the annotation signature-<key> (there in base64). The
format tekton has no envelope: the output is the base64 signature over the output of
`windlass payload --format tekton`, for `windlass verify-blob`. simplesigning describes images, not
runs.

With the build type slsa-tekton, payloads contain labels, annotations and whole task runs: export
them with --show-managed-fields, before the run is signed.", run_files::HELP))]
#[command(mut_arg("target", |argument| argument.value_name("RUN|IMAGE").help(TARGET)))]
#[command(mut_arg("predicate", |argument| argument.conflicts_with_all(["run", "last"])))]
#[command(mut_arg("statement", |argument| argument.conflicts_with_all(["run", "last"])))]
pub(crate) struct Attest {
    #[command(flatten)]
    source: RunSource,
    #[command(flatten)]
    image: ImageAttestation,
    /// Format of the payload (default: the configured one)
    #[arg(long, value_name = "FORMAT", value_parser = run_files::run_format)]
    format: Option<Format>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Attest {
    /// Prints the envelope; a run that has not ended is refused.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let input = match self.image.input() {
            Some(predicate) => Some(predicate.clone()),
            None if self.source.names_image() => bail!(
                "{} is an image; give what to attest of it with --predicate FILE, or name a run: \
                 taskrun/NAME or pipelinerun/NAME",
                self.source.target[0]
            ),
            None => self.source.file()?,
        };
        if input == Some(Input::Stdin) && self.image.signing.needs_input() {
            bail!(
                "standard input is read for something else, so the password cannot be; set \
                 COSIGN_PASSWORD"
            );
        }
        let print = |text: &str| self.print(text);
        if self.image.input().is_some() {
            let images = images(&self.source)?;
            return Box::pin(self.image.run(&images, connection, print)).await;
        }
        let Some(key) = &self.image.signing.key else {
            bail!("give the key that signs the envelope of a run with --key");
        };
        self.image.signing.check_unused_services()?;
        let mut warnings = Vec::new();
        let (artifact, payload) = self.payload(connection, &mut warnings).await?;
        output::warn(&warnings);
        let signer = key::signer(key, connection).await?;
        print(&signed(&signer, artifact, payload).await?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Writes to the output file, or to standard output.
    fn print(&self, text: &str) -> anyhow::Result<()> {
        match &self.output {
            None => output::write(text),
            Some(path) => local_file::output(path, text.as_bytes())
                .with_context(|| format!("cannot write to {}", path.display())),
        }
    }

    async fn payload(
        &self,
        connection: &Connection,
        warnings: &mut Vec<String>,
    ) -> anyhow::Result<(Artifact, Payload)> {
        let (documents, config) = self.source.read(connection, warnings).await?;
        let run = documents.run(warnings)?;
        ensure_ended(&run)?;
        warnings.extend(signed_before(&run, &config));
        let payload = run_files::payload(&run, &config, self.format, warnings)?;
        Ok((Artifact::of_run(&run), payload))
    }
}

/// The images that a predicate is about.
fn images(source: &RunSource) -> anyhow::Result<Vec<Reference>> {
    let image = |word: &String| {
        reference(word).map_err(|error| anyhow::anyhow!("{word:?} is not an image: {error}"))
    };
    if source.target.is_empty() {
        bail!("--predicate and --statement are about an image; name it: IMAGE@DIGEST or IMAGE:TAG");
    }
    source.target.iter().map(image).collect()
}

/// Where a payload holds the annotations that signing adds, it is no longer what was signed.
fn signed_before(run: &Run<'_>, config: &Config) -> Option<String> {
    let annotations = &run.metadata().annotations;
    let is_signed = annotations.contains_key(annotation::SIGNED);
    (is_signed && config.build_type == BuildType::SlsaTekton).then(|| {
        "the run is already signed: with this build type its annotations are part of the payload, \
         so this payload differs from the signed one"
            .to_owned()
    })
}

/// Refuses what the controller would wait for.
fn ensure_ended(run: &Run<'_>) -> anyhow::Result<()> {
    let (kind, name) = (run.kind(), &*run.metadata().name);
    if !run.is_done() {
        let mut conditions = run.conditions().iter();
        let state = conditions
            .find(|condition| &*condition.kind == "Succeeded")
            .map_or("it has no condition Succeeded".to_owned(), |condition| {
                format!("its condition Succeeded is {}", quoted(&condition.status))
            });
        bail!("the {kind} {name:?} is not finished: {state}; export it again when it is");
    }
    let Run::Pipeline(_, children) = run else {
        return Ok(());
    };
    if let Some(child) = children.iter().find(|child| !child.is_done()) {
        bail!(
            "the TaskRun {:?} of the {kind} is not finished; export it again when it is",
            &*child.metadata.name
        );
    }
    Ok(())
}

/// The bytes of the envelope, or the base64 of the signature of a payload that has none.
async fn signed(signer: &Signer, artifact: Artifact, payload: Payload) -> anyhow::Result<String> {
    let signature = signer.sign(&message(&payload)).await?;
    let attested = Signed::new(artifact, payload, signature);
    Ok(match attested.envelope() {
        Some(envelope) => envelope.to_json(),
        None => STANDARD.encode(attested.signature_text()),
    })
}
