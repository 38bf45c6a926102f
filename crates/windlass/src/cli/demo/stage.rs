//! Where the demo takes place: a scratch folder with `windlass` on the path, and a shell in it.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kube::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use windlass_core::config::CHAINS_CONFIG;
use windlass_core::run::Kind;
use windlass_sandbox::registry::Registry;

use super::screen::{Screen, print};
use crate::cluster::call::{Call, MERGE_PATCH};
use crate::cluster::path::{ApiPath, Resource};
use crate::cluster::runs::collection;
use crate::dev_cluster::{self, DevCluster, KubeconfigFile};

/// Where the guide keeps the controller.
pub(super) const NAMESPACE: &str = "openshift-pipelines";
/// How long a task run of five trivial steps may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one command may take; the slowest makes and encrypts a key.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// The folder, the cluster and the screen.
pub(super) struct Stage {
    folder: TempDir,
    kubeconfig: KubeconfigFile,
    client: Client,
    pub(super) screen: Screen,
}

impl Stage {
    /// Sets the stage, with the credential of a user of the registry.
    pub(super) async fn set(
        dev: &DevCluster,
        registry: &Registry,
        user: &str,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("windlass-demo-").tempdir();
        let folder = folder.context("cannot make a scratch folder")?;
        let config = registry.docker_config(user).context("no such user")?;
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
            screen: Screen::here(),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the folder where it is, but for what works only with the cluster.
    pub(super) fn keep(self) -> PathBuf {
        let Self {
            folder, kubeconfig, ..
        } = self;
        drop(kubeconfig);
        let path = folder.keep();
        for file in ["config.json", "bin/windlass"] {
            // what is left of them does no harm
            let _ = std::fs::remove_file(path.join(file));
        }
        let _ = std::fs::remove_dir(path.join("bin"));
        path
    }

    /// Puts a file into the folder.
    pub(super) fn add(&self, file: &str, text: &str) -> anyhow::Result<()> {
        std::fs::write(self.folder().join(file), text)
            .with_context(|| format!("cannot write {file}"))
    }

    /// Creates a config map from a file, which is put into the folder.
    pub(super) async fn create_settings(
        &self,
        dev: &DevCluster,
        file: &str,
        map: Value,
    ) -> anyhow::Result<()> {
        self.add(file, &format!("{map:#}\n"))?;
        self.screen.show(&format!("kubectl create -f {file}")).await;
        let name = map["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        dev.cluster.create(map)?;
        print(&format!("configmap/{name} created"));
        Ok(())
    }

    pub(super) async fn configure(&self, patch: &str) -> anyhow::Result<()> {
        self.screen
            .show(&format!(
                "kubectl patch configmap {CHAINS_CONFIG} -n {NAMESPACE} -p='{patch}'"
            ))
            .await;
        let uri = ApiPath::within(NAMESPACE, Resource::CONFIG_MAPS).object(CHAINS_CONFIG);
        let action = format!("patch config map {CHAINS_CONFIG}");
        Call::patch(action, uri, MERGE_PATCH, patch.as_bytes().to_vec())
            .send(&self.client)
            .await?;
        print(&format!("configmap/{CHAINS_CONFIG} patched"));
        Ok(())
    }

    /// Creates a run from the YAML of a file, which is put into the folder, and gives its name and uid.
    pub(super) async fn create_run(
        &self,
        file: &str,
        text: &str,
    ) -> anyhow::Result<(String, String)> {
        self.add(file, text)?;
        self.screen.show(&format!("kubectl create -f {file}")).await;
        let run: Value = serde_saphyr::from_str(text).context("an example is not YAML")?;
        let action = "create a task run".to_owned();
        let call = Call::post(action, runs(), run.to_string().into());
        let created: Value = serde_json::from_slice(&call.send(&self.client).await?)?;
        let name = created["metadata"]["name"].as_str();
        let name = name.context("the run has no name")?;
        print(&format!("taskrun.tekton.dev/{name} created"));
        let uid = created["metadata"]["uid"].as_str();
        let uid = uid.context("the run has no uid")?;
        Ok((name.to_owned(), uid.to_owned()))
    }

    /// Waits until a run has an outcome.
    pub(super) async fn signed(&self, name: &str) -> anyhow::Result<()> {
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
    pub(super) async fn shell(&self, line: &str) -> anyhow::Result<()> {
        self.shell_with("", line).await
    }

    pub(super) async fn shell_with(&self, uid: &str, line: &str) -> anyhow::Result<()> {
        self.screen.show(line).await;
        let output = self.execute(uid, line).await?;
        let text = format!("{}{}", output.stdout, output.stderr);
        print(text.trim_end());
        ensure!(output.code == Some(0), "the command above failed");
        Ok(())
    }

    /// Shows a command that has to be refused, and what it says.
    pub(super) async fn refused(&self, line: &str) -> anyhow::Result<()> {
        self.screen.show(line).await;
        let output = self.execute("", line).await?;
        let text = format!("{}{}", output.stdout, output.stderr);
        self.screen.refuse(text.trim_end());
        self.screen.show("echo $?").await;
        let code = output
            .code
            .map_or_else(|| "none".to_owned(), |code| code.to_string());
        print(&code);
        ensure!(
            output.code == Some(1),
            "the command above should have been refused"
        );
        Ok(())
    }

    pub(super) async fn quiet(&self, line: &str) -> anyhow::Result<String> {
        let output = self.execute("", line).await?;
        ensure!(
            output.code == Some(0),
            "`{line}` failed: {}",
            output.stderr.trim_end()
        );
        Ok(output.stdout)
    }

    async fn execute(&self, uid: &str, line: &str) -> anyhow::Result<Output> {
        let folder = self.folder();
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
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

struct Output {
    code: Option<i32>,
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
