//! The last part of the demo: a run that is signed without a key, and verified by whom its certificate names.

use super::stage::{NAMESPACE, Stage};
use crate::dev_cluster::DevCluster;
use crate::dev_cluster::examples::TASK_OUTPUT_IMAGE;
use crate::dev_cluster::keyless::{Keyless, LogVersion};

/// The trusted root in the folder of the demo.
const ROOT: &str = "trusted_root.json";
/// The run as it was signed, there too.
const RUN: &str = "run.json";

/// Whether certificates can be verified by this build.
const HAS_VERIFIER: bool = cfg!(feature = "sigstore");

/// An authority, a log and a timestamp authority on loopback.
pub(super) async fn sigstore() -> anyhow::Result<Keyless> {
    Ok(Keyless::start(NAMESPACE, LogVersion::V2).await?)
}

/// Signs a run with a certificate, verifies it, and shows the refusal of a changed one.
pub(super) async fn play(stage: &Stage, dev: &DevCluster, keyless: &Keyless) -> anyhow::Result<()> {
    let screen = stage.screen;
    if !HAS_VERIFIER {
        screen
            .say("13. Without a key: not in this build, which has no Sigstore verification")
            .await;
        return Ok(());
    }
    screen
        .say("13. The same without a key: an authority certifies a new one for some minutes")
        .await;
    stage.add(ROOT, &std::fs::read_to_string(keyless.trusted_root())?)?;
    stage
        .create_settings(dev, "windlass-config.json", keyless.windlass_config())
        .await?;
    let settings = serde_json::json!({ "data": keyless.chains_config() });
    stage.configure(&settings.to_string()).await?;

    screen
        .say(
            "14. Create a task run; its signature comes with the certificate and an entry of a log",
        )
        .await;
    let example = TASK_OUTPUT_IMAGE;
    let (name, _) = stage.create_run(example.file, example.text).await?;
    stage.signed(&name).await?;
    stage.shell(&format!("windlass tr describe {name}")).await?;

    screen
        .say("15. Anyone who trusts the authority can check who signed it: the controller")
        .await;
    let verify = verify(keyless);
    stage.shell(&format!("{verify} taskrun/{name}")).await?;

    screen
        .say("16. Change one byte of the run, and it is refused")
        .await;
    stage
        .shell(&format!("windlass tr describe {name} -o json > {RUN}"))
        .await?;
    stage
        .shell(&format!(
            "sed 's/FROM scratch/FROM scratcH/' {RUN} > changed.json"
        ))
        .await?;
    stage.refused(&format!("{verify} changed.json")).await
}

/// The command that verifies the run from the files alone, if it was signed.
pub(super) fn verify_file(keyless: &Keyless) -> String {
    if !HAS_VERIFIER {
        return String::new();
    }
    format!("\n  {} {RUN}", verify(keyless))
}

fn verify(keyless: &Keyless) -> String {
    format!("windlass verify {}", keyless.flags(ROOT.as_ref()))
}
