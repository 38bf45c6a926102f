//! The installation on the real cluster: what `windlass install` prints is what kustomize builds, the
//! API server accepts it, and the controller runs under the rights it grants, each of which it needs.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::guide::{KEY_PAIR, SYSTEM_NAMESPACE};
use windlass_e2e::ports::free_port;
use windlass_e2e::{Cosign, Kind, Registry, RunRecord, Shell, Start, Testbed, images};

/// The Deployment and its account.
const CONTROLLER: &str = "tekton-chains-controller";
/// The roles of the controller, as kubectl names them.
const ROLES: [&str; 4] = [
    "clusterrole/tekton-chains-controller-cluster-access",
    "clusterrole/tekton-chains-controller-tenant-access",
    "role/tekton-chains-controller-settings",
    "role/tekton-chains-leader-election",
];
/// How long the log may take to name a right that is missing.
const LIMIT: Duration = Duration::from_secs(60);
/// What stands for Prometheus' operator: its kind alone.
const SERVICE_MONITORS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {plural: servicemonitors, singular: servicemonitor, kind: ServiceMonitor}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

#[test]
fn what_is_printed_is_what_kustomize_builds() -> Result<()> {
    Testbed::without_controller(Kind::BuiltIn, Cosign::Two, |testbed| {
        let shell = testbed.shell();
        let deploy = deploy().display().to_string();
        for (options, folder) in [
            ("", "base"),
            ("--openshift", "overlays/openshift-pipelines"),
        ] {
            let printed = objects(shell, &format!("windlass install {options}"))?;
            let built = objects(shell, &format!("kubectl kustomize {deploy}/{folder}"))?;
            ensure!(printed == built, "{options}: {printed:#?}\n{built:#?}");
        }
        let other = "resources: [base]\ncomponents: [components/monitoring]\nnamespace: signing\n\
                     images: [{name: windlass, newName: r.io/windlass, newTag: v2}]\n";
        shell.write("kustomization.yaml", other)?;
        shell.ok(&format!("cp -r {deploy}/base {deploy}/components ."))?;
        let options = "-n signing --image r.io/windlass:v2 --monitoring";
        let printed = objects(shell, &format!("windlass install {options}"))?;
        let built = objects(shell, "kubectl kustomize .")?;
        ensure!(printed == built, "{options}: {printed:#?}\n{built:#?}");
        Ok(())
    })
}

fn deploy() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

#[test]
fn the_chart_renders_to_what_kustomize_builds() -> Result<()> {
    Testbed::without_controller(Kind::BuiltIn, Cosign::Two, |testbed| {
        let shell = testbed.shell();
        let deploy = deploy().display().to_string();
        let values = std::fs::read_to_string(format!("{deploy}/chart/values.yaml"))?;
        let values: Value = serde_saphyr::from_str(&values)?;
        for (namespace, changes, folder) in [
            ("tekton-chains", json!({"createNamespace": true}), "base"),
            (
                "openshift-pipelines",
                json!({"openshift": true}),
                "overlays/openshift-pipelines",
            ),
        ] {
            let mut values = values.clone();
            for (name, value) in changes.as_object().into_iter().flatten() {
                ensure!(!values[name].is_null(), "values.yaml has no {name}");
                values[name] = value.clone();
            }
            let render =
                format!("render-templates {namespace} '{values}' {deploy}/chart/templates/*.yaml");
            let rendered = objects(shell, &render)?;
            let built = objects(shell, &format!("kubectl kustomize {deploy}/{folder}"))?;
            ensure!(rendered == built, "{folder}: {rendered:#?}\n{built:#?}");
        }
        Ok(())
    })
}

/// The objects that a command prints as YAML, in an order of their own.
fn objects(shell: &Shell, command: &str) -> Result<Vec<Value>> {
    let text = shell.ok(command)?;
    let documents = text.split("---\n").filter(|part| !part.trim().is_empty());
    let objects = documents.map(serde_saphyr::from_str);
    let mut objects = objects.collect::<Result<Vec<Value>, _>>()?;
    objects.sort_by_key(|object| {
        let metadata = &object["metadata"];
        let (namespace, name) = (&metadata["namespace"], &metadata["name"]);
        format!("{} {namespace} {name}", object["kind"])
    });
    ensure!(
        objects.len() > 10,
        "{command} printed {} objects",
        objects.len()
    );
    Ok(objects)
}

