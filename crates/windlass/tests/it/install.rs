//! What `install` prints, and what `uninstall --check` sees in the built-in cluster.

use serde_json::{Value, json};

use crate::scene::Scene;
use crate::shell::Shell;

fn documents(text: &str) -> Vec<Value> {
    let parts = text.split("---\n").filter(|part| !part.is_empty());
    parts
        .map(|part| serde_saphyr::from_str(part).unwrap())
        .collect()
}

#[test]
fn what_is_installed_is_printed_as_one_stream_of_yaml() {
    let shell = Shell::new();
    let printed = shell.succeed("install --image r.io/windlass:1 -n signing --monitoring");
    let objects = documents(&printed);
    let kinds: Vec<_> = objects
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds[0], "Namespace",
        "what is in a namespace comes after it"
    );
    for kind in [
        "Deployment",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "ServiceMonitor",
    ] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert!(!kinds.contains(&"Secret"), "no key is touched");
    let config = objects
        .iter()
        .find(|one| one["kind"] == "ConfigMap")
        .unwrap();
    assert_eq!(config.get("data"), None, "no setting is touched");
}

/// Files of `deploy/`, one after the other.
const BASE: &str = concat!(
    include_str!("../../../../deploy/base/namespace.yaml"),
    "---\n",
    include_str!("../../../../deploy/base/rbac.yaml"),
    "---\n",
    include_str!("../../../../deploy/base/config.yaml"),
    "---\n",
    include_str!("../../../../deploy/base/controller.yaml"),
    "---\n",
    include_str!("../../../../deploy/base/network.yaml"),
);
const MONITOR: &str = include_str!("../../../../deploy/components/monitoring/servicemonitor.yaml");

#[test]
fn what_is_printed_is_what_the_files_of_deploy_say() {
    let shell = Shell::new();
    assert_eq!(documents(&shell.succeed("install")), documents(BASE));
    let monitored = format!("{BASE}---\n{MONITOR}");
    let printed = shell.succeed("install --monitoring");
    assert_eq!(documents(&printed), documents(&monitored));
    // what the overlay changes
    let (_, without_namespace) = monitored.split_once("---\n").unwrap();
    let lines = without_namespace.lines();
    let lines = lines.filter(|line| !line.contains("runAsUser:") && !line.contains("runAsGroup:"));
    let lines: Vec<&str> = lines.collect();
    let overlay = lines
        .join("\n")
        .replace("namespace: tekton-chains", "namespace: openshift-pipelines");
    let printed = shell.succeed("install --openshift");
    assert_eq!(documents(&printed), documents(&overlay));
}

#[test]
fn a_namespace_or_an_image_that_cannot_be_one_is_refused() {
    let shell = Shell::new();
    shell.fail(2, "install -n Signing", "lower-case letters");
    shell.fail(2, "install -n a.b", "lower-case letters");
    shell.fail(2, "install --image UPPER/x:y:z", "--image");
    shell.fail(2, "uninstall", "--check");
}

fn run(kind: &str, name: &str, metadata: &Value) -> Value {
    let mut run = json!({
        "apiVersion": "tekton.dev/v1", "kind": kind, "metadata": { "name": name }, "spec": {},
    });
    for (member, value) in metadata.as_object().unwrap() {
        run["metadata"][member] = value.clone();
    }
    run
}

#[test]
fn a_cluster_without_anything_of_the_controller_has_nothing_left() {
    let scene = Scene::new(&["tekton-chains"]);
    let other = json!({ "finalizers": ["example.com/keep"], "annotations": { "a": "b" } });
    scene.create(run("TaskRun", "other", &other));
    let printed = scene.shell.succeed("uninstall --check");
    for part in [
        "Finalizers: none",
        "Annotations: none",
        "Leases: none",
        "keys: none",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
}

#[test]
fn runs_with_a_finalizer_fail_the_check_and_everything_left_is_named() {
    let scene = Scene::new(&["tekton-chains"]);
    let signed = json!({ "annotations": { "chains.tekton.dev/signed": "true" } });
    scene.create(run("TaskRun", "signed", &signed));
    let waiting = json!({ "finalizers": ["chains.tekton.dev/pipelinerun"] });
    scene.create(run("PipelineRun", "waiting", &waiting));
    let system = json!({ "namespace": "tekton-chains", "name": "windlass" });
    scene.create(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": system,
    }));
    let key = json!({ "namespace": "tekton-chains", "name": "signing-secrets" });
    scene.create(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": key }));
    let outcome = scene.shell.run("uninstall --check");
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    for part in [
        "1 PipelineRun cannot be deleted",
        "pipelinerun/waiting -n default",
        "Annotations: on 1 TaskRun.",
        "kubectl delete lease windlass -n tekton-chains",
        "secret/signing-secrets",
    ] {
        assert!(outcome.stdout.contains(part), "{part}: {}", outcome.stdout);
    }
    let secrets = scene.cluster.requests();
    let mut secrets = secrets.iter().filter(|one| one.path.contains("/secrets"));
    assert!(secrets.all(|one| one.method == "GET"));
}
