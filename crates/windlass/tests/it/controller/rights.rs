//! The rights that the manifests grant are the requests that the program makes, no more and no fewer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use windlass_sandbox::{Fault, FaultAnswer, SeenRequest};

use super::metrics::free_port;
use super::process::{Controller, config_map, finished_run, until};
use crate::scene::Scene;

const SYSTEM: &str = "tekton-chains";
const RBAC: &str = include_str!("../../../../../deploy/base/rbac.yaml");
const DEPLOYMENT: &str = include_str!("../../../../../deploy/base/controller.yaml");
const KEYS: &str = "../core/tests/fixtures/keys/cosign3-p256";
/// A request as the API server's authorization sees it, or a right to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Attributes {
    verb: String,
    group: String,
    resource: String,
    /// Empty for all.
    namespace: String,
    /// Empty for all.
    name: String,
}

impl Attributes {
    fn of(request: &SeenRequest) -> Self {
        let mut path = request.path.trim_matches('/').split('/').peekable();
        let group = match path.next() {
            Some("apis") => path.next().unwrap(),
            _ => "",
        };
        let _version = path.next();
        let namespace = match path.next_if_eq(&"namespaces") {
            Some(_) => path.next().unwrap(),
            None => "",
        };
        let resource = path.next().unwrap().to_owned();
        let named = path.next().map(str::to_owned);
        let subresource = path.next().map(|part| format!("/{part}"));
        let parameters: BTreeSet<&str> = request.query.split('&').collect();
        let verb = match request.method.as_str() {
            "GET" if named.is_some() => "get",
            "GET" if parameters.contains("watch=true") => "watch",
            "GET" => "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            other => other,
        };
        let mut parameters = parameters.iter();
        let selected =
            parameters.find_map(|one| one.strip_prefix("fieldSelector=metadata.name%3D"));
        Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource + subresource.as_deref().unwrap_or_default(),
            namespace: namespace.to_owned(),
            name: named.or(selected.map(str::to_owned)).unwrap_or_default(),
        }
    }

    /// The rights in the file.
    fn granted() -> BTreeSet<Self> {
        let documents = RBAC
            .split("\n---\n")
            .map(|text| serde_saphyr::from_str(text).unwrap());
        let mut rights = BTreeSet::new();
        for role in documents.filter(|one: &Value| one["rules"].is_array()) {
            let namespace = role["metadata"]["namespace"].as_str().unwrap_or_default();
            for rule in role["rules"].as_array().unwrap() {
                rights.extend(Self::of_rule(namespace, rule));
            }
        }
        rights
    }

    fn of_rule(namespace: &str, rule: &Value) -> Vec<Self> {
        let texts = |field: &str| {
            let list = rule[field].as_array().into_iter().flatten();
            let texts = list.map(|text| text.as_str().unwrap().to_owned());
            texts.collect::<Vec<_>>()
        };
        let mut names = texts("resourceNames");
        if names.is_empty() {
            names.push(String::new());
        }
        let mut rights = Vec::new();
        assert_eq!(texts("apiGroups").len(), 1, "{rule}");
        for resource in texts("resources") {
            for verb in texts("verbs") {
                rights.extend(names.iter().map(|name| Self {
                    verb: verb.clone(),
                    group: texts("apiGroups")[0].clone(),
                    resource: resource.clone(),
                    namespace: namespace.to_owned(),
                    name: name.clone(),
                }));
            }
        }
        rights
    }

    fn is_granted_by(&self, right: &Self) -> bool {
        let fits = |right: &str, own: &str| right.is_empty() || right == own;
        let is_it = (&right.verb, &right.group, &right.resource)
            == (&self.verb, &self.group, &self.resource);
        is_it && fits(&right.namespace, &self.namespace) && fits(&right.name, &self.name)
    }
}

