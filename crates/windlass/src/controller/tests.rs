//! The controller against the built-in cluster: what is written, how often, and what is not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions of tests outside #[test]"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::dsse::Envelope;
use windlass_core::key::PublicKey;
use windlass_core::network::Policy;
use windlass_sandbox::{Fault, FaultAnswer};

use crate::cluster::call::{Call, MERGE_PATCH};
use crate::controller::Options;
use crate::dev_cluster::{self, DevCluster};

mod backlog;
mod deletion;
mod echo;
mod fairness;
mod faults;
mod keyless;
mod keyless_reuse;
mod kills;
mod kills_without_room;
mod kms;
mod large;
mod marks;
mod names;
mod network;
mod other_keys;
mod outcomes;
mod pipeline_runs;
mod planted;
mod registries;
mod registry_faults;
mod replicas;
mod reuse;
mod secrets;
mod settings;
mod simulation;
mod swap;
mod tenants;
mod transparency;
mod trusted_root;
mod version_two;
mod writers;

const SYSTEM: &str = "tekton-chains";
const KEY: &str = include_str!("../../../core/tests/fixtures/keys/cosign3-p256/cosign.key");
const PUBLIC: &str = include_str!("../../../core/tests/fixtures/keys/cosign3-p256/cosign.pub");
const PASSWORD: &str =
    include_str!("../../../core/tests/fixtures/keys/cosign3-p256/cosign.password");
/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A controller whose registries are on this machine.
fn options() -> Options {
    let mut options = Options::new(SYSTEM.to_owned(), 8);
    options.registries.network = Policy::of_workstation();
    options.replication.pod = Some("first".to_owned());
    options
}

/// A controller under test.
struct Scene {
    local: DevCluster,
    client: kube::Client,
}

/// `windlass-config` with this data.
fn windlass_config(data: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "windlass-config", "namespace": SYSTEM },
        "data": data,
    })
}

impl Scene {
    /// A cluster whose controller has a key and this `chains-config`.
    async fn with(config: Value) -> Self {
        Self::without_key().await.configured(config).await
    }

    /// The same, where a pipeline run soon says what it waits for.
    async fn impatient(config: Value) -> Self {
        let mut options = options();
        options.patience = Duration::from_millis(50);
        Self::with_options(options).await.configured(config).await
    }

    /// One whose controller is set up like this, without a key.
    async fn with_options(options: Options) -> Self {
        let local = DevCluster::with(None, options).await.unwrap();
        let client = dev_cluster::client(&local.cluster).await.unwrap();
        Self { local, client }
    }

    async fn configured(self, config: Value) -> Self {
        let scene = self;
        // the empty config map that the cluster starts with comes into force first
        let changes = if config == json!({}) { 1 } else { 2 };
        scene
            .until("a config is in force", |it| {
                it.local.metrics.config_accepted.get() == 1
            })
            .await;
        scene.configure(config).await;
        scene.add_key();
        let metrics = scene.local.metrics.clone();
        let configured = |_: &Self| metrics.config_accepted.get() == changes;
        scene.until("the config is in force", configured).await;
        scene
            .until("a key is in force", |_| metrics.keys_loaded.get() == 1)
            .await;
        scene.local.cluster.clear_requests();
        scene
    }

    async fn without_key() -> Self {
        Self::with_options(options()).await
    }

    fn add_key(&self) {
        self.create(signing_secret());
    }

    fn create(&self, object: Value) -> Value {
        self.local.cluster.create(object).unwrap()
    }

    /// Merges `data` into `chains-config`.
    async fn configure(&self, data: Value) {
        let uri = format!("/api/v1/namespaces/{SYSTEM}/configmaps/chains-config");
        self.patch(&uri, json!({ "data": data })).await;
    }

    /// Creates `windlass-config`, or merges data into it, and waits until it is loaded.
    async fn configure_own(&self, data: Value) {
        let accepted = || self.local.metrics.config_accepted.get();
        self.until("a config is loaded", |_| accepted() >= 1).await;
        let before = accepted();
        if self.local.cluster.create(windlass_config(&data)).is_err() {
            let uri = format!("/api/v1/namespaces/{SYSTEM}/configmaps/windlass-config");
            self.patch(&uri, json!({ "data": data })).await;
        }
        let loaded = |_: &Self| accepted() > before;
        self.until("windlass-config is loaded", loaded).await;
    }

    async fn patch(&self, uri: &str, body: Value) {
        let body = body.to_string().into_bytes();
        let call = Call::patch("patch".to_owned(), uri.to_owned(), MERGE_PATCH, body);
        call.send(&self.client).await.unwrap();
    }

    /// Writes the status of a run, as Tekton's controller would.
    async fn finish(&self, name: &str, status: Value) {
        let uri = format!("/apis/tekton.dev/v1/namespaces/default/taskruns/{name}/status");
        self.patch(&uri, json!({ "status": status })).await;
    }

    fn run(&self, name: &str) -> Value {
        self.local
            .cluster
            .get("taskruns.tekton.dev", "default", name)
            .unwrap_or(Value::Null)
    }

