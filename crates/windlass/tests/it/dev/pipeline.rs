//! Pipeline runs on the built-in cluster, from their creation to a verified signature.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass::dev_cluster::{DevCluster, examples};
use windlass_sandbox::pipelines::PipelineRunner;
use windlass_sandbox::registry::{Options as RegistryOptions, Registry};
use windlass_sandbox::steps::{self, StepRunner};

use crate::shell::Shell;

const KEY: &str = "k8s://tekton-chains/signing-secrets";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The built-in cluster with everything that `dev --run-steps` has.
struct Scene {
    dev: DevCluster,
    registry: Registry,
    steps: StepRunner,
    pipelines: PipelineRunner,
    shell: Shell,
}

impl Scene {
    async fn start() -> Self {
        let dev = DevCluster::start(None, "tekton-chains").await.unwrap();
        let registry = Registry::start(RegistryOptions::default()).await.unwrap();
        let options = steps::Options {
            digests: Some(registry.digests()),
            ..steps::Options::default()
        };
        let steps = StepRunner::start(&dev.cluster, options).unwrap();
        let pipelines = PipelineRunner::start(&dev.cluster);
        let mut shell = Shell::new();
        shell.kubeconfig = Some(dev.cluster.kubeconfig());
        shell.succeed(&format!("generate-key-pair {KEY}"));
        Self {
            dev,
            registry,
            steps,
            pipelines,
            shell,
        }
    }

    /// An image without layers; gives its digest.
    fn push(&self, repository: &str, tag: &str) -> String {
        let config = self.registry.put_blob(repository, "{}");
        let kind = "application/vnd.oci.image.config.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
            "config": { "mediaType": kind, "size": 2, "digest": config },
        });
        self.registry
            .put_manifest(repository, tag, MANIFEST, manifest.to_string())
    }

    /// Waits until every run of a kind is signed, and gives the first.
    async fn signed(&self, kind: &str) -> Value {
        let mark = |run: &Value| run["metadata"]["annotations"]["chains.tekton.dev/signed"].clone();
        let wait = async {
            loop {
                let runs = self.dev.cluster.list(kind);
                if !runs.is_empty() && runs.iter().all(|run| mark(run) == "true") {
                    return runs[0].clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(90), wait).await;
        assert!(waited.is_ok(), "{:#?}", self.dev.cluster.list(kind));
        waited.unwrap()
    }

    async fn end(self) {
        self.pipelines.shutdown().await;
        self.steps.shutdown().await;
        self.dev.shutdown().await.unwrap();
        self.registry.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_from_source_to_image_is_signed_with_its_task_runs_and_verified() {
    let scene = Scene::start().await;
    let image = format!("{}/shop/cart", scene.registry.host());
    let digest = scene.push("shop/cart", "1.4");
    let text = examples::PIPELINE_OUTPUT_IMAGE.text;
    let text = text.replace(
        "registry.example.com/shop/cart:1.4",
        &format!("{image}:1.4"),
    );
    let built = "printf \"sha256:$(sha256sum Dockerfile | cut -c -64)\"";
    assert!(text.contains(built));
    let text = text.replace(built, &format!("printf {digest}"));
    let run: Value = serde_saphyr::from_str(&text).unwrap();
    scene.dev.cluster.create(run).unwrap();

    let run = scene.signed("pipelineruns.tekton.dev").await;
    scene.signed("taskruns.tekton.dev").await;
    let name = run["metadata"]["name"].as_str().unwrap();
    let uid = run["metadata"]["uid"].as_str().unwrap();
    let payload =
        &run["metadata"]["annotations"][format!("chains.tekton.dev/payload-pipelinerun-{uid}")];
    let envelope = STANDARD.decode(payload.as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&envelope).unwrap();
    let hex = digest.strip_prefix("sha256:").unwrap();
    assert_eq!(
        statement["subject"],
        json!([{ "name": image, "digest": { "sha256": hex } }])
    );
    let predicate = &statement["predicate"];
    let tasks = predicate["buildConfig"]["tasks"].as_array().unwrap();
    let names: Vec<&str> = tasks
        .iter()
        .map(|task| task["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["clone", "build", "report"]);
    let materials = predicate["materials"].to_string();
    assert!(
        materials.contains("git+https://git.example.com/shop/cart"),
        "{materials}"
    );

    let verified = scene
        .shell
        .run(&format!("verify --key {KEY} pipelinerun/{name}"));
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let verified = scene.shell.run(&format!("verify --key {KEY} {image}:1.4"));
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    // no image of a step is known, and none is missed
    let events = scene.dev.cluster.list("events");
    let warnings: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "Warning")
        .collect();
    let of_runs = |event: &&&Value| event["involvedObject"]["kind"] != "ConfigMap";
    let warnings: Vec<_> = warnings
        .iter()
        .filter(of_runs)
        .map(|event| &event["message"])
        .collect();
    let incomplete = warnings
        .iter()
        .any(|message| message.to_string().contains("incomplete"));
    assert!(!incomplete, "{warnings:?}");

    let logs = scene.shell.succeed(&format!("pr logs {name}"));
    assert!(logs.contains("[build : build] building"), "{logs}");
    let logs = scene.shell.succeed(&format!("tr logs {name}-report -f"));
    assert!(
        logs.contains("[report] the release has Succeeded"),
        "{logs}"
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_of_a_step_is_a_dependency_where_it_is_known() {
    let scene = Scene::start().await;
    let image = format!("{}/tools/builder", scene.registry.host());
    let digest = scene.push("tools/builder", "v1");
    scene
        .dev
        .cluster
        .create(json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": { "name": "known" },
            "spec": { "taskSpec": { "steps": [
                { "name": "build", "image": format!("{image}:v1"), "script": "true" },
            ] } },
        }))
        .unwrap();
    let run = scene.signed("taskruns.tekton.dev").await;
    let id = format!("{image}@{digest}");
    assert_eq!(run["status"]["steps"][0]["imageID"], id);
    let uid = run["metadata"]["uid"].as_str().unwrap();
    let payload =
        &run["metadata"]["annotations"][format!("chains.tekton.dev/payload-taskrun-{uid}")];
    let statement = STANDARD.decode(payload.as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&statement).unwrap();
    let material = &statement["predicate"]["materials"][0];
    assert_eq!(material["uri"], format!("oci://{image}"));
    scene.end().await;
}