#[test]
fn the_controller_runs_under_the_rights_that_are_installed_and_needs_each() -> Result<()> {
    Testbed::without_controller(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        install(&shell)?;
        a_restricted_namespace_admits_the_pod(&shell)?;
        shell.ok(KEY_PAIR)?;
        // a key that nobody knows is told at each start, by the same Event
        let settings = [
            ("artifacts.oci.storage", "oci"),
            ("artifacts.taskrun.storage", "tekton,oci"),
            ("artifacts.pipelinerun.storage", "tekton,oci"),
            ("artifacts.taskrun.fromat", "in-toto"),
        ];
        images::configure(&shell, &settings)?;
        images::secret(
            &shell,
            "push",
            r#"{"auths":{"127.0.0.1:1":{"auth":"YTpi"}}}"#,
        )?;
        images::account(&shell, "builder", &json!({"secrets": [{"name": "push"}]}))?;
        let start = start(&shell)?;
        testbed.start_controller_as(&start)?;
        nothing_is_refused(testbed, &shell)?;
        an_image_is_signed_and_a_lease_is_held(&shell)?;
        for role in ROLES {
            each_right_is_needed(testbed, &shell, &start, role)?;
        }
        Ok(())
    })
}

/// Applies the manifests twice, by the server and with its strict validation.
fn install(shell: &Shell) -> Result<()> {
    shell.write("kind.yaml", SERVICE_MONITORS)?;
    shell.ok("kubectl apply -f kind.yaml")?;
    shell.ok("kubectl wait crd --all --for=condition=Established --timeout=60s")?;
    // an installation elsewhere, as the README types it
    shell.ok("windlass install -n elsewhere --image r.io/windlass:v1 | kubectl apply -f -")?;
    let line = "windlass install --openshift --image r.io/windlass:v1 | kubectl apply --server-side \
                --force-conflicts --validate=strict -f -";
    shell.ok(line)?;
    let versions = "kubectl get deployment,clusterrole,role,rolebinding,configmap \
                    -l app.kubernetes.io/part-of=tekton-chains -o \
                    jsonpath='{.items[*].metadata.resourceVersion}'";
    let before = shell.ok(versions)?;
    shell.ok(line)?;
    ensure!(
        before == shell.ok(versions)?,
        "applying again changes something"
    );
    Ok(())
}

