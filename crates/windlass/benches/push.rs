//! What pushing costs: a controller, a cluster and a registry on loopback, and runs that each built
//! an image.
//!
//! `cargo bench -p windlass --bench push [-- RUNS]` prints signatures pushed per second, requests
//! per image, and connections. The controller is the program itself; cluster and registry are in
//! this process and share its processors.

#![expect(clippy::print_stdout, reason = "a bench talks to a person")]
#![expect(clippy::unwrap_used, reason = "a bench stops at its first surprise")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_sandbox::registry::{
    Accounts, Authentication, Grant, Options as RegistryOptions, Registry, Tokens, User,
};
use windlass_sandbox::{Cluster, Options};

const KEY: &str = include_str!("../../core/tests/fixtures/keys/cosign3-p256/cosign.key");
const PASSWORD: &str = include_str!("../../core/tests/fixtures/keys/cosign3-p256/cosign.password");
const PLAIN_KEY: &str = include_str!("../../core/tests/fixtures/x509/p256.pem");
const NAMESPACE: &str = "tekton-chains";
const RUNS: usize = 400;
/// Images of one run whose memory is measured.
const MANY_IMAGES: [usize; 3] = [10, 1000, 4000];
/// Signature of the image and attestation of the run.
const SIGNATURES: usize = 2;
/// Between two looks at all runs, which take processor time from who is measured.
const GLANCE: Duration = Duration::from_millis(50);
/// Bound on one measurement.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() {
    // cargo passes `--bench`
    let number = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let runs = number.unwrap_or(RUNS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for encoding in ["dsse", "sigstore-bundle"] {
        runtime.block_on(measure(encoding, "different images", runs, runs));
    }
    runtime.block_on(measure("dsse", "one image", 100.min(runs), 1));
    for images in MANY_IMAGES {
        runtime.block_on(measure_memory(images));
    }
}

/// One run that built so many images: how much memory the controller takes at most. The key is not
/// encrypted: decrypting one takes 64 MiB, which would hide the rest.
async fn measure_memory(images: usize) {
    let (cluster, registry) = servers("dsse", &[("x509.pem", PLAIN_KEY)]).await;
    let names = (0..images).map(|number| {
        let host = registry.host();
        format!("{host}/team/app-{number}@sha256:{number:064x}")
    });
    let names = names.collect::<Vec<_>>().join(",");
    let mut run = finished(0, 0, &registry, "");
    run["status"]["results"] = json!([{ "name": "IMAGES", "value": names }]);
    let size = run.to_string().len();
    cluster.create(run).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut controller = Controller::start(&kubeconfig(&scratch, &cluster));
    let took = controller.until_signed(&cluster, 1).await;
    let peak = controller.peak_memory();
    controller.stop();
    println!("one run of {} kB with {images} images", size / 1000);
    println!(
        "  {:.0} MB at most, after {:.1} s",
        peak,
        took.as_secs_f64()
    );
    registry.shutdown().await;
    cluster.shutdown().await;
}

/// A cluster with what a controller needs, and a registry.
async fn servers(encoding: &str, key: &[(&str, &str)]) -> (Cluster, Registry) {
    let cluster = Cluster::start(Options {
        namespaces: vec![NAMESPACE.to_owned()],
        ..Options::default()
    });
    let cluster = cluster.await.unwrap();
    let users = [User::new("robot", "wine-dark", [Grant::push("team")])];
    let registry = Registry::start(RegistryOptions {
        authentication: Authentication::Bearer(Accounts::of(users), Tokens::default()),
        request_log: 1_000_000,
        ..RegistryOptions::default()
    });
    let registry = registry.await.unwrap();
    prepare(&cluster, &registry, encoding, key);
    (cluster, registry)
}

fn kubeconfig(scratch: &tempfile::TempDir, cluster: &Cluster) -> PathBuf {
    let path = scratch.path().join("kubeconfig");
    std::fs::write(&path, cluster.kubeconfig()).unwrap();
    path
}

async fn measure(encoding: &str, what: &str, runs: usize, images: usize) {
    let key = [("cosign.key", KEY), ("cosign.password", PASSWORD)];
    let (cluster, registry) = servers(encoding, &key).await;
    let digests: Vec<String> = (0..images).map(|number| push(&registry, number)).collect();
    for number in 0..runs {
        let image = number % images;
        cluster
            .create(finished(number, image, &registry, &digests[image]))
            .unwrap();
    }
    registry.clear_requests();
    let scratch = tempfile::tempdir().unwrap();
    let mut controller = Controller::start(&kubeconfig(&scratch, &cluster));
    let took = controller.until_signed(&cluster, runs).await;
    controller.stop();
    report(
        &format!("{encoding}, {runs} runs, {what}"),
        &registry,
        runs,
        images,
        took,
    );
    registry.shutdown().await;
    cluster.shutdown().await;
}

