//! A real Kubernetes API: etcd and kube-apiserver on loopback, with Tekton's kinds.
//!
//! Nothing else of a cluster runs: no kubelet, no controllers, no Tekton. Runs are created by the
//! scenario and their status is written by it, as Tekton's controller would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::etcd::Etcd;
use crate::ports::free_port;
use crate::{parts, process::Process};

/// The bearer token of the scenario's user, a cluster administrator.
const TOKEN: &str = "windlass-e2e-admin";
/// Bound on the start of either server. A machine that does much else takes more than a minute.
const START_LIMIT: Duration = Duration::from_secs(240);

/// The two servers. Dropped in this order: the API first, then its storage.
#[derive(Debug)]
pub(crate) struct Real {
    apiserver: Process,
    arguments: Vec<String>,
    folder: PathBuf,
    _etcd: Process,
    etcd_port: u16,
    kubeconfig: PathBuf,
}

impl Real {
    /// Starts both servers with their files under `folder`, waits for `/readyz`, installs the kinds.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let parts = parts::folder()?;
        let (client, peer, api) = (free_port()?, free_port()?, free_port()?);
        let etcd = start_etcd(parts, folder, client, peer)?;
        let arguments = apiserver_arguments(folder, client, api)?;
        let kubeconfig = write_kubeconfig(folder, api)?;
        let mut real = Self {
            apiserver: start_apiserver(parts, &arguments, folder)?,
            arguments,
            folder: folder.to_owned(),
            _etcd: etcd,
            etcd_port: client,
            kubeconfig,
        };
        real.wait_until_ready()?;
        install_kinds(&parts.join("bin/kubectl"), &real.kubeconfig)
            .with_context(|| format!("cannot install Tekton's kinds\n{}", real.apiserver.tail()))?;
        Ok(real)
    }

    /// Kills the API server (SIGKILL) and starts it again over the same storage.
    pub(crate) fn restart_api(&mut self) -> Result<()> {
        self.apiserver.kill()?;
        self.apiserver = start_apiserver(parts::folder()?, &self.arguments, &self.folder)?;
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let (kubectl, kubeconfig) = (parts::folder()?.join("bin/kubectl"), &self.kubeconfig);
        self.apiserver.wait_until(START_LIMIT, || {
            kubeconfig_answers(&kubectl, kubeconfig, &["get", "--raw", "/readyz"])
        })
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    pub(crate) fn etcd(&self) -> Etcd {
        Etcd {
            address: format!("127.0.0.1:{}", self.etcd_port),
        }
    }

    pub(crate) fn log(&self) -> String {
        self.apiserver.complaints()
    }
}

/// Whether a kubectl command succeeds; used to poll.
pub(crate) fn kubeconfig_answers(kubectl: &Path, kubeconfig: &Path, arguments: &[&str]) -> bool {
    command(kubectl, kubeconfig)
        .arg("--request-timeout=5s")
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// kubectl with its cache beside the kubeconfig, away from the user's own.
fn command(kubectl: &Path, kubeconfig: &Path) -> Command {
    let mut command = Command::new(kubectl);
    command
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .arg("--cache-dir")
        .arg(kubeconfig.with_extension("cache"))
        .stdin(Stdio::null());
    command
}

fn start_etcd(parts: &Path, folder: &Path, client: u16, peer: u16) -> Result<Process> {
    let (client, peer) = (
        format!("http://127.0.0.1:{client}"),
        format!("http://127.0.0.1:{peer}"),
    );
    let arguments = [
        "--name=e2e".to_owned(),
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=e2e={peer}"),
        // A scenario's cluster lives for a minute; it need not survive a power cut.
        "--unsafe-no-fsync".to_owned(),
        // A scenario of large runs writes each of them several times.
        "--quota-backend-bytes=8589934592".to_owned(),
    ];
    Process::start("etcd", &parts.join("bin/etcd"), &arguments, &[], folder)
}

fn start_apiserver(parts: &Path, arguments: &[String], folder: &Path) -> Result<Process> {
    let program = parts.join("bin/kube-apiserver");
    Process::start("kube-apiserver", &program, arguments, &[], folder)
}

fn apiserver_arguments(folder: &Path, etcd: u16, port: u16) -> Result<Vec<String>> {
    let key = rcgen::KeyPair::generate().context("cannot make the service-account key")?;
    let file = |name: &str| folder.join(name).display().to_string();
    std::fs::write(file("sa.key"), key.serialize_pem())?;
    std::fs::write(file("sa.pub"), key.public_key_pem())?;
    std::fs::write(
        file("tokens.csv"),
        format!("{TOKEN},admin,admin,system:masters\n"),
    )?;
    Ok(vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // The server makes its own certificate here; the kubeconfig trusts that file.
        format!("--cert-dir={}", file("certificates")),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        // Needs a controller that makes default service accounts.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        // Refuses to publish a loopback address, which is the only one used here.
        "--endpoint-reconciler-type=none".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file("sa.pub")),
        format!("--service-account-signing-key-file={}", file("sa.key")),
    ])
}

fn write_kubeconfig(folder: &Path, port: u16) -> Result<PathBuf> {
    let path = folder.join("kubeconfig");
    let authority = folder.join("certificates/apiserver.crt");
    let document = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "e2e",
        "clusters": [{"name": "e2e", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority": authority,
        }}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "admin"}}],
    });
    std::fs::write(&path, document.to_string())?;
    Ok(path)
}

fn install_kinds(kubectl: &Path, kubeconfig: &Path) -> Result<()> {
    let kinds = parts::workspace()?.join("e2e/crds");
    for words in [
        vec![
            "create",
            "-f",
            kinds.to_str().context("the path of e2e/crds is not text")?,
        ],
        vec![
            "wait",
            "crd",
            "--all",
            "--for=condition=Established",
            "--timeout=60s",
        ],
    ] {
        let output = command(kubectl, kubeconfig).args(&words).output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "kubectl {}: {complaint}",
            words.join(" ")
        );
    }
    Ok(())
}
