//! The default format: an in-toto statement in an envelope, checked as an attestation.

use anyhow::{Result, ensure};
use windlass_e2e::{Cosign, Kind, RunRecord, Testbed, guide, on_both_clusters, runs};

on_both_clusters!(cosign_accepts_the_envelope_of_the_default_format);

fn cosign_accepts_the_envelope_of_the_default_format(kind: Kind) -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(kind, cosign, |testbed| {
            let shell = testbed.shell();
            shell.ok(guide::KEY_PAIR)?;
            shell.ok(
                r#"kubectl patch configmap chains-config -p '{"data":{"artifacts.oci.storage": ""}}'"#,
            )?;
            runs::create_batch(shell, "default", 1)?;
            runs::finish(shell, "taskrun/default-0")?;
            runs::wait_until_signed(shell, "taskrun/default-0")?;

            let run = RunRecord::get(shell, "default-0")?;
            shell.write("sig", run.signature()?)?;
            let arguments = "--key k8s://openshift-pipelines/signing-secrets --signature sig \
                             --type slsaprovenance --check-claims=false /dev/null";
            let flags = cosign.verify_flags();
            for line in [
                format!("cosign verify-blob-attestation {flags}{arguments}"),
                format!("windlass verify-blob-attestation {arguments}"),
                format!("windlass verify-blob-attestation {flags}{arguments}"),
            ] {
                shell.run(&line)?.exits(0)?.says("Verified OK")?;
            }
            let envelope: serde_json::Value = serde_json::from_slice(&run.signature()?)?;
            ensure!(
                envelope["payloadType"] == "application/vnd.in-toto+json",
                "got {envelope}"
            );
            Ok(())
        })?;
    }
    Ok(())
}