fn report(what: &str, registry: &Registry, runs: usize, images: usize, took: Duration) {
    let requests = registry.requests();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seen in &requests {
        let kind = ["/token", "/manifests/", "/referrers/", "/blobs/"];
        let kind = kind.into_iter().find(|kind| seen.path.contains(kind));
        *kinds
            .entry(format!("{} {}", seen.method, kind.unwrap_or("/v2/")))
            .or_default() += 1;
    }
    let pushed = u32::try_from(runs * SIGNATURES).unwrap();
    println!("{what}");
    println!(
        "  {:.0} signatures pushed per second",
        f64::from(pushed) / took.as_secs_f64()
    );
    println!("  {:.1} requests per run", ratio(requests.len(), runs));
    println!("  {:.1} requests per image", ratio(requests.len(), images));
    println!("  {} connections", registry.connections());
    for (kind, count) in kinds {
        println!("    {:6.2} a run  {kind}", ratio(count, runs));
    }
}

fn ratio(count: usize, of: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / f64::from(u32::try_from(of).unwrap())
}

/// Runs that are marked, by the annotation that the controller writes last.
fn signed(cluster: &Cluster) -> usize {
    let runs = cluster.list("taskruns.tekton.dev");
    let mark = |run: &&Value| run["metadata"]["annotations"]["chains.tekton.dev/signed"] == "true";
    runs.iter().filter(mark).count()
}

fn prepare(cluster: &Cluster, registry: &Registry, encoding: &str, key: &[(&str, &str)]) {
    let entries = key
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json!(STANDARD.encode(text))));
    let entries: serde_json::Map<String, Value> = entries.collect();
    let objects = [
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "chains-config", "namespace": NAMESPACE },
            "data": {
                "artifacts.taskrun.storage": "oci",
                "artifacts.oci.storage": "oci",
                "artifacts.taskrun.format": "slsa/v2alpha4",
                "storage.oci.encoding-format": encoding,
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "windlass-config", "namespace": NAMESPACE },
            "data": { "network.allow": "127.0.0.1" },
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "signing-secrets", "namespace": NAMESPACE },
            "data": entries,
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "push", "namespace": "default" },
            "type": "kubernetes.io/dockerconfigjson",
            "data": { ".dockerconfigjson": STANDARD.encode(registry.docker_config("robot").unwrap()) },
        }),
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": "builder", "namespace": "default" },
            "secrets": [{ "name": "push" }],
        }),
    ];
    for object in objects {
        cluster.create(object).unwrap();
    }
}

fn push(registry: &Registry, number: usize) -> String {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let repository = format!("team/app-{number}");
    let content = json!({ "number": number }).to_string();
    let config = registry.put_blob(&repository, content.clone());
    let kind = "application/vnd.oci.image.config.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": kind, "size": content.len(), "digest": config },
        "layers": [],
    });
    registry.put_manifest(&repository, "v1", MANIFEST, manifest.to_string())
}

fn finished(number: usize, image: usize, registry: &Registry, digest: &str) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": { "name": format!("run-{number}"), "namespace": "default" },
        "spec": {
            "serviceAccountName": "builder",
            "taskSpec": { "steps": [{ "name": "build", "image": "busybox" }] },
        },
        "status": {
            "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
            "podName": "pod",
            "startTime": "2026-11-23T10:00:00Z",
            "completionTime": "2026-11-23T10:01:00Z",
            "results": [
                { "name": "IMAGE_URL", "value": format!("{}/team/app-{image}:v1", registry.host()) },
                { "name": "IMAGE_DIGEST", "value": digest },
            ],
        },
    })
}

/// `windlass controller`, ended with its owner.
struct Controller(Child);

impl Controller {
    fn start(kubeconfig: &std::path::Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args([
                "controller",
                "--concurrency=256",
                "--metrics-address=127.0.0.1:0",
            ])
            .args(["--health-address=127.0.0.1:0", "--kubeconfig"])
            .arg(kubeconfig)
            .env("SYSTEM_NAMESPACE", NAMESPACE)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// Waits until so many runs are signed, and gives the time that took.
    async fn until_signed(&self, cluster: &Cluster, runs: usize) -> Duration {
        let began = Instant::now();
        while signed(cluster) < runs {
            assert!(began.elapsed() < PATIENCE, "it takes too long");
            tokio::time::sleep(GLANCE).await;
        }
        began.elapsed()
    }

    /// The most memory that it had at any time, in MB; nothing but Linux tells.
    fn peak_memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kilobytes.map_or(f64::NAN, |kilobytes| kilobytes * 1024.0 / 1e6)
    }

    fn stop(&mut self) {
        // ended already is as good
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop();
    }
}
