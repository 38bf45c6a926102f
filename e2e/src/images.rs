//! Steps of scenarios in which runs build images: credentials, accounts, the image, the run, and
//! what is verified afterwards.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::guide::SYSTEM_NAMESPACE;
use crate::parts::Cosign;
use crate::shell::Shell;

/// Changes `chains-config`.
pub fn configure(shell: &Shell, settings: &[(&str, &str)]) -> Result<()> {
    let data: BTreeMap<_, _> = settings.iter().copied().collect();
    shell.write("settings.json", json!({ "data": data }).to_string())?;
    shell.ok("kubectl patch configmap chains-config --patch-file settings.json")?;
    Ok(())
}

/// Changes `windlass-config`, which is made if it does not exist.
pub fn configure_windlass(shell: &Shell, settings: &[(&str, &str)]) -> Result<()> {
    let config_map = format!("configmap windlass-config -n {SYSTEM_NAMESPACE}");
    shell.ok(&format!(
        "kubectl get {config_map} || kubectl create {config_map}"
    ))?;
    let data: BTreeMap<_, _> = settings.iter().copied().collect();
    shell.write("own-settings.json", json!({ "data": data }).to_string())?;
    shell.ok(&format!(
        "kubectl patch {config_map} --patch-file own-settings.json"
    ))?;
    Ok(())
}

/// Makes a secret with a Docker configuration.
pub fn secret(shell: &Shell, name: &str, config: &str) -> Result<()> {
    shell.write("secret.json", config)?;
    shell.ok(&format!(
        "kubectl create secret generic {name} --from-file=.dockerconfigjson=secret.json \
         --type=kubernetes.io/dockerconfigjson"
    ))?;
    Ok(())
}

/// Makes a service account with these lists of secrets.
pub fn account(shell: &Shell, name: &str, lists: &Value) -> Result<()> {
    shell.ok(&format!("kubectl create serviceaccount {name}"))?;
    shell.write("account.json", lists.to_string())?;
    shell.ok(&format!(
        "kubectl patch serviceaccount {name} --patch-file account.json"
    ))?;
    Ok(())
}

/// Pushes something and gives it by its digest.
pub fn push(shell: &Shell, repository: &str) -> Result<String> {
    shell.write("content.txt", repository)?;
    shell.ok(&format!(
        "cosign upload blob -f content.txt {repository}:v1"
    ))?;
    let tree = shell.ok(&format!("windlass tree {repository}:v1"))?;
    let image = tree.lines().next().context("an empty tree")?;
    Ok(image.to_owned())
}

/// Creates a run of an account.
pub fn start(shell: &Shell, name: &str, account: &str, template: &Value) -> Result<()> {
    let run = json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": { "name": name },
        "spec": {
            "serviceAccountName": account,
            "podTemplate": template,
            "taskSpec": { "steps": [{ "name": "build", "image": "busybox" }] },
        },
    });
    shell.write("run.json", run.to_string())?;
    shell.ok("kubectl create -f run.json")?;
    Ok(())
}

/// Ends a run that built an image.
pub fn finish(shell: &Shell, name: &str, image: &str) -> Result<()> {
    let (repository, digest) = image.split_once('@').context("no digest")?;
    let status = json!({ "status": {
        "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
        "startTime": "2026-11-23T10:00:00Z",
        "completionTime": "2026-11-23T10:01:00Z",
        "results": [
            { "name": "IMAGE_URL", "type": "string", "value": format!("{repository}:v1") },
            { "name": "IMAGE_DIGEST", "type": "string", "value": digest },
        ],
    }});
    shell.write("status.json", status.to_string())?;
    shell.ok(&format!(
        "kubectl patch taskrun/{name} --subresource=status --type=merge --patch-file status.json"
    ))?;
    Ok(())
}

/// Verifies signature and attestation of an image, with cosign 2.5 and with windlass.
pub fn verify(shell: &Shell, image: &str) -> Result<()> {
    let key = "--key k8s://openshift-pipelines/signing-secrets";
    let flags = Cosign::Two.verify_flags();
    shell.ok(&format!("cosign verify {flags}{key} {image}"))?;
    let kind = "--type slsaprovenance";
    shell.ok(&format!(
        "cosign verify-attestation {flags}{key} {kind} {image}"
    ))?;
    shell.ok(&format!("windlass verify {key} {image}"))?;
    shell.ok(&format!("windlass verify {key} {kind} {image}"))?;
    Ok(())
}
