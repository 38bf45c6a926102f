//! Signing without a key: the real Fulcio certifies the controller, and cosign verifies with the identity
//! that `describe` shows.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::{Cosign, Fulcio, Kind, RunRecord, Shell, Testbed, on_both_clusters, runs};

on_both_clusters!(runs_signed_without_a_key_are_verified_by_cosign_with_the_identity_shown);

/// What Fulcio names the service account.
const IDENTITY: &str =
    "https://kubernetes.io/namespaces/tekton-chains/serviceaccounts/tekton-chains-controller";

fn runs_signed_without_a_key_are_verified_by_cosign_with_the_identity_shown(
    kind: Kind,
) -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(kind, cosign, |testbed| {
            let shell = testbed.shell();
            let fulcio = Fulcio::start(shell.folder())?;
            let token = fulcio.token(shell, "tekton-chains", "tekton-chains-controller")?;
            shell.write("identity-token", &token)?;
            configure(shell, &fulcio)?;
            runs::create_batch(shell, "run", 3)?;
            runs::finish(shell, "-f run.json")?;
            let mut certificates = Vec::new();
            for number in 0..3 {
                let name = format!("run-{number}");
                let signed = |run: &RunRecord| run.annotation("signed") == "true";
                RunRecord::wait(shell, &name, "is signed", signed)?;
                certificates.push(verified(shell, cosign, &name, &fulcio)?);
            }
            certificates.dedup();
            ensure!(certificates.len() == 1, "each run took a certificate");
            ensure!(testbed.controller_is_running(), "the controller ended");
            Ok(())
        })?;
    }
    Ok(())
}

/// Has the controller sign with certificates of this Fulcio.
fn configure(shell: &Shell, fulcio: &Fulcio) -> Result<()> {
    let patch = json!({"data": {
        "artifacts.oci.storage": "",
        "signers.x509.fulcio.enabled": "true",
        "signers.x509.fulcio.address": fulcio.address(),
        "signers.x509.fulcio.issuer": fulcio.issuer(),
        "signers.x509.identity.token.file": shell.folder().join("identity-token"),
    }});
    let line = format!("kubectl patch configmap chains-config -p '{patch}'");
    shell.ok(&line).map(drop)
}

/// The certificate of a run, which cosign verifies with the identity that `describe` shows and with no
/// other.
fn verified(shell: &Shell, cosign: Cosign, name: &str, fulcio: &Fulcio) -> Result<Vec<u8>> {
    let run = RunRecord::get(shell, name)?;
    let (certificate, chain) = (run.certificate()?, run.chain()?);
    shell.write("check.crt", &certificate)?;
    shell.write("check.chain", &chain)?;
    shell.write("check.envelope", run.signature()?)?;
    let shown = shell.ok(&format!("windlass tr describe {name}"))?;
    let shown = shown
        .lines()
        .find_map(|line| line.strip_prefix("Identity:"));
    let shown = shown.context("describe shows no identity")?.trim();
    ensure!(shown.contains(IDENTITY), "{shown}");
    let flags = cosign.verify_flags();
    let line = |identity: &str| {
        format!(
            "cosign verify-blob-attestation {flags}--insecure-ignore-sct --certificate check.crt \
             --certificate-chain check.chain {identity} --signature check.envelope \
             --type slsaprovenance --check-claims=false /dev/null"
        )
    };
    shell.run(&line(shown))?.exits(0)?.says("Verified OK")?;
    let other = format!(
        "--certificate-identity=https://somebody --certificate-oidc-issuer={}",
        fulcio.issuer()
    );
    let refused = shell.run(&line(&other))?;
    ensure!(refused.code != 0, "cosign verified another identity");
    Ok(certificate)
}
