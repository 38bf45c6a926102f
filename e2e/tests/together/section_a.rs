//! Section A of the guide: an account gets credentials for a registry, and what its runs build is
//! signed and attested there, where cosign verifies it.

use anyhow::{Result, ensure};
use serde_json::json;
use windlass_e2e::guide::{self, Signing};
use windlass_e2e::{
    Cosign, Kind, Registry, RunRecord, Shell, Testbed, images, on_both_clusters, runs,
};

on_both_clusters!(
    what_an_account_with_credentials_builds_is_verified_by_cosign,
    bundles_are_verified_by_cosign_3,
    both_encodings_are_verified_by_each_cosign
);

/// The guide's lines, with the slip mended that it has in the first.
const SECRET: &str = "oc create secret generic registry-credentials \
                      --from-file=.dockerconfigjson=config.json \
                      --type=kubernetes.io/dockerconfigjson -n $NAMESPACE";
const PATCH: &str = r#"oc patch serviceaccount $SERVICE_ACCOUNT_NAME -p "{\"imagePullSecrets\": [{\"name\": \"registry-credentials\"}]}" -n $NAMESPACE"#;

fn what_an_account_with_credentials_builds_is_verified_by_cosign(kind: Kind) -> Result<()> {
    for cosign in Cosign::BOTH {
        build(kind, cosign, "dsse", |shell, image| {
            let flags = cosign.verify_flags();
            let key = "--key k8s://openshift-pipelines/signing-secrets";
            shell.ok(&format!("cosign verify {flags}{key} {image}"))?;
            let verify = format!("cosign verify-attestation {flags}{key} --type slsaprovenance");
            shell.ok(&format!("{verify} {image}"))?;
            Ok(())
        })?;
    }
    Ok(())
}

fn bundles_are_verified_by_cosign_3(kind: Kind) -> Result<()> {
    build(kind, Cosign::Three, "sigstore-bundle", |shell, image| {
        let flags = "--insecure-ignore-tlog --key k8s://openshift-pipelines/signing-secrets";
        shell.ok(&format!("cosign verify {flags} {image}"))?;
        let verify = format!("cosign verify-attestation {flags} --type slsaprovenance");
        shell.ok(&format!("{verify} {image}"))?;
        found_by_oras(shell, image)
    })
}

/// Signature and attestation are listed with their artifact type.
fn found_by_oras(shell: &Shell, image: &str) -> Result<()> {
    const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let listed = shell.ok(&format!("oras discover --plain-http --format json {image}"))?;
    let found = listed.matches(BUNDLE).count();
    ensure!(found == 2, "oras lists {found} bundles, not two: {listed}");
    Ok(())
}

/// cosign 2.5 reads tags only; 3.1 reads whichever it finds.
fn both_encodings_are_verified_by_each_cosign(kind: Kind) -> Result<()> {
    for cosign in Cosign::BOTH {
        build(kind, cosign, "both", |shell, image| {
            let key = "--key k8s://openshift-pipelines/signing-secrets";
            let mut flags = vec![cosign.verify_flags()];
            if cosign == Cosign::Three {
                flags.push("--insecure-ignore-tlog ");
            }
            for flags in flags {
                shell.ok(&format!("cosign verify {flags}{key} {image}"))?;
                let verify = format!("cosign verify-attestation {flags}{key}");
                shell.ok(&format!("{verify} --type slsaprovenance {image}"))?;
            }
            found_by_oras(shell, image)
        })?;
    }
    Ok(())
}

/// Follows the guide, lets a run build an image under the account, and hands over the image.
fn build(
    kind: Kind,
    cosign: Cosign,
    encoding: &str,
    verify: impl FnOnce(&Shell, &str) -> Result<()>,
) -> Result<()> {
    Testbed::with(kind, cosign, |testbed| {
        let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
        let shell = testbed
            .shell_with_login(&registry.docker_config(""))?
            .with("NAMESPACE", "openshift-pipelines")
            .with("SERVICE_ACCOUNT_NAME", "build-bot");
        shell.ok(guide::KEY_PAIR)?;
        let settings = [
            ("artifacts.oci.storage", "oci"),
            ("artifacts.taskrun.storage", "tekton,oci"),
            ("storage.oci.encoding-format", encoding),
        ];
        images::configure(&shell, &settings)?;
        let typed = |line| Signing::Cosign(cosign).typed(line);
        shell.ok(&typed("oc create serviceaccount build-bot"))?;
        shell.ok(&typed(SECRET))?;
        shell.ok(&typed(PATCH))?;

        let repository = format!("{}/team/app", registry.host());
        let image = images::push(&shell, &repository)?;
        images::start(&shell, "app", "build-bot", &json!({}))?;
        images::finish(&shell, "app", &image)?;
        runs::wait_until_signed(&shell, "taskrun/app")?;
        let things = if encoding == "both" { 4 } else { 2 };
        windlass_verifies(&shell, &format!("{repository}:v1"), things)?;
        let reason = RunRecord::get(&shell, "app")?;
        ensure!(reason.annotation("reason").is_empty(), "a reason is left");
        verify(&shell, &image)
    })
}

/// The run by its name; the image by its tag, with everything attached to it.
fn windlass_verifies(shell: &Shell, image: &str, things: usize) -> Result<()> {
    let key = "--key k8s://openshift-pipelines/signing-secrets";
    shell.ok(&format!("windlass verify {key} taskrun/app"))?;
    let report = shell.ok(&format!("windlass verify {key} {image}"))?;
    let valid = report.matches(": valid\n").count();
    ensure!(valid == things, "{valid} of {things} are valid: {report}");
    let attestation = format!("windlass verify-attestation {key} --type");
    let envelope = shell.ok(&format!("{attestation} slsaprovenance {image}"))?;
    ensure!(envelope.contains("payloadType"), "no envelope: {envelope}");
    shell
        .run(&format!("{attestation} spdx {image}"))?
        .exits(1)?;
    Ok(())
}
