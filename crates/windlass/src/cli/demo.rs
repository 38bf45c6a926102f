//! `windlass demo`: runs section B of the user's guide by itself, from a key pair to `Verified OK`,
//! and then section A: an image in a registry that requires a password.
//!
//! A shell runs every `windlass` line as it is shown. The three `kubectl` lines are shown only; the
//! demo does the same through the API, so that nothing needs to be installed.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kube::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use windlass_core::config::CHAINS_CONFIG;
use windlass_core::run::Kind;
use windlass_sandbox::registry::{
    Accounts, Authentication, Grant, Options as RegistryOptions, Registry, User,
};
use windlass_sandbox::steps::{self, StepRunner};

use super::output;
use crate::cluster::call::{Call, MERGE_PATCH};
use crate::cluster::path::{ApiPath, Resource};
use crate::cluster::runs::collection;
use crate::dev_cluster::{self, DevCluster, KubeconfigFile};

/// Where the guide keeps the controller.
const NAMESPACE: &str = "openshift-pipelines";
/// Configuration of the first part: section B of the guide.
const ON_RUNS: &str = r#"{"data":{"artifacts.oci.storage": "", "artifacts.taskrun.format":"tekton", "artifacts.taskrun.storage": "tekton"}}"#;
/// Configuration of the second part.
const OF_IMAGES: &str = r#"{"data":{"artifacts.oci.storage": "oci", "artifacts.taskrun.format":"slsa/v1", "artifacts.taskrun.storage": "oci"}}"#;
/// The user of the registry.
const USER: &str = "robot";
/// How long a task run of five trivial steps may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one command may take; the slowest makes and encrypts a key.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// Show the whole way from a key pair to "Verified OK" on a built-in cluster
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing needs to be installed and nothing is left behind. \
The demo listens on loopback only\nand runs six trivial shell steps on this machine."
)]
pub(crate) struct Demo {}