/// The pod of the Deployment as one that a namespace admits that enforces `restricted`, which the base
/// installation has.
fn a_restricted_namespace_admits_the_pod(shell: &Shell) -> Result<()> {
    let find = "kubectl get deployment tekton-chains-controller -n elsewhere -o json";
    let deployment: Value = serde_json::from_str(&shell.ok(find)?)?;
    let mut pod = deployment["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = "controller".into();
    shell.write("pod.json", pod.to_string())?;
    shell.ok("kubectl create -n elsewhere -f pod.json --dry-run=server")?;
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true.into();
    shell.write("pod.json", pod.to_string())?;
    let refused = shell.run("kubectl create -n elsewhere -f pod.json --dry-run=server")?;
    refused.exits(1)?.says("violates PodSecurity")?;
    Ok(())
}

/// The container of the Deployment, with a kubeconfig of its account, and ports that are free.
fn start(shell: &Shell) -> Result<Start> {
    let find = format!("kubectl get deployment {CONTROLLER} -n {SYSTEM_NAMESPACE} -o json");
    let deployment = serde_json::from_str(&shell.ok(&find)?)?;
    let mut start = Start::of(&deployment, &shell.folder().join("mounts"))?;
    let kubeconfig = kubeconfig_of_account(shell)?.display().to_string();
    for (name, value) in [
        ("KUBECONFIG", kubeconfig),
        // no flag, with which the ConfigMap would not be read
        ("METRICS_PROMETHEUS_HOST", "127.0.0.1".to_owned()),
        ("METRICS_PROMETHEUS_PORT", free_port()?.to_string()),
    ] {
        start.variables.push((name.to_owned(), value));
    }
    let probes = ["--health-address", "127.0.0.1:0"];
    start.arguments.extend(probes.map(str::to_owned));
    Ok(start)
}

/// A kubeconfig with a token of the controller's account.
fn kubeconfig_of_account(shell: &Shell) -> Result<PathBuf> {
    shell.ok(&format!(
        "cp $KUBECONFIG controller.json && kubectl --kubeconfig=controller.json config \
         set-credentials admin --token=$(kubectl create token tekton-chains-controller -n \
         {SYSTEM_NAMESPACE} --duration=2h)"
    ))?;
    let path = shell.folder().join("controller.json");
    let who = shell.ok("kubectl --kubeconfig=controller.json auth whoami")?;
    ensure!(who.contains("system:serviceaccount:"), "{who}");
    Ok(path)
}

/// Under all rights, every kind of work is done and the log names no refusal.
fn nothing_is_refused(testbed: &Testbed, shell: &Shell) -> Result<()> {
    work(shell)?;
    RunRecord::wait(shell, "plain", "signed", |run| {
        run.annotation("signed") == "true"
    })?;
    RunRecord::wait(shell, "image", "told why", |run| {
        run.annotation("reason").contains("127.0.0.1:1")
    })?;
    let told = r"jsonpath='{.metadata.annotations.chains\.tekton\.dev/reason}'";
    shell.ok(&format!(
        "kubectl wait pipelinerun/release --for={told} --timeout=60s"
    ))?;
    let log = testbed.controller_log()?;
    let refused = log.lines().find(|line| line.contains("forbidden"));
    ensure!(refused.is_none(), "refused: {refused:?}");
    Ok(())
}

/// With the secret of its account, a run pushes what is signed of its image; the lease of the replica
/// is renewed.
fn an_image_is_signed_and_a_lease_is_held(shell: &Shell) -> Result<()> {
    let registry = Registry::start(&shell.folder().join("registry"))?;
    images::secret(shell, "pushes", &registry.docker_config(""))?;
    let lists = json!({"secrets": [{"name": "pushes"}]});
    images::account(shell, "pusher", &lists)?;
    let image = format!("{}/team/app@sha256:{}", registry.host(), "ef".repeat(32));
    images::start(shell, "pushed", "pusher", &json!({}))?;
    images::finish(shell, "pushed", &image)?;
    RunRecord::wait(shell, "pushed", "signed", |run| {
        run.annotation("signed") == "true"
    })?;
    shell.write("config.json", registry.docker_config(""))?;
    let folder = shell.folder().display().to_string();
    images::verify(&shell.clone().with("DOCKER_CONFIG", &folder), &image)?;
    let renewed = format!(
        "kubectl get lease windlass-replica-0 -n {SYSTEM_NAMESPACE} \
         -o jsonpath='{{.spec.holderIdentity}} {{.spec.renewTime}}'"
    );
    let (before, begun) = (shell.ok(&renewed)?, Instant::now());
    ensure!(before.starts_with("windlass/"), "the lease is {before:?}");
    while shell.ok(&renewed)? == before {
        ensure!(begun.elapsed() < LIMIT, "the lease stays {before:?}");
        sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Makes the runs anew that need every right: one without an image, one whose image nobody serves, and
/// a pipeline run with such an image, which is read again once its task run is signed. That task run
/// lacks the label by which it would be listed.
fn work(shell: &Shell) -> Result<()> {
    clear(shell)?;
    let results = json!([
        {"name": "IMAGE_URL", "type": "string", "value": "127.0.0.1:1/team/app:v1"},
        {"name": "IMAGE_DIGEST", "type": "string", "value": format!("sha256:{}", "cd".repeat(32))},
    ]);
    let task = json!({"serviceAccountName": "builder", "taskRef": {"name": "build"}});
    let pipeline = json!({
        "pipelineRef": {"name": "release"}, "taskRunTemplate": {"serviceAccountName": "builder"},
    });
    create(shell, "TaskRun", &json!({"name": "plain"}), &task)?;
    create(shell, "TaskRun", &json!({"name": "image"}), &task)?;
    create(shell, "PipelineRun", &json!({"name": "release"}), &pipeline)?;
    let uid = shell.ok("kubectl get pipelinerun release -o jsonpath='{.metadata.uid}'")?;
    let child = json!({"name": "step", "ownerReferences": [{
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "release", "uid": uid,
        "controller": true,
    }]});
    create(shell, "TaskRun", &child, &task)?;
    finish(shell, "taskrun/plain", json!({}))?;
    finish(shell, "taskrun/image", json!({"results": results}))?;
    let children = json!([{
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": "step", "pipelineTaskName": "step",
    }]);
    let status = json!({"results": results, "childReferences": children});
    finish(shell, "pipelinerun/release", status)?;
    // the controller has seen that it has to wait, unless it may not
    let waits = r"jsonpath='{.metadata.annotations.chains\.tekton\.dev/reason}'";
    shell.run(&format!(
        "kubectl wait pipelinerun/release --for={waits} --timeout=3s"
    ))?;
    finish(shell, "taskrun/step", json!({}))
}

/// Deletes all runs, whatever keeps them.
fn clear(shell: &Shell) -> Result<()> {
    shell.ok("kubectl delete taskrun,pipelinerun --all --wait=false")?;
    let finalizers = r#"[{"op":"remove","path":"/metadata/finalizers"}]"#;
    for kind in ["taskrun", "pipelinerun"] {
        shell.run(&format!(
            "kubectl get {kind} -o name | xargs -r -n 1 kubectl patch --type=json -p '{finalizers}'"
        ))?;
        shell.ok(&format!(
            "kubectl wait {kind} --all --for=delete --timeout=30s || true"
        ))?;
    }
    Ok(())
}

fn create(shell: &Shell, kind: &str, metadata: &Value, spec: &Value) -> Result<()> {
    let run = json!({
        "apiVersion": "tekton.dev/v1", "kind": kind, "metadata": metadata, "spec": spec,
    });
    shell.write("run.json", run.to_string())?;
    shell.ok("kubectl create -f run.json")?;
    Ok(())
}

/// Writes the last status of a run, with this besides the condition.
fn finish(shell: &Shell, run: &str, mut status: Value) -> Result<()> {
    status["conditions"] = json!([
        {"type": "Succeeded", "status": "True", "reason": "Succeeded"},
    ]);
    shell.write("status.json", json!({ "status": status }).to_string())?;
    shell.ok(&format!(
        "kubectl patch {run} --subresource=status --type=merge --patch-file=status.json"
    ))?;
    Ok(())
}

/// Takes each right of a role away in turn; the controller then names it in its log.
fn each_right_is_needed(
    testbed: &mut Testbed,
    shell: &Shell,
    start: &Start,
    role: &str,
) -> Result<()> {
    let namespace = format!("-n {SYSTEM_NAMESPACE}");
    let find = format!("kubectl get {role} {namespace} -o json");
    let whole: Value = serde_json::from_str(&shell.ok(&find)?)?;
    let rights = rights(&whole)?;
    for (index, right) in rights.iter().enumerate() {
        let mut less = rights.clone();
        less.remove(index);
        replace(shell, &whole, &less.into())?;
        let before = testbed.controller_log()?.len();
        testbed.kill_controller()?;
        // the next one begins anew
        shell.ok(&format!("kubectl delete lease --all {namespace}"))?;
        testbed.start_controller_as(start)?;
        work(shell)?;
        let (verb, resource) = (&right["verbs"][0], &right["resources"][0]);
        let refusal = format!(
            "cannot {} resource \\\"{}\\\"",
            verb.as_str().context("a verb")?,
            resource.as_str().context("a resource")?
        );
        let start = Instant::now();
        // what is read once is told without the words of the API server
        let name = right["resourceNames"][0].as_str().unwrap_or("-");
        let unread = format!("cannot read config map {SYSTEM_NAMESPACE}/{name}");
        let is_told = |log: &str| log.contains(&refusal) || log.contains(&unread);
        while !is_told(&testbed.controller_log()?[before..]) {
            ensure!(
                start.elapsed() < LIMIT,
                "the log never says {refusal:?} without {right}"
            );
            sleep(Duration::from_millis(200));
        }
    }
    replace(shell, &whole, &whole["rules"])
}

/// The rules of a role with one verb, one resource and one name each.
fn rights(role: &Value) -> Result<Vec<Value>> {
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().context("rules")? {
        let names = rule["resourceNames"].as_array();
        let names = names.map_or(vec![None], |names| names.iter().map(Some).collect());
        for resource in rule["resources"].as_array().context("resources")? {
            for verb in rule["verbs"].as_array().context("verbs")? {
                rights.extend(names.iter().map(|name| {
                    let mut right = json!({
                        "apiGroups": rule["apiGroups"], "resources": [resource], "verbs": [verb],
                    });
                    if let Some(name) = name {
                        right["resourceNames"] = json!([name]);
                    }
                    right
                }));
            }
        }
    }
    Ok(rights)
}

fn replace(shell: &Shell, role: &Value, rules: &Value) -> Result<()> {
    let mut role = role.clone();
    role["rules"] = rules.clone();
    let metadata = role["metadata"].as_object_mut().context("metadata")?;
    metadata.remove("resourceVersion");
    metadata.remove("managedFields");
    shell.write("role.json", role.to_string())?;
    shell.ok("kubectl replace -f role.json")?;
    Ok(())
}
