//! `windlass demo`: runs section B of the user's guide by itself, from a key pair to `Verified OK`,
//! changes what was signed to show the refusal, runs section A: an image in a registry that requires a
//! password, and ends with a run that is signed without a key.
//!
//! A shell runs every `windlass` line as it is shown. The `kubectl` lines are shown only; the demo does
//! the same through the API, so that nothing needs to be installed.

use std::process::ExitCode;

use anyhow::ensure;
use tokio_util::sync::CancellationToken;
use windlass_sandbox::steps::{self, StepRunner};

use self::stage::{NAMESPACE, Stage};
use super::dev::asked_to_end;
use crate::dev_cluster::DevCluster;
use crate::dev_cluster::examples::TASK_OUTPUT_IMAGE;

mod image;
mod keyless;
mod screen;
mod stage;

/// Configuration of the first part: section B of the guide.
const ON_RUNS: &str = r#"{"data":{"artifacts.oci.storage": "", "artifacts.taskrun.format":"tekton", "artifacts.taskrun.storage": "tekton"}}"#;
/// Exit status after Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Show the whole way from a key pair to "Verified OK" on a built-in cluster
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing needs to be installed and, without --keep, nothing is left behind.
The demo listens on loopback only and runs eleven trivial shell steps on this machine.
On a terminal it takes its time; Ctrl-C ends it.

Examples:
  # the whole way
  windlass demo

  # the same, to look at the files afterwards
  windlass demo --keep"
)]
pub(crate) struct Demo {
    /// Leave the files: runs, public key, payload, signature, trusted root and what was changed
    #[arg(long)]
    keep: bool,
}

impl Demo {
    /// Runs the demo; the exit code is that of its last command.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let Self { keep } = self;
        let asked = asked_to_end(CancellationToken::new())?;
        let dev = DevCluster::start(None, NAMESPACE).await?;
        let steps = StepRunner::start(&dev.cluster, steps::Options::default())?;
        let registry = image::registry().await?;
        let keyless = keyless::sigstore().await?;
        let stage = Stage::set(&dev, &registry, image::USER).await?;
        let play = async {
            play_with_run(&stage).await?;
            image::play(&stage, &registry).await?;
            keyless::play(&stage, &dev, &keyless).await
        };
        let outcome = tokio::select! {
            outcome = Box::pin(play) => Some(outcome),
            () = asked => None,
        };
        steps.shutdown().await;
        registry.shutdown().await;
        let verify_file = keyless::verify_file(&keyless);
        keyless.shutdown().await;
        dev.shutdown().await?;
        let Some(outcome) = outcome else {
            return Ok(ExitCode::from(INTERRUPTED));
        };
        let screen = stage.screen;
        let kept = keep.then(|| stage.keep());
        outcome?;
        screen.say("What to try next").await;
        screen::print(NEXT);
        if let Some(folder) = kept {
            screen::print(&format!(
                "\nThe files are in {0}:\n  cd {0}\n  windlass verify-blob --key cosign.pub \
                 --signature signature payload{verify_file}",
                folder.display()
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// How to go on from here.
const NEXT: &str = "  windlass dev --run-steps --examples   a cluster to play with, and runs on it
  windlass dev --run-steps --sigstore   the same, where runs are signed without a key
  windlass explain --help               what would be signed of a run, and why
  windlass verify --help                verify images, runs and files
  windlass install --help               install it on a cluster";

/// A task run whose signature is on the run itself.
async fn play_with_run(stage: &Stage) -> anyhow::Result<()> {
    let screen = stage.screen;
    screen
        .say("1. Make a key pair in a secret of the cluster (the password is empty here)")
        .await;
    stage
        .shell(&format!(
            "windlass generate-key-pair k8s://{NAMESPACE}/signing-secrets"
        ))
        .await?;

    screen
        .say("2. Configure: store signatures on the run itself, in the format tekton")
        .await;
    stage.configure(ON_RUNS).await?;

    screen
        .say("3. The guide restarts the controller here; windlass needs no restart")
        .await;
    screen
        .show(&format!(
            "kubectl delete po -n {NAMESPACE} -l app=tekton-chains-controller"
        ))
        .await;
    screen::print("No resources found");

    screen.say("4. Create a task run").await;
    let example = TASK_OUTPUT_IMAGE;
    let (name, uid) = stage.create_run(example.file, example.text).await?;

    screen
        .say("5. Its steps run, and the controller signs it")
        .await;
    stage.signed(&name).await?;
    stage.shell("windlass tr describe --last").await?;

    read(stage, &uid).await?;

    screen
        .say("7. Anyone who has the public key can check that this is what ran")
        .await;
    stage
        .shell(&format!(
            "windlass public-key --key k8s://{NAMESPACE}/signing-secrets --outfile cosign.pub"
        ))
        .await?;
    let verify = format!("windlass verify-blob --key k8s://{NAMESPACE}/signing-secrets");
    let verify = format!("{verify} --signature ./signature");
    stage.shell(&format!("{verify} ./payload")).await?;

    screen
        .say("8. Change one byte of it, and the signature is refused")
        .await;
    stage
        .shell("cp payload changed; printf X | dd of=changed bs=1 seek=20 conv=notrunc 2>/dev/null")
        .await?;
    stage.refused(&format!("{verify} ./changed")).await
}

/// Signature and payload of the run, in files.
async fn read(stage: &Stage, uid: &str) -> anyhow::Result<()> {
    let screen = stage.screen;
    screen
        .say("6. Read the signature and the payload from the run's annotations")
        .await;
    let read_uid = "windlass tr describe --last -o  jsonpath='{.metadata.uid}'";
    screen
        .show(&format!("export TASKRUN_UID=$({read_uid})"))
        .await;
    let read = stage.quiet(read_uid).await?;
    ensure!(
        read == uid,
        "the run read back has uid {read}, the one created had {uid}"
    );
    let annotation = |name: &str| {
        format!(
            "windlass tr describe --last \
             -o jsonpath=\"{{.metadata.annotations.chains\\.tekton\\.dev/{name}-taskrun-$TASKRUN_UID}}\""
        )
    };
    let signature = format!("{} > signature", annotation("signature"));
    stage.shell_with(uid, &signature).await?;
    let payload = format!("{} | base64 -d > payload", annotation("payload"));
    stage.shell_with(uid, &payload).await
}
