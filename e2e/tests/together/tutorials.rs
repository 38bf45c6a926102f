//! The two tutorials of Tekton Chains that need no service outside, typed line by line: with windlass in
//! the place of cosign and tkn, and with cosign itself.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use windlass_e2e::{Cosign, Follow, Shell, Workstation, images};

/// The namespace of the tutorials.
const DEV: &str = "--run-steps --system-namespace tekton-chains";
/// The line that both begin with.
const KEY_PAIR: &str = "cosign generate-key-pair k8s://tekton-chains/signing-secrets";

/// "Getting started", after the key pair.
const GETTING_STARTED: [&str; 8] = [
    r#"kubectl patch configmap chains-config -n tekton-chains -p='{"data":{"artifacts.oci.storage": "", "artifacts.taskrun.format":"in-toto", "artifacts.taskrun.storage": "tekton"}}'"#,
    "kubectl delete po -n tekton-chains -l app=tekton-chains-controller",
    "kubectl create -f task-output-image.yaml",
    "tkn tr describe --last",
    WAIT,
    "export TASKRUN_UID=$(tkn tr describe --last -o  jsonpath='{.metadata.uid}')",
    r#"tkn tr describe --last -o jsonpath="{.metadata.annotations.chains\.tekton\.dev/signature-taskrun-$TASKRUN_UID}" | base64 -d > sig"#,
    "cosign verify-blob-attestation --insecure-ignore-tlog --key k8s://tekton-chains/signing-secrets --signature sig --type slsaprovenance --check-claims=false /dev/null",
];
/// "Wait for it to finish": all that is ours.
const WAIT: &str = "until windlass tr describe --last | grep -q 'signed: '; do sleep 0.2; done";

/// "Signed provenance", after the key pair; `transparency.enabled` and the search in Rekor are left out.
/// Its Task builds with kaniko, in a container: the run that takes its place builds the same image name
/// with a step that is a process, and is created rather than started by `tkn task start`, as windlass
/// starts no tasks.
const SIGNED_PROVENANCE: [&str; 7] = [
    "kubectl create secret generic registry --from-file config.json",
    r#"kubectl patch configmap chains-config -n tekton-chains -p='{"data":{"artifacts.taskrun.format": "slsa/v1"}}'"#,
    r#"kubectl patch configmap chains-config -n tekton-chains -p='{"data":{"artifacts.taskrun.storage": "oci"}}'"#,
    "kubectl create -f kaniko.yaml",
    "until kubectl get tr kaniko-chains -o json | grep -q '\"chains.tekton.dev/signed\": \"true\"'; do sleep 0.2; done",
    "cosign verify --key cosign.pub $REGISTRY/kaniko-chains",
    "cosign verify-attestation --key cosign.pub --type slsaprovenance $REGISTRY/kaniko-chains",
];

#[test]
fn the_tutorial_on_getting_started_works_word_for_word_with_windlass() -> Result<()> {
    getting_started(&windlass)
}

#[test]
fn the_tutorial_on_getting_started_works_with_cosign() -> Result<()> {
    // the line itself names the flag for the log; cosign 3 needs that for the format too
    getting_started(&|line| {
        let line = program(line, "tkn", "windlass");
        line.replace(
            "--insecure-ignore-tlog ",
            "--insecure-ignore-tlog --new-bundle-format=false ",
        )
    })
}

#[test]
fn the_tutorial_on_signed_provenance_works_word_for_word_with_windlass() -> Result<()> {
    signed_provenance(&windlass)
}

#[test]
fn the_tutorial_on_signed_provenance_works_with_cosign() -> Result<()> {
    signed_provenance(&|line| {
        let flags = "--insecure-ignore-tlog --new-bundle-format=false --key";
        program(line, "tkn", "windlass").replace("--key", flags)
    })
}

fn getting_started(typed: &dyn Fn(&str) -> String) -> Result<()> {
    let (workstation, _dev) = with_key_pair(typed)?;
    let shell = workstation.shell();
    shell.write(
        "task-output-image.yaml",
        include_str!("../../../examples/task-output-image.yaml"),
    )?;
    let mut last = None;
    for line in GETTING_STARTED {
        last = Some(
            shell
                .run(&format!("set -o pipefail; {}", typed(line)))?
                .exits(0)?,
        );
    }
    last.context("no line")?.says("Verified OK")?;
    Ok(())
}

fn signed_provenance(typed: &dyn Fn(&str) -> String) -> Result<()> {
    let (workstation, dev) = with_key_pair(typed)?;
    let registry = registry(&dev)?;
    let shell = workstation.shell().clone().with("REGISTRY", &registry);
    shell.write("config.json", r#"{"auths": {}}"#)?;
    let image = images::push(&shell, &format!("{registry}/kaniko-chains"))?;
    shell.ok("oras tag --plain-http $REGISTRY/kaniko-chains:v1 latest")?;
    shell.write("kaniko.yaml", run(&image)?)?;
    let mut verified = Vec::new();
    for line in SIGNED_PROVENANCE {
        let output = shell.run(&typed(line))?.exits(0)?;
        if line.starts_with("cosign ") {
            verified.push(output);
        }
    }
    ensure!(verified.len() == 2);
    for output in verified {
        output.says("kaniko-chains")?;
    }
    Ok(())
}

fn windlass(line: &str) -> String {
    program(&program(line, "tkn", "windlass"), "cosign", "windlass")
}

/// The line with another program wherever a command begins.
fn program(line: &str, from: &str, to: &str) -> String {
    let line = line.replace(&format!("$({from} "), &format!("$({to} "));
    match line.strip_prefix(from) {
        Some(rest) if rest.starts_with(' ') => format!("{to}{rest}"),
        _ => line,
    }
}

fn with_key_pair(typed: &dyn Fn(&str) -> String) -> Result<(Workstation, Follow)> {
    let workstation = Workstation::new(Cosign::Three)?;
    let dev = workstation.dev(DEV)?;
    let shell: &Shell = workstation.shell();
    shell.ok("export KUBECONFIG=$PWD/.windlass/kubeconfig")?;
    shell.ok(&typed(KEY_PAIR))?;
    ensure!(
        fs::exists(shell.folder().join("cosign.pub"))?,
        "no public key"
    );
    Ok((workstation, dev))
}

/// Where the registry of the cluster is, by what it prints.
fn registry(dev: &Follow) -> Result<String> {
    loop {
        let (_, line) = dev.next_line()?;
        if let Some(host) = line.strip_prefix("A registry listens on ") {
            return Ok(host.to_owned());
        }
    }
}

/// A run that says that it built the image.
fn run(image: &str) -> Result<String> {
    let (name, digest) = image.split_once('@').context("no digest")?;
    let result = |name: &str, value: &str| format!("printf {value} > $(results.{name}.path)");
    let script = [result("IMAGE_URL", name), result("IMAGE_DIGEST", digest)].join("\n");
    let run = serde_json::json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": { "name": "kaniko-chains" },
        "spec": { "taskSpec": {
            "results": [{ "name": "IMAGE_URL" }, { "name": "IMAGE_DIGEST" }],
            "steps": [{
                "name": "build-and-push", "image": "busybox",
                "script": script,
            }],
        } },
    });
    Ok(run.to_string())
}
