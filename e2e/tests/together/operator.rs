//! The Deployment that Tekton's operator makes for Chains on OpenShift, in which only the image is
//! another one: it starts, signs, and shows its metrics to the cluster's Prometheus alone.
//!
//! No kubelet runs here. The container is started as a process with the arguments, variables and rights
//! that the API server has of it; its ports are others, since those of the Deployment may be taken.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use serde_json::{Value, json};
use windlass_e2e::ports::free_port;
use windlass_e2e::{Cosign, Kind, RunRecord, Shell, Start, Testbed, guide, runs};

const DEPLOYMENT: &str = include_str!("../../fixtures/operator-deployment.json");
const RIGHTS: &str = include_str!("../../fixtures/operator-rights.json");

#[test]
fn the_deployment_of_the_operator_signs_once_its_image_is_changed() -> Result<()> {
    Testbed::without_controller(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        runs::configure(&shell, "tekton")?;
        shell.ok(guide::KEY_PAIR)?;
        let mounts = shell.folder().join("mounts");
        let mut start = Start::of(&deployment(&shell)?, &mounts)?;
        certificates(&shell, &mounts)?;
        let port = free_port()?.to_string();
        start.variables.extend([
            ("METRICS_PROMETHEUS_HOST".to_owned(), "127.0.0.1".to_owned()),
            ("METRICS_PROMETHEUS_PORT".to_owned(), port.clone()),
            ("KUBECONFIG".to_owned(), account(&shell)?),
        ]);
        start
            .arguments
            .push("-health-address=127.0.0.1:0".to_owned());
        testbed.start_controller_as(&start)?;
        runs::create_batch(&shell, "build", 3)?;
        runs::finish(&shell, "-f build.json")?;
        runs::wait_until_signed(&shell, "-f build.json")?;
        let run = RunRecord::get(&shell, "build-0")?;
        ensure!(
            run.verifies(&shell, Cosign::Two, "cosign.pub")?,
            "the run does not verify"
        );
        metrics_are_for_prometheus(&shell, &port)?;
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}

/// The Deployment as the API server has it once its image is changed.
fn deployment(shell: &Shell) -> Result<Value> {
    shell.write("rights.json", RIGHTS)?;
    shell.ok("kubectl apply -f rights.json")?;
    shell.write("deployment.json", DEPLOYMENT)?;
    shell.ok("kubectl apply --server-side -f deployment.json")?;
    shell.ok("kubectl set image deployment/tekton-chains-controller \
         tekton-chains-controller=registry.example.com/windlass:v1")?;
    let found = shell.ok("kubectl get deployment tekton-chains-controller -o json")?;
    Ok(serde_json::from_str(&found)?)
}

/// The path of a kubeconfig for the account of the Deployment, which the kubelet would mount a token for.
fn account(shell: &Shell) -> Result<String> {
    let token = shell.ok("kubectl create token tekton-chains-controller --duration=1h")?;
    let config = shell.ok("kubectl config view --raw -o json")?;
    let mut config: Value = serde_json::from_str(&config)?;
    config["users"][0]["user"] = json!({ "token": token.trim() });
    shell.write("account.json", config.to_string())?;
    Ok(shell.folder().join("account.json").display().to_string())
}

/// The certificate of the metrics server where it is mounted, and one for the shell.
fn certificates(shell: &Shell, mounts: &Path) -> Result<()> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // the name of what it issues is another one: openssl takes equal names for a self-signed certificate
    params
        .distinguished_name
        .push(DnType::CommonName, "authority of metrics");
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    shell.write("ca.crt", &authority)?;
    std::fs::write(
        mounts.join("etc/metrics-client-ca/client-ca.crt"),
        authority,
    )?;
    for (folder, names, purpose) in [
        (
            mounts.join("etc/metrics-tls"),
            vec!["127.0.0.1".to_owned()],
            ExtendedKeyUsagePurpose::ServerAuth,
        ),
        (
            shell.folder().to_owned(),
            Vec::new(),
            ExtendedKeyUsagePurpose::ClientAuth,
        ),
    ] {
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?;
        std::fs::write(folder.join("tls.crt"), certificate.pem())?;
        std::fs::write(folder.join("tls.key"), key.serialize_pem())?;
    }
    Ok(())
}

fn metrics_are_for_prometheus(shell: &Shell, port: &str) -> Result<()> {
    let curl = "curl --noproxy '*' --silent --show-error --fail --cacert ca.crt";
    let url = format!("https://127.0.0.1:{port}/metrics");
    let text = shell.ok(&format!("{curl} --cert tls.crt --key tls.key {url}"))?;
    let signed = text.lines().find_map(|line| {
        let count = line.strip_prefix("watcher_taskrun_marked_signed_total ")?;
        count.parse::<u32>().ok()
    });
    let signed = signed.with_context(|| format!("no count of signed runs in\n{text}"))?;
    ensure!(signed == 3, "{signed} runs are counted as signed");
    let stranger = shell.run(&format!("{curl} {url}"))?;
    ensure!(stranger.code != 0, "metrics are shown to everybody");
    Ok(())
}