impl Demo {
    /// Runs the demo; the exit code is that of its last command.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let Self {} = self;
        let dev = DevCluster::start(None, NAMESPACE).await?;
        let steps = StepRunner::start(&dev.cluster, steps::Options::default())?;
        let registry = registry().await?;
        let stage = Stage::set(&dev, &registry).await?;
        let mut outcome = stage.play().await;
        if outcome.is_ok() {
            outcome = stage.play_with_image(&registry).await;
        }
        steps.shutdown().await;
        registry.shutdown().await;
        dev.shutdown().await?;
        outcome?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Where the demo takes place: a scratch folder with `windlass` on the path.
struct Stage {
    folder: TempDir,
    kubeconfig: KubeconfigFile,
    client: Client,
}

impl Stage {
    async fn set(dev: &DevCluster, registry: &Registry) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a scratch folder")?;
        let config = registry.docker_config(USER).context("no such user")?;
        std::fs::write(folder.path().join("config.json"), config)
            .context("cannot write a Docker configuration")?;
        let kubeconfig = dev.write_kubeconfig(&folder.path().join("kubeconfig"))?;
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).context("cannot make a scratch folder")?;
        let program = std::env::current_exe().context("cannot find this program's file")?;
        symlink(program, bin.join("windlass")).context("cannot link this program")?;
        Ok(Self {
            folder,
            kubeconfig,
            client: dev_cluster::client(&dev.cluster).await?,
        })
    }

    async fn play(&self) -> anyhow::Result<()> {
        say("1. Make a key pair in a secret of the cluster (the password is empty here)");
        self.shell(&format!(
            "windlass generate-key-pair k8s://{NAMESPACE}/signing-secrets"
        ))
        .await?;

        say("2. Configure: store signatures on the run itself, in the format tekton");
        self.configure(ON_RUNS).await?;

        say("3. The guide restarts the controller here; windlass needs no restart");
        show(&format!(
            "kubectl delete po -n {NAMESPACE} -l app=tekton-chains-controller"
        ));
        print("No resources found");

        say("4. Create a task run");
        let (name, uid) = self
            .create_run("task-output-image.yaml", &task_run())
            .await?;

        say("5. Its steps run, and the controller signs it");
        self.signed(&name).await?;
        self.shell("windlass tr describe --last").await?;

        say("6. Read the signature and the payload from the run's annotations");
        let read_uid = "windlass tr describe --last -o  jsonpath='{.metadata.uid}'";
        show(&format!("export TASKRUN_UID=$({read_uid})"));
        let read = self.quiet(read_uid).await?;
        ensure!(
            read == uid,
            "the run read back has uid {read}, the one created had {uid}"
        );
        let annotation = |name: &str| {
            format!(
                "windlass tr describe --last \
                 -o jsonpath=\"{{.metadata.annotations.chains\\.tekton\\.dev/{name}-taskrun-$TASKRUN_UID}}\""
            )
        };
        self.shell_with(&uid, &format!("{} > signature", annotation("signature")))
            .await?;
        let payload = format!("{} | base64 -d > payload", annotation("payload"));
        self.shell_with(&uid, &payload).await?;

        say("7. Anyone who has the public key can check that this is what ran");
        let verify = "windlass verify-blob --key k8s://openshift-pipelines/signing-secrets \
                      --signature ./signature ./payload";
        self.shell(verify).await
    }

    /// An image that a run built, in a registry that asks for name and password.
    async fn play_with_image(&self, registry: &Registry) -> anyhow::Result<()> {
        let image = format!("{}/team/app", registry.host());
        let digest = push_image(registry);

        say("8. The same for an image, in a registry that requires a password");
        self.configure(OF_IMAGES).await?;

        say("9. Let the runs of an account push there");
        self.shell(
            "windlass registry grant --docker-config config.json -n default \
             --service-account build-bot",
        )
        .await?;
        self.shell(&format!(
            "windlass registry check {image}:v1 -n default --service-account build-bot"
        ))
        .await?;

        say("10. Create a run of that account that builds an image");
        let run = image_run(&image, &digest);
        let (name, _) = self.create_run("build-image.yaml", &run).await?;
        self.signed(&name).await?;
        self.shell(&format!("windlass tree {image}:v1")).await?;

        say("11. Anyone who has the public key can check where the image comes from");
        let key = format!("--key k8s://{NAMESPACE}/signing-secrets");
        self.shell(&format!("windlass verify {key} {image}:v1"))
            .await?;
        self.shell(&format!(
            "windlass verify {key} --type slsaprovenance {image}@{digest}"
        ))
        .await
    }

    async fn configure(&self, patch: &str) -> anyhow::Result<()> {
        show(&format!(
            "kubectl patch configmap {CHAINS_CONFIG} -n {NAMESPACE} -p='{patch}'"
        ));
        let uri = ApiPath::within(NAMESPACE, Resource::CONFIG_MAPS).object(CHAINS_CONFIG);
        let action = format!("patch config map {CHAINS_CONFIG}");
        Call::patch(action, uri, MERGE_PATCH, patch.as_bytes().to_vec())
            .send(&self.client)
            .await?;
        print(&format!("configmap/{CHAINS_CONFIG} patched"));
        Ok(())
    }

    /// Creates a run and gives its name and uid.
    async fn create_run(&self, file: &str, run: &Value) -> anyhow::Result<(String, String)> {
        show(&format!("kubectl create -f {file}"));
        let action = "create a task run".to_owned();
        let call = Call::post(action, runs(), run.to_string().into());
        let created: Value = serde_json::from_slice(&call.send(&self.client).await?)?;
        let name = created["metadata"]["name"]
            .as_str()
            .context("the run has no name")?;
        print(&format!("taskrun.tekton.dev/{name} created"));
        let uid = created["metadata"]["uid"].as_str();
        let uid = uid.context("the run has no uid")?;
        Ok((name.to_owned(), uid.to_owned()))
    }

    /// Waits until a run has an outcome.
    async fn signed(&self, name: &str) -> anyhow::Result<()> {
        let looking = async {
            loop {
                let call = Call::get("read a task run".to_owned(), runs().object(name));
                let run: Value = serde_json::from_slice(&call.send(&self.client).await?)?;
                let annotations = &run["metadata"]["annotations"];
                match annotations["chains.tekton.dev/signed"].as_str() {
                    Some("true") => return Ok(()),
                    Some(other) => bail!(
                        "the run ended as {other}: {}",
                        annotations["chains.tekton.dev/reason"]
                    ),
                    None => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        let patience = format!("the run was not signed within {} s", PATIENCE.as_secs());
        tokio::time::timeout(PATIENCE, looking)
            .await
            .context(patience)?
    }

    /// Shows a command, runs it and shows what it prints.
    async fn shell(&self, line: &str) -> anyhow::Result<()> {
        self.shell_with("", line).await
    }

    async fn shell_with(&self, uid: &str, line: &str) -> anyhow::Result<()> {
        show(line);
        let output = self.execute(uid, line).await?;
        let text = format!("{}{}", output.stdout, output.stderr);
        print(text.trim_end());
        ensure!(output.good, "the command above failed");
        Ok(())
    }

    async fn quiet(&self, line: &str) -> anyhow::Result<String> {
        let output = self.execute("", line).await?;
        ensure!(output.good, "`{line}` failed: {}", output.stderr.trim_end());
        Ok(output.stdout)
    }

    async fn execute(&self, uid: &str, line: &str) -> anyhow::Result<Output> {
        let folder = self.folder.path();
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(folder)
            .env("PATH", path_with(&folder.join("bin"))?)
            .env("KUBECONFIG", self.kubeconfig.path())
            .env("COSIGN_PASSWORD", "")
            .env("DOCKER_CONFIG", folder)
            .env("TASKRUN_UID", uid)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(COMMAND_TIMEOUT, command.output())
            .await
            .with_context(|| format!("`{line}` took longer than {COMMAND_TIMEOUT:?}"))?
            .with_context(|| format!("cannot start a shell for `{line}`"))?;
        Ok(Output {
            good: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

struct Output {
    good: bool,
    stdout: String,
    stderr: String,
}

fn path_with(bin: &Path) -> anyhow::Result<std::ffi::OsString> {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&rest));
    std::env::join_paths(folders).context("the search path cannot be extended")
}

fn runs() -> ApiPath {
    collection(Kind::Task, Some("default"))
}

/// The guide's task run: five steps, one result.
fn task_run() -> Value {
    let step = |name: &str, script: &str| {
        let folder = "$(workspaces.source.path)";
        json!({ "name": name, "image": "busybox", "workingDir": folder, "script": script })
    };
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": { "generateName": "build-push-run-output-image-" },
        "spec": {
            "workspaces": [{ "name": "source", "emptyDir": {} }],
            "taskSpec": {
                "params": [{ "name": "message", "type": "string", "default": "built here" }],
                "workspaces": [{ "name": "source" }],
                "results": [{ "name": "size", "type": "string" }],
                "steps": [
                    step("create-dir-builtimage", "mkdir -p image"),
                    step("git-source-sourcerepo", "echo 'FROM scratch' > image/Dockerfile"),
                    step("build-and-push", "cat image/Dockerfile > image.out"),
                    step("echo", "echo \"$(params.message)\""),
                    step("image-digest-exporter", "wc -c < image.out > $(results.size.path)"),
                ],
            },
        },
    })
}

/// A run of the account `build-bot` that says which image it built.
fn image_run(image: &str, digest: &str) -> Value {
    let url = format!("{image}:v1");
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": { "generateName": "build-image-" },
        "spec": {
            "serviceAccountName": "build-bot",
            "taskSpec": {
                "results": [{ "name": "IMAGE_URL" }, { "name": "IMAGE_DIGEST" }],
                "steps": [{
                    "name": "build-and-push",
                    "image": "busybox",
                    "script": format!(
                        "printf {url} > $(results.IMAGE_URL.path)\n\
                         printf {digest} > $(results.IMAGE_DIGEST.path)"
                    ),
                }],
            },
        },
    })
}

/// A registry on loopback that lets its one user push.
async fn registry() -> anyhow::Result<Registry> {
    let users = [User::new(USER, "wine-dark", [Grant::push("team")])];
    let options = RegistryOptions {
        authentication: Authentication::Basic(Accounts::of(users)),
        ..RegistryOptions::default()
    };
    Ok(Registry::start(options).await?)
}

/// Puts an image without layers where the run will say that it pushed one.
fn push_image(registry: &Registry) -> String {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let config = registry.put_blob("team/app", "{}");
    let kind = "application/vnd.oci.image.config.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": kind, "size": 2, "digest": config },
        "layers": [],
    });
    registry.put_manifest("team/app", "v1", MANIFEST, manifest.to_string())
}

fn print(text: &str) {
    if !text.is_empty() {
        // a reader that went away does not end the demo: its exit code still tells
        let _ = output::write(format!("{text}\n"));
    }
}

fn say(title: &str) {
    print(&format!("\n{title}"));
}

fn show(line: &str) {
    print(&format!("$ {line}"));
}
