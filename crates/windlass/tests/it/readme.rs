//! The README as a walk: every command of it, in its order, from an empty folder, in the shell that a
//! person pastes it into.
//!
//! kubectl is no part of windlass, so what it is asked for is done here with the client of windlass;
//! in `e2e` it is the real one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kube::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::shell::Shell;

/// Commands that start something or need a cluster of your own, and what stands in for them.
const NOT_PASTED: [(&str, &str); 5] = [
    (
        "cargo run --release -- demo",
        "a test of its own runs the demo",
    ),
    ("cargo test", "this is one"),
    (
        "windlass install ",
        "its output is for a cluster with an API server of its own",
    ),
    (
        "SYSTEM_NAMESPACE=openshift-pipelines windlass controller",
        "the cluster of dev has one",
    ),
    (
        "windlass dev --run-steps",
        "it goes on running beside the walk",
    ),
];

/// Where the task runs of the walk are.
const RUNS: &str = "/apis/tekton.dev/v1/namespaces/default/taskruns";

/// The cluster beside the walk.
struct Dev(Child);

impl Dev {
    fn start(shell: &Shell) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(["dev", "--run-steps"])
            .current_dir(shell.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let dev = Self(child);
        let end = Instant::now() + Duration::from_secs(60);
        while !shell.path(".windlass/kubeconfig").exists() {
            assert!(Instant::now() < end, "dev did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        dev
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // ended already is as good
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The commands of all `console` blocks, each with its further lines.
fn commands(page: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let (mut in_block, mut document) = (false, false);
    for line in page.lines() {
        let indent = line.len() - line.trim_start().len();
        let text = line.get(indent.min(3)..).unwrap_or_default();
        if line.trim_start().starts_with("```") {
            in_block = line.trim_start() == "```console";
            document = false;
            continue;
        }
        if !in_block {
            continue;
        }
        let new = line.trim_start().strip_prefix("$ ").filter(|_| !document);
        if let Some(command) = new {
            document = command.contains("<<'END'");
            commands.push(command.to_owned());
        } else if let Some(last) = commands.last_mut().filter(|_| document) {
            let _ = write!(last, "\n{text}");
            document = text != "END";
        }
    }
    commands
}

/// Does what kubectl is asked for; `redirect` is the file that its output goes to.
async fn kubectl(client: &Client, shell: &Shell, line: &str) {
    let (line, redirect) = match line.split_once(" > ") {
        Some((line, file)) => (line, Some(file)),
        None => (line, None),
    };
    let request = |method: &str, path: &str, kind: &str, body: Vec<u8>| {
        http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", kind)
            .body(body)
            .unwrap()
    };
    if let Some(rest) = line.strip_prefix("kubectl patch configmap chains-config -n ") {
        let (namespace, patch) = rest.split_once(" -p=").unwrap();
        let place = format!("/api/v1/namespaces/{namespace}/configmaps/chains-config");
        let patch = patch.trim_matches('\'').as_bytes().to_vec();
        let patch = request("PATCH", &place, "application/merge-patch+json", patch);
        client.request::<Value>(patch).await.unwrap();
    } else if let Some(file) = line.strip_prefix("kubectl create -f ") {
        let content = String::from_utf8(shell.read(file)).unwrap();
        let object: Value = serde_saphyr::from_str(&content).unwrap();
        let create = request(
            "POST",
            RUNS,
            "application/json",
            object.to_string().into_bytes(),
        );
        client.request::<Value>(create).await.unwrap();
    } else {
        assert_eq!(
            line, "kubectl get taskrun -o yaml",
            "kubectl is not known to do this"
        );
        let list = request("GET", RUNS, "application/json", Vec::new());
        let mut list: Value = client.request(list).await.unwrap();
        for item in list["items"].as_array_mut().unwrap() {
            item["apiVersion"] = json!("tekton.dev/v1");
            item["kind"] = json!("TaskRun");
        }
        list["kind"] = json!("List");
        list["apiVersion"] = json!("v1");
        // JSON is YAML too
        shell.write(redirect.unwrap(), list.to_string());
    }
}

/// Runs a line in the shell, with what earlier lines exported.
fn paste(shell: &Shell, line: &str) -> String {
    let script =
        format!("touch exported; . ./exported; set -eo pipefail\n{line}\nexport -p > exported\n");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(shell.path("."))
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", shell.path("bin").display()),
        )
        .env("HOME", shell.path("home"))
        .env("COSIGN_PASSWORD", "")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "$ {line}\n{out}{error}");
    out + &error
}

#[test]
fn every_command_of_the_readme_works_when_it_is_pasted_in_its_order() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let commands = commands(&fs::read_to_string(page).unwrap());
    let shell = Shell::new();
    fs::create_dir_all(shell.path("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_windlass"), shell.path("bin/windlass")).unwrap();
    let runtime = Runtime::new().unwrap();
    let (mut dev, mut client, mut pasted) = (None, None, 0);
    for command in &commands {
        if command.starts_with("windlass dev") {
            dev = Some(Dev::start(&shell));
            let config = shell.path(".windlass/kubeconfig");
            let config = kube::config::Kubeconfig::read_from(config).unwrap();
            let connect = async {
                let options = kube::config::KubeConfigOptions::default();
                let config = kube::Config::from_custom_kubeconfig(config, &options).await;
                Client::try_from(config.unwrap()).unwrap()
            };
            client = Some(runtime.block_on(connect));
        }
        if NOT_PASTED
            .iter()
            .any(|(start, _)| command.starts_with(start))
        {
            continue;
        }
        if let (true, Some(client)) = (command.starts_with("kubectl "), &client) {
            runtime.block_on(kubectl(client, &shell, command));
            pasted += 1;
            continue;
        }
        // the end of the demo is shown, and is no command of the walk
        if dev.is_some() {
            let printed = paste(&shell, command);
            if command.contains("windlass verify") {
                assert!(printed.contains("Verified OK"), "$ {command}\n{printed}");
            }
            pasted += 1;
        }
    }
    assert!(pasted > 25, "only {pasted} commands were found");
    let picture = String::from_utf8(shell.read("run.svg")).unwrap();
    assert!(picture.contains("git.example.com/app"), "{picture}");
}
