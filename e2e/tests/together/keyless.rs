//! Signing without a key: the real Fulcio certifies the controller, a real log of certificates promises to publish
//! that, and cosign verifies with the identity that `describe` shows.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use windlass_e2e::by_hand::TRUSTED_FILES;
use windlass_e2e::images::{configure, configure_windlass};
use windlass_e2e::{
    Cosign, Fulcio, Kind, RunRecord, Shell, Testbed, on_both_clusters, runs, trusted_root,
};

on_both_clusters!(runs_signed_without_a_key_are_verified_by_cosign_with_the_identity_shown);

fn runs_signed_without_a_key_are_verified_by_cosign_with_the_identity_shown(
    kind: Kind,
) -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(kind, cosign, |testbed| {
            let shell = testbed.shell();
            let fulcio = Fulcio::start(shell)?;
            let token = fulcio.token(shell, "tekton-chains", "tekton-chains-controller")?;
            shell.write("identity-token", &token)?;
            trusted_root::unknown_log(shell, "other")?;
            let other = String::from_utf8(shell.read("other.pub")?)?;
            sign_without_a_key(shell, &fulcio, &other)?;
            refused_by_its_log(shell)?;
            let keys = [("signers.x509.fulcio.ctlog-key", fulcio.log_key())];
            configure_windlass(shell, &keys)?;
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

/// Has the controller sign with certificates of this Fulcio that this log has promised to publish.
fn sign_without_a_key(shell: &Shell, fulcio: &Fulcio, log: &str) -> Result<()> {
    configure_windlass(
        shell,
        &[
            ("signers.x509.fulcio.root", fulcio.chain()),
            ("signers.x509.fulcio.ctlog-key", log),
        ],
    )?;
    let token = shell.folder().join("identity-token").display().to_string();
    configure(
        shell,
        &[
            ("artifacts.oci.storage", ""),
            ("signers.x509.fulcio.enabled", "true"),
            ("signers.x509.fulcio.address", fulcio.address()),
            ("signers.x509.fulcio.issuer", fulcio.issuer()),
            ("signers.x509.identity.token.file", &token),
        ],
    )
}

/// The controller signs nothing with a certificate that another log has promised to publish, and says why.
fn refused_by_its_log(shell: &Shell) -> Result<()> {
    let begun = Instant::now();
    let reason = "a certificate transparency log whose key is not the given one";
    loop {
        let events = shell.ok("kubectl get events -A -o json")?;
        if events.contains("CertificateUnavailable") && events.contains(reason) {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "no Event tells of the other log: {events}"
        );
        sleep(Duration::from_millis(200));
    }
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
    ensure!(shown.contains(Fulcio::CONTROLLER), "{shown}");
    let flags = cosign.verify_flags();
    let line = |identity: &str| {
        format!(
            "{TRUSTED_FILES}cosign verify-blob-attestation {flags}--certificate check.crt \
             --certificate-chain check.chain {identity} --signature check.envelope --type slsaprovenance --check-claims=false /dev/null"
        )
    };
    shell.run(&line(shown))?.exits(0)?.says("Verified OK")?;
    let other = fulcio.identity_flags("https://somebody");
    let refused = shell.run(&line(&other))?;
    ensure!(refused.code != 0, "cosign verified another identity");
    let other_log = format!("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE=other.pub {}", line(shown))
        .replace(TRUSTED_FILES, "");
    let refused = shell.run(&other_log)?;
    ensure!(
        refused.code != 0,
        "cosign verified with another log of certificates"
    );
    Ok(certificate)
}
