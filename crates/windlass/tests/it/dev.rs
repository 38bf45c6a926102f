//! `windlass dev`, as a person starts it, and the cluster behind it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::shell::Shell;
use serde_json::{Value, json};
use windlass::dev_cluster::DevCluster;

mod pipeline;

/// A cluster with a registry, ended with its owner.
struct Dev {
    child: Child,
    registry: String,
    /// It ends when nobody reads what it prints.
    output: Option<BufReader<ChildStdout>>,
}

impl Dev {
    fn start(shell: &Shell, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(["dev", "--kubeconfig"])
            .arg(shell.path("kubeconfig"))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let said = "A registry listens on ";
        let mut found = output
            .by_ref()
            .lines()
            .filter_map(|line| Some(line.ok()?.strip_prefix(said)?.to_owned()));
        let registry = found.next().unwrap();
        let registry = registry.split(',').next().unwrap().to_owned();
        Self {
            child,
            registry,
            output: Some(output),
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // ended already is as good
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_registry_of_dev_lets_anyone_in_unless_told_otherwise() {
    let shell = Shell::new();
    let dev = Dev::start(&shell, &[]);
    let image = format!("{}/team/app:v1", dev.registry);
    shell.fail(2, &format!("tree {image}"), "v1 was not found in");
}

#[test]
fn dev_ends_with_whoever_reads_its_output() {
    let shell = Shell::new();
    let mut dev = Dev::start(&shell, &[]);
    assert!(shell.path("kubeconfig").exists());
    assert!(dev.child.try_wait().unwrap().is_none());
    drop(dev.output.take());
    let status = dev.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(!shell.path("kubeconfig").exists());
}

#[test]
fn the_registry_of_dev_asks_for_a_password_if_told_to() {
    for how in ["basic", "bearer"] {
        let mut shell = Shell::new();
        let flags = ["--registry-auth", how, "--registry-without-referrers"];
        let dev = Dev::start(&shell, &flags);
        let image = format!("{}/team/app:v1", dev.registry);
        shell.fail(2, &format!("tree {image}"), "no credential: HTTP 401");
        // dev:dev
        let config = json!({ "auths": { &dev.registry: { "auth": "ZGV2OmRldg==" } } });
        shell.docker_config = Some(config.to_string());
        shell.fail(2, &format!("tree {image}"), "v1 was not found in");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_was_killed_is_followed_by_one_that_signs() {
    let mut dev = DevCluster::start(None, "tekton-chains").await.unwrap();
    let mut shell = Shell::new();
    shell.kubeconfig = Some(dev.cluster.kubeconfig());
    shell.succeed("generate-key-pair k8s://tekton-chains/signing-secrets");
    for name in ["before", "after"] {
        let run = json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": { "name": name, "namespace": "default" },
            "status": { "conditions": [{ "type": "Succeeded", "status": "True" }] },
        });
        dev.cluster.create(run).unwrap();
        let is_signed = || {
            let run = dev.cluster.get("taskruns.tekton.dev", "default", name);
            run.unwrap()["metadata"]["annotations"]["chains.tekton.dev/signed"] == "true"
        };
        let signed = async {
            while !is_signed() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), signed).await;
        assert!(waited.is_ok(), "{name} was not signed");
        dev.kill_and_start_controller().await.unwrap();
    }
    dev.shutdown().await.unwrap();
}

#[test]
fn dev_replaces_what_a_killed_one_has_left_and_removes_its_own_file_at_the_end() {
    use std::os::unix::fs::PermissionsExt as _;

    let shell = Shell::new();
    let path = shell.path("kubeconfig");
    // killed when dropped
    drop(Dev::start(&shell, &[]));
    let left = shell.read("kubeconfig");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();

    let mut dev = Dev::start(&shell, &[]);
    assert_ne!(shell.read("kubeconfig"), left);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // another one beside it
    let again = format!("dev --kubeconfig {}", path.display());
    shell.fail(2, &again, "another windlass dev uses it; stop that one");
    assert!(path.exists());

    let asked = Command::new("kill")
        .arg(dev.child.id().to_string())
        .status();
    assert!(asked.unwrap().success());
    assert!(dev.child.wait().unwrap().success());
    assert!(!path.exists());
}

#[test]
fn dev_starts_neither_over_a_kubeconfig_of_the_user_nor_through_a_link() {
    let shell = Shell::new();
    shell.write("mine", "apiVersion: v1\nkind: Config\n");
    std::os::unix::fs::symlink(shell.path("mine"), shell.path("link")).unwrap();
    for name in ["mine", "link"] {
        let line = format!("dev --kubeconfig {name}");
        shell.fail(2, &line, "choose another file with --kubeconfig");
    }
    assert_eq!(shell.read("mine"), b"apiVersion: v1\nkind: Config\n");
}

/// Starts `dev` in the folder of the shell with nothing but these flags.
fn in_folder(shell: &Shell, flags: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.arg("dev").args(flags);
    started(shell, &mut command)
}

fn started(shell: &Shell, command: &mut Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command
        .current_dir(shell.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// Reads until a line contains a text.
fn line_with(output: &mut impl std::io::BufRead, text: &str) -> String {
    output
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains(text))
        .unwrap()
}

fn end(mut child: Child, signal: &str) {
    let asked = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(asked.unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn two_clusters_in_one_folder_have_a_kubeconfig_each() {
    let shell = Shell::new();
    let (first, mut output) = in_folder(&shell, &[]);
    let line = line_with(&mut output, "export KUBECONFIG=");
    // to be used from other folders as well
    assert!(
        line.contains("KUBECONFIG=/") && line.ends_with("/.windlass/kubeconfig"),
        "{line}"
    );
    let (second, mut output) = in_folder(&shell, &[]);
    let line = line_with(&mut output, "export KUBECONFIG=");
    assert!(line.ends_with("/.windlass/kubeconfig-2"), "{line}");
    end(second, "-TERM");
    assert!(shell.path(".windlass/kubeconfig").exists());
    assert!(!shell.path(".windlass/kubeconfig-2").exists());
    end(first, "-TERM");
    assert!(!shell.path(".windlass/kubeconfig").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn dev_takes_its_kubeconfig_away_when_its_terminal_goes() {
    let shell = Shell::new();
    // whatever started the tests may ignore the signal
    let mut command = Command::new("env");
    let program = env!("CARGO_BIN_EXE_windlass");
    command.args(["--default-signal=HUP", program, "dev"]);
    let (dev, mut output) = started(&shell, &mut command);
    line_with(&mut output, "export KUBECONFIG=");
    assert!(shell.path(".windlass/kubeconfig").exists());
    end(dev, "-HUP");
    assert!(!shell.path(".windlass/kubeconfig").exists());
}

#[test]
fn the_examples_run_and_verbose_shows_what_their_steps_print() {
    let shell = Shell::new();
    let flags = ["--run-steps", "--examples", "--verbose"];
    let (dev, mut output) = in_folder(&shell, &flags);
    line_with(&mut output, "kubectl get taskruns,pipelineruns");
    line_with(&mut output, "-report : report] the release has Succeeded");
    end(dev, "-TERM");
    shell.fail(2, "dev --examples", "--run-steps");
}

#[test]
#[cfg(feature = "sigstore")]
fn dev_with_a_sigstore_signs_without_a_key_and_prints_the_command_that_verifies() {
    for flag in ["--sigstore", "--sigstore=v1"] {
        let mut shell = Shell::new();
        let (dev, mut output) = in_folder(&shell, &["--run-steps", "--examples", flag]);
        let root = line_with(&mut output, "Their trusted root is ");
        let root = root
            .strip_prefix("Their trusted root is ")
            .unwrap()
            .to_owned();
        let mirror = line_with(&mut output, "A mirror has it too: windlass ");
        let (_, initialize) = mirror.split_once(" windlass ").unwrap();
        let path = line_with(&mut output, "export KUBECONFIG=");
        let path = path.split_once('=').unwrap().1;
        shell.kubeconfig = Some(std::fs::read_to_string(path).unwrap());
        let verify = line_with(&mut output, "windlass verify ");
        let verify = verify.trim().strip_prefix("windlass ").unwrap();
        assert!(verify.contains(&root), "{verify}");
        let runs = || {
            let runs: Value = serde_json::from_str(&shell.succeed("tr list -o json")).unwrap();
            runs["items"].as_array().unwrap().clone()
        };
        let mark = |run: &Value| run["metadata"]["annotations"]["chains.tekton.dev/signed"].clone();
        let is_signed = |runs: &[Value]| {
            let signed = runs.iter().filter(|run| mark(run) == "true");
            runs.len() > 2 && signed.count() == runs.len()
        };
        let mut patience = 3000;
        while !is_signed(&runs()) {
            patience -= 1;
            assert!(patience > 0, "{:#?}", runs());
            std::thread::sleep(Duration::from_millis(20));
        }
        let outcome = shell.run(verify);
        assert_eq!(
            outcome.code, 0,
            "{flag}: {}{}",
            outcome.stdout, outcome.stderr
        );
        assert_eq!(outcome.stderr, "Verified OK\n");
        let kept = shell.path("tuf");
        let kept = [("TUF_ROOT", kept.to_str().unwrap())];
        let by_mirror = verify.replace(&format!("--trusted-root {root} "), "");
        for line in [initialize, "trust show", &by_mirror] {
            let words: Vec<&str> = line.split_whitespace().collect();
            let outcome = shell.with(&kept, &words);
            assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        }
        let somebody = verify.replace("tekton-chains-controller", "somebody");
        assert_eq!(shell.run(&somebody).code, 1, "{somebody}");
        end(dev, "-TERM");
        assert!(!Path::new(&root).exists(), "{root}");
    }
}
