//! Metrics as Tekton's operator and its Prometheus find them, and the level of the log.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use reqwest::{Certificate, Client, Identity};
use serde_json::json;

use super::authority::{Authority, Pair};
use super::process::{Controller, config_map, finished_run, mark, scene, scene_with, until};
use crate::scene::Scene;

/// Ports that the system gives to nobody who asks for any port.
const PORTS: std::ops::Range<u16> = 20_000..28_000;
/// How many were asked for.
static ASKED: AtomicU16 = AtomicU16::new(0);

/// A port that nothing listens on. Other processes begin elsewhere.
pub(super) fn free_port() -> String {
    let own = u16::try_from(std::process::id() % 8_000).unwrap();
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let mut ports = PORTS.cycle().skip(usize::from(own) + usize::from(asked));
    let free = ports.find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok());
    free.unwrap().to_string()
}

/// What is served at a place; an error if it does not respond, or refuses.
fn get(scene: &Scene, client: &Client, url: &str) -> reqwest::Result<String> {
    scene.runtime.block_on(async {
        let response = client.get(url).send().await?.error_for_status()?;
        response.text().await
    })
}

/// A client that trusts an authority, and may have a certificate. Each has connections of its own.
fn client(trusted: &Authority, own: Option<&Pair>) -> Client {
    let trusted = Certificate::from_pem(trusted.pem.as_bytes()).unwrap();
    let mut builder = Client::builder().no_proxy().tls_certs_only([trusted]);
    if let Some(Pair { certificate, key }) = own {
        let pem = format!("{certificate}{key}");
        builder = builder.identity(Identity::from_pem(pem.as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

/// The variables of the operator, for files in the scene's folder.
fn operator(scene: &Scene, port: &str) -> Vec<(&'static str, String)> {
    let path = |name: &str| scene.shell.path(name).display().to_string();
    vec![
        ("SYSTEM_NAMESPACE", "tekton-chains".to_owned()),
        ("METRICS_PROMETHEUS_HOST", "127.0.0.1".to_owned()),
        ("METRICS_PROMETHEUS_PORT", port.to_owned()),
        ("METRICS_PROMETHEUS_TLS_CERT", path("tls.crt")),
        ("METRICS_PROMETHEUS_TLS_KEY", path("tls.key")),
        (
            "METRICS_PROMETHEUS_TLS_CLIENT_CA_FILE",
            path("client-ca.crt"),
        ),
        ("METRICS_PROMETHEUS_TLS_CLIENT_AUTH", "require".to_owned()),
    ]
}

/// Replaces a file at once, as the kubelet does.
fn replace(scene: &Scene, name: &str, content: &str) {
    scene.shell.write("new", content);
    std::fs::rename(scene.shell.path("new"), scene.shell.path(name)).unwrap();
}

fn start(scene: &Scene, variables: &[(&'static str, String)]) -> Controller {
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Controller::start_with(scene, &["-health-address=127.0.0.1:0"], &variables)
}

#[test]
fn metrics_are_for_clients_with_a_certificate_once_the_operator_asks_for_one() {
    let scene = scene();
    let (servers, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let Pair { certificate, key } = servers.server();
    scene.shell.write("tls.crt", certificate);
    scene.shell.write("tls.key", key);
    scene.shell.write("client-ca.crt", &clients.pem);
    let port = free_port();
    let controller = start(&scene, &operator(&scene, &port));
    let url = format!("https://127.0.0.1:{port}/metrics");
    let known = client(&servers, Some(&clients.client()));
    let text = get(&scene, &known, &url).unwrap();
    assert!(
        text.contains("watcher_taskrun_marked_signed_total"),
        "{text}"
    );
    for (stranger, why) in [
        (client(&servers, None), "no certificate"),
        (
            client(&servers, Some(&others.client())),
            "another authority",
        ),
        (client(&others, Some(&clients.client())), "another server"),
    ] {
        assert!(get(&scene, &stranger, &url).is_err(), "{why}");
    }
    let plain = format!("http://127.0.0.1:{port}/metrics");
    assert!(get(&scene, &known, &plain).is_err(), "no TLS");
    controller.stop();
}

#[test]
fn a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let scene = scene();
    let (first, second, clients) = (Authority::new(), Authority::new(), Authority::new());
    let identity = clients.client();
    let Pair { certificate, key } = first.server();
    scene.shell.write("tls.crt", certificate);
    scene.shell.write("client-ca.crt", &clients.pem);
    let port = free_port();
    // the key is written after the controller has started
    let mut controller = start(&scene, &operator(&scene, &port));
    controller.says("metrics are not served");
    let url = format!("https://127.0.0.1:{port}/metrics");
    assert!(get(&scene, &client(&first, Some(&identity)), &url).is_err());
    replace(&scene, "tls.key", &key);
    get(&scene, &client(&first, Some(&identity)), &url).unwrap();
    // a certificate whose key is not there yet
    let Pair { certificate, key } = second.server();
    replace(&scene, "tls.crt", &certificate);
    get(&scene, &client(&first, Some(&identity)), &url).unwrap();
    controller.says("the last certificate of the metrics server stays loaded");
    replace(&scene, "tls.key", &key);
    get(&scene, &client(&second, Some(&identity)), &url).unwrap();
    assert!(get(&scene, &client(&first, Some(&identity)), &url).is_err());
    // the authority of the clients is renewed as well
    replace(&scene, "client-ca.crt", &first.pem);
    assert!(get(&scene, &client(&second, Some(&identity)), &url).is_err());
    get(&scene, &client(&second, Some(&first.client())), &url).unwrap();
    controller.stop();
}

#[test]
fn variables_that_would_leave_metrics_unprotected_end_the_controller() {
    let scene = scene();
    let mut shell = std::process::Command::new(env!("CARGO_BIN_EXE_windlass"));
    shell
        .arg("controller")
        .env("METRICS_PROMETHEUS_TLS_CERT", "tls.crt");
    shell.env("KUBECONFIG", scene.shell.path("nowhere"));
    let output = shell.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("METRICS_PROMETHEUS_TLS_KEY"), "{text}");
}

#[test]
fn metrics_are_served_where_the_config_map_of_chains_says() {
    let scene = scene();
    let port = free_port();
    config_map(
        &scene,
        "tekton-chains-config-observability",
        &json!({"metrics-protocol": "prometheus", "metrics-endpoint": format!("127.0.0.1:{port}")}),
    );
    let name = "tekton-chains-config-observability".to_owned();
    let controller = start(&scene, &[("CONFIG_OBSERVABILITY_NAME", name)]);
    let url = format!("http://127.0.0.1:{port}/metrics");
    get(&scene, &Client::builder().no_proxy().build().unwrap(), &url).unwrap();
    controller.stop();
}

/// The log of a controller that has signed a run under this ConfigMap for logging.
fn log_under(data: &serde_json::Value) -> Vec<serde_json::Value> {
    let scene = scene();
    config_map(&scene, "levels", data);
    let variables = [
        ("CONFIG_LOGGING_NAME", "levels".to_owned()),
        ("METRICS_PROMETHEUS_HOST", "127.0.0.1".to_owned()),
        ("METRICS_PROMETHEUS_PORT", free_port()),
    ];
    let mut controller = start(&scene, &variables);
    controller.says("the level of the log is set");
    finished_run(&scene, "a", "build");
    until("the run is signed", || mark(&scene, "a", "build").is_some());
    let log = controller.stop();
    let lines = log.iter().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn the_config_map_of_chains_sets_the_level_of_the_log() {
    let is_signed = |line: &serde_json::Value| line["message"] == "signed";
    let all = log_under(&json!({"loglevel.watcher": "debug"}));
    assert!(all.iter().any(is_signed), "{all:#?}");
    // what libraries say at this level may contain credentials
    let is_own =
        |line: &&serde_json::Value| line["target"].as_str().unwrap().starts_with("windlass");
    let foreign = all
        .iter()
        .filter(|line| line["level"] == "DEBUG" && !is_own(line));
    assert_eq!(foreign.count(), 0, "{all:#?}");
    let few = log_under(&json!({"zap-logger-config": "{\"level\": \"error\"}"}));
    assert!(!few.iter().any(is_signed), "{few:#?}");
}

/// A controller, and what it serves as metrics, over plain HTTP.
struct Scraped<'a> {
    scene: &'a Scene,
    controller: Controller,
    client: Client,
    url: String,
}

impl<'a> Scraped<'a> {
    fn start(scene: &'a Scene) -> Self {
        let port = free_port();
        let variables = [
            ("METRICS_PROMETHEUS_HOST", "127.0.0.1".to_owned()),
            ("METRICS_PROMETHEUS_PORT", port.clone()),
        ];
        Self {
            scene,
            controller: start(scene, &variables),
            client: Client::builder().no_proxy().build().unwrap(),
            url: format!("http://127.0.0.1:{port}/metrics"),
        }
    }

    /// The value of a series, if there is one.
    fn value(&self, series: &str) -> Option<f64> {
        let text = get(self.scene, &self.client, &self.url).unwrap();
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }
}

#[test]
fn a_run_that_is_signed_is_in_the_histogram_and_in_no_backlog() {
    let scene = scene();
    finished_run(&scene, "a", "build");
    let scraped = Scraped::start(&scene);
    until("the run is signed", || {
        let signed = scraped.value("watcher_taskrun_marked_signed_total");
        signed.is_some_and(|runs| runs >= 1.0)
    });
    let count = "windlass_completion_to_signed_seconds_count{kind=\"taskrun\"}";
    assert_eq!(scraped.value(count), Some(1.0));
    // it was complete long ago
    let sum = "windlass_completion_to_signed_seconds_sum{kind=\"taskrun\"}";
    assert!(scraped.value(sum).unwrap() > 86_400.0);
    let stored = "windlass_artifacts_stored_total{kind=\"taskrun\",store=\"tekton\"}";
    assert_eq!(scraped.value(stored), Some(1.0));
    until("nothing is left", || {
        let of = |name: &str| scraped.value(&format!("windlass_runs_{name} "));
        ["active", "queued", "waiting"].map(of) == [Some(0.0); 3]
    });
    scraped.controller.stop();
}

#[test]
fn a_run_that_cannot_be_signed_is_counted_by_its_step_and_ages() {
    let scene = scene_with(&json!({
        "artifacts.taskrun.storage": "tekton", "artifacts.oci.storage": "",
        "transparency.enabled": "true", "transparency.url": "rekor.example",
    }));
    finished_run(&scene, "a", "build");
    let scraped = Scraped::start(&scene);
    let failures =
        "windlass_failures_total{kind=\"taskrun\",stage=\"log\",store=\"\",reason=\"settings\"}";
    until("a failure is counted", || scraped.value(failures).is_some());
    let as_chains = "watcher_taskrun_signing_failures_total{error_type=\"tlog\"}";
    assert!(scraped.value(as_chains).unwrap() >= 1.0);
    until("the run ages", || {
        let age = scraped.value("windlass_oldest_run_age_seconds ");
        age.is_some_and(|seconds| seconds > 0.0)
    });
    scraped.controller.stop();
}