/// Everything that a controller has to do with: settings with a mistake, a key, a run without an image,
/// and a TaskRun and a PipelineRun whose image nobody serves.
fn scene() -> Scene {
    let scene = Scene::new(&[SYSTEM, "a"]);
    let read = |name: &str| std::fs::read_to_string(format!("{KEYS}/{name}")).unwrap();
    scene.create(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "namespace": SYSTEM, "name": "signing-secrets" },
        "stringData": {
            "cosign.key": read("cosign.key"), "cosign.password": read("cosign.password"),
        },
    }));
    let config = json!({
        "artifacts.taskrun.storage": "tekton,oci", "artifacts.pipelinerun.storage": "tekton,oci",
        "artifacts.taskrun.fromat": "in-toto",
    });
    config_map(&scene, "chains-config", &config);
    config_map(
        &scene,
        "windlass-config",
        &json!({ "network.allow": "127.0.0.0/8" }),
    );
    scene.create(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": "a", "name": "push" },
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": { ".dockerconfigjson": r#"{"auths":{"127.0.0.1:1":{"auth":"YTpi"}}}"# },
    }));
    scene.create(json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "namespace": "a", "name": "builder" }, "secrets": [{ "name": "push" }],
    }));
    finished_run(&scene, "a", "plain");
    for (kind, name, spec) in [
        (
            "TaskRun",
            "image",
            json!({ "serviceAccountName": "builder" }),
        ),
        (
            "PipelineRun",
            "release",
            json!({ "taskRunTemplate": { "serviceAccountName": "builder" } }),
        ),
    ] {
        scene.create(json!({
            "apiVersion": "tekton.dev/v1", "kind": kind,
            "metadata": { "namespace": "a", "name": name },
            "spec": spec,
            "status": {
                "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
                "results": [
                    { "name": "IMAGE_URL", "value": "127.0.0.1:1/team/app:v1" },
                    { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
                ],
            },
        }));
    }
    // a write that comes too late makes the controller read the run again
    for path in ["/taskruns/image", "/pipelineruns/release"] {
        let late = FaultAnswer::Status(409.into());
        scene.cluster.fail(Fault::new("PATCH", path, late));
    }
    scene
}

/// The variables that the Deployment gives the program.
fn variables() -> BTreeMap<String, String> {
    let (deployment, _) = DEPLOYMENT.split_once("\n---\n").unwrap();
    let deployment: Value = serde_saphyr::from_str(deployment).unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or(SYSTEM).to_owned();
    variables
        .map(|one| (text(&one["name"]), text(&one["value"])))
        .collect()
}

#[test]
fn every_request_is_granted_and_every_right_is_used() {
    let scene = scene();
    let mut variables = variables();
    // not a flag, with which the ConfigMap would not be read
    variables.insert("METRICS_PROMETHEUS_PORT".to_owned(), free_port());
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let words = ["controller", "--health-address", "127.0.0.1:0"];
    let first = Controller::start_with(&scene, &words, &variables);
    for (method, path) in [
        ("GET", "/taskruns/image"),
        ("GET", "/pipelineruns/release"),
        ("GET", "/secrets/push"),
        ("PUT", "/leases/windlass"),
        ("POST", "/events"),
    ] {
        let what = format!("{method} {path}");
        until(&what, || scene.cluster.count(method, path) > 0);
    }
    first.stop();
    let second = Controller::start_with(&scene, &words, &variables);
    until("the mistake in the settings is told again", || {
        scene.cluster.count("PATCH", "/events/") > 0
    });
    second.stop();
    let used: BTreeSet<Attributes> = scene
        .cluster
        .requests()
        .iter()
        .map(Attributes::of)
        .collect();
    let rights = Attributes::granted();
    for request in &used {
        let is_granted = rights.iter().any(|right| request.is_granted_by(right));
        assert!(
            is_granted,
            "no rule of deploy/base/rbac.yaml grants {request:?}"
        );
    }
    for right in &rights {
        let is_used = used.iter().any(|request| request.is_granted_by(right));
        assert!(is_used, "nothing uses {right:?}; used are {used:#?}");
    }
}