    fn annotations(&self, name: &str) -> BTreeMap<String, String> {
        let annotations = self.run(name)["metadata"]["annotations"].clone();
        serde_json::from_value(annotations).unwrap_or_default()
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let runs = self.local.cluster.list("taskruns.tekton.dev");
            panic!("it never came to pass that {what}; the runs are {runs:#?}");
        }
    }

    /// Waits for the mark and gives it.
    async fn marked(&self, name: &str) -> String {
        let mark = |scene: &Self| {
            scene
                .annotations(name)
                .get("chains.tekton.dev/signed")
                .cloned()
        };
        self.until("the run is marked", |scene| mark(scene).is_some())
            .await;
        mark(self).unwrap()
    }

    /// Waits for a reason and gives it.
    async fn reason(&self, name: &str) -> String {
        let reason = |scene: &Self| {
            scene
                .annotations(name)
                .get("chains.tekton.dev/reason")
                .cloned()
        };
        self.until("the run has a reason", |scene| reason(scene).is_some())
            .await;
        reason(self).unwrap()
    }

    /// Requests that the controller made for task runs, watches and lists left out.
    fn run_requests(&self, method: &str) -> usize {
        let requests = self.local.cluster.requests();
        let ours = requests.iter().filter(|request| {
            request.method == method
                && request.path.contains("/taskruns/")
                && !request.path.ends_with("/status")
        });
        ours.count()
    }

    /// The controller made at least this many writes to task runs.
    async fn wrote_at_least(&self, count: usize) {
        self.until("the writes are made", |scene| {
            scene.run_requests("PATCH") >= count
        })
        .await;
    }

    /// The controller made this many writes to task runs, and no more. A request is in the log once
    /// it has been answered, a little after what it did can be seen.
    async fn wrote(&self, count: usize) {
        self.wrote_at_least(count).await;
        assert_eq!(self.run_requests("PATCH"), count);
    }

    /// Lets this time pass at once for every timer, once a run waits for its own.
    async fn skip(&self, time: Duration) {
        self.until("a run waits", |scene| {
            scene.local.metrics.waiting.get() == 1
        })
        .await;
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    /// Has another run signed: what the controller had begun on its own before that was done, or is
    /// in the logs of requests.
    async fn settled_after_that(&self, name: &str) {
        self.create(finished(name));
        assert_eq!(self.marked(name).await, "true");
    }

    async fn event(&self, reason: &str) -> Value {
        let find = |scene: &Self| {
            let events = scene.local.cluster.list("events");
            events.into_iter().find(|event| event["reason"] == reason)
        };
        self.until(&format!("there is an event {reason}"), |scene| {
            find(scene).is_some()
        })
        .await;
        find(self).unwrap()
    }

    async fn end(self) {
        self.local.shutdown().await.unwrap();
    }
}

/// The secret with the key.
fn signing_secret() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "signing-secrets", "namespace": SYSTEM },
        "data": {
            "cosign.key": STANDARD.encode(KEY),
            "cosign.password": STANDARD.encode(PASSWORD),
            "cosign.pub": STANDARD.encode(PUBLIC),
        },
    })
}

/// The format `in-toto` with everything on the run itself.
fn in_toto() -> Value {
    json!({ "artifacts.oci.storage": "" })
}

/// The guide's configuration.
fn tekton() -> Value {
    json!({ "artifacts.oci.storage": "", "artifacts.taskrun.format": "tekton" })
}

fn task_run(name: &str) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "taskSpec": { "steps": [{ "name": "build", "image": "busybox" }] } },
    })
}

/// A run that was finished before the controller saw it.
fn finished(name: &str) -> Value {
    let mut run = task_run(name);
    run["status"] = status();
    run
}

fn status() -> Value {
    json!({
        "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
        "podName": "pod",
        "startTime": "2026-11-23T10:00:00Z",
        "completionTime": "2026-11-23T10:01:00Z",
        "steps": [{
            "name": "build",
            "container": "step-build",
            "imageID": format!("docker.io/library/busybox@sha256:{}", "ab".repeat(32)),
            "terminated": { "exitCode": 0, "reason": "Completed" },
        }],
        "results": [],
        "taskSpec": { "steps": [{ "name": "build", "image": "busybox", "script": "make" }] },
    })
}

fn failing(method: &str, answer: FaultAnswer, times: usize) -> Fault {
    Fault {
        method: Some(method.to_owned()),
        path_contains: "/taskruns/".to_owned(),
        times,
        answer,
        ..Fault::default()
    }
}

/// Checks the stored envelope against the key and gives the statement in it.
fn verified_statement(scene: &Scene, name: &str) -> Value {
    let uid = scene.run(name)["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    let annotations = scene.annotations(name);
    let signature = &annotations[&format!("chains.tekton.dev/signature-taskrun-{uid}")];
    let envelope = Envelope::from_json(&STANDARD.decode(signature).unwrap()).unwrap();
    envelope
        .verify(&PublicKey::from_pem(PUBLIC.as_bytes()).unwrap())
        .unwrap();
    serde_json::from_slice(&envelope.decode_payload().unwrap()).unwrap()
}
