//! A controller as a process, and a cluster with something to sign.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::scene::Scene;

const KEYS: &str = "../core/tests/fixtures/keys/cosign3-p256";
/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A controller that has started, ended with its owner.
pub struct Controller {
    child: Child,
    lines: Receiver<String>,
    log: Vec<String>,
}

impl Controller {
    /// Starts the program with these words, on free ports, and waits until it has started.
    pub fn start(scene: &Scene, words: &[&str]) -> Self {
        let address = "127.0.0.1:0";
        let mut words = words.to_vec();
        words.extend(["--metrics-address", address, "--health-address", address]);
        Self::start_with(scene, &words, &[])
    }

    /// The same with these words alone, and these variables.
    pub fn start_with(scene: &Scene, words: &[&str], variables: &[(&str, &str)]) -> Self {
        scene.shell.write("config", scene.cluster.kubeconfig());
        let mut child = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(words)
            .env_clear()
            .env("KUBECONFIG", scene.shell.path("config"))
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, lines) = channel();
        // the pipe stays open, or the next line of the log would end the controller
        std::thread::spawn(move || {
            for line in output.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut controller = Self {
            child,
            lines,
            log: Vec::new(),
        };
        controller.says("started");
        controller
    }

    /// Waits for a line of the log that contains this text, and gives it.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        if let Some(line) = self.log.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            assert!(line.is_ok(), "the log lacks {text:?}: {:#?}", self.log);
            let line = line.unwrap_or_default();
            self.log.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Ends the program in peace, and gives all lines of its log.
    pub fn stop(mut self) -> Vec<String> {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").arg(&id).status().unwrap();
        assert!(kill.success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {:#?}", self.log);
        self.log.extend(self.lines.iter());
        std::mem::take(&mut self.log)
    }

    /// The path of a file that the system keeps about the process.
    pub fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // ended already is as good
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A cluster with a key, and a configuration that keeps everything on the run.
pub fn scene() -> Scene {
    scene_with(&json!({"artifacts.taskrun.storage": "tekton", "artifacts.oci.storage": ""}))
}

/// A cluster with a key and this configuration.
pub fn scene_with(config: &Value) -> Scene {
    let scene = Scene::new(&["tekton-chains", "a", "b"]);
    let read = |name: &str| std::fs::read_to_string(format!("{KEYS}/{name}")).unwrap();
    scene.create(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"namespace": "tekton-chains", "name": "signing-secrets"},
        "stringData": {
            "cosign.key": read("cosign.key"), "cosign.pub": read("cosign.pub"),
            "cosign.password": read("cosign.password"),
        },
    }));
    config_map(&scene, "chains-config", config);
    scene
}

/// Creates a ConfigMap of the system namespace.
pub fn config_map(scene: &Scene, name: &str, data: &Value) {
    scene.create(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "tekton-chains", "name": name},
        "data": data,
    }));
}

/// Creates a finished run.
pub fn finished_run(scene: &Scene, namespace: &str, name: &str) {
    scene.create(json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"taskRef": {"name": "build"}},
        "status": {
            "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z",
            "conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}],
        },
    }));
}

/// The mark of a run.
pub fn mark(scene: &Scene, namespace: &str, name: &str) -> Option<String> {
    let run = scene.cluster.get("taskruns.tekton.dev", namespace, name)?;
    let mark = run["metadata"]["annotations"]["chains.tekton.dev/signed"].as_str();
    mark.map(str::to_owned)
}

/// Waits until something holds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "{what}: never");
        std::thread::sleep(Duration::from_millis(20));
    }
}
