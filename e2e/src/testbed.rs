//! What one scenario has to itself: a cluster, a controller, a shell.

use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::parts::{self, Cosign};
use crate::{
    built_in::BuiltIn, deployment::Start, etcd::Etcd, guide::SYSTEM_NAMESPACE, ports::free_port,
    process::Process, real::Real, shell::Shell, workstation,
};

/// The folder of a cluster's servers, which is also their home.
const SERVERS: &str = "servers";

/// Which cluster a scenario runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// kube-apiserver and etcd, with `windlass controller` beside them.
    Real,
    /// `windlass dev`.
    BuiltIn,
}

#[derive(Debug)]
enum Cluster {
    Real(Real),
    BuiltIn(BuiltIn),
}

/// A cluster with the guide's namespace and an empty `chains-config`, as an installation leaves it.
/// Fields are dropped in order: the controller before the cluster, the files last.
#[derive(Debug)]
pub struct Testbed {
    controller: Option<Process>,
    replica: Option<Process>,
    cluster: Cluster,
    shell: Shell,
    scratch: TempDir,
}

impl Testbed {
    /// Runs `scenario` in a new testbed with the controller running; an error carries the logs.
    pub fn with(
        kind: Kind,
        cosign: Cosign,
        scenario: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        Self::without_controller(kind, cosign, |testbed| {
            testbed.start_controller()?;
            scenario(testbed)
        })
    }

    /// The same, before a controller has run. The built-in cluster has none outside itself: there
    /// the controller runs from the beginning.
    pub fn without_controller(
        kind: Kind,
        cosign: Cosign,
        scenario: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mut testbed = Self::new(kind, cosign)?;
        let result = testbed.install().and_then(|()| scenario(&mut testbed));
        result.map_err(|error| error.context(testbed.logs()))
    }

    /// The scenario's shell: kubectl, oras, the chosen cosign and windlass are on its path, and
    /// `openshift-pipelines` is the current namespace.
    pub fn shell(&self) -> &Shell {
        &self.shell
    }

    /// The same shell, in which registry clients find this Docker configuration.
    pub fn shell_with_login(&self, docker_config: &str) -> Result<Shell> {
        self.shell.write("config.json", docker_config)?;
        let folder = self.shell.folder().display().to_string();
        Ok(self.shell.clone().with("DOCKER_CONFIG", &folder))
    }

    /// The kubeconfig of the scenario's user.
    pub fn kubeconfig(&self) -> &Path {
        self.cluster.kubeconfig()
    }

    /// The storage of the real cluster.
    pub fn etcd(&self) -> Result<Etcd> {
        match &self.cluster {
            Cluster::Real(real) => Ok(real.etcd()),
            Cluster::BuiltIn(_) => bail!("the built-in cluster is its own storage"),
        }
    }

    /// Kills the API server of the real cluster and starts it again.
    pub fn restart_api(&mut self) -> Result<()> {
        match &mut self.cluster {
            Cluster::Real(real) => real.restart_api(),
            Cluster::BuiltIn(_) => bail!("the API server of the built-in cluster is its storage"),
        }
    }

    /// Gives the controller this Docker configuration, where it looks for its own.
    pub fn log_in_controller(&self, docker_config: &str) -> Result<()> {
        let home = match &self.cluster {
            Cluster::Real(_) => self.scratch.path().to_owned(),
            Cluster::BuiltIn(_) => self.scratch.path().join(SERVERS),
        };
        let folder = home.join(".docker");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("config.json"), docker_config)?;
        Ok(())
    }

    /// Starts `windlass controller` against the real cluster.
    pub fn start_controller(&mut self) -> Result<()> {
        let Cluster::Real(real) = &self.cluster else {
            return Ok(());
        };
        let mut arguments = vec!["controller".to_owned(), "--kubeconfig".to_owned()];
        arguments.push(real.kubeconfig().display().to_string());
        // Loopback only, and no port that another program may hold.
        for listener in ["--metrics-address", "--health-address"] {
            arguments.extend([listener.to_owned(), "127.0.0.1:0".to_owned()]);
        }
        let variables = [("SYSTEM_NAMESPACE", SYSTEM_NAMESPACE)];
        let program = parts::windlass()?;
        let folder = self.scratch.path();
        let process = Process::start(
            "windlass-controller",
            &program,
            &arguments,
            &variables,
            folder,
        )?;
        self.controller = Some(process);
        Ok(())
    }

    /// Starts one more controller, beside the one of the cluster; gives where its metrics are.
    pub fn start_replica(&mut self, pod: &str) -> Result<String> {
        let metrics = format!("127.0.0.1:{}", free_port()?);
        let kubeconfig = self.cluster.kubeconfig().display().to_string();
        let arguments = [
            "controller",
            "--kubeconfig",
            &kubeconfig,
            "--metrics-address",
            &metrics,
            "--health-address",
            "127.0.0.1:0",
        ];
        let arguments = arguments.map(str::to_owned);
        let variables = [("SYSTEM_NAMESPACE", SYSTEM_NAMESPACE), ("POD_NAME", pod)];
        let program = parts::windlass()?;
        let name = format!("windlass-controller-{pod}");
        let folder = self.scratch.path();
        let process = Process::start(&name, &program, &arguments, &variables, folder)?;
        self.replica = Some(process);
        Ok(metrics)
    }

    /// Ends that controller with SIGKILL.
    pub fn kill_replica(&mut self) -> Result<()> {
        let replica = self.replica.take();
        replica.context("no replica is running")?.kill()
    }

    /// Starts the controller as a container would be started, with nothing but these arguments and
    /// variables.
    pub fn start_controller_as(&mut self, start: &Start) -> Result<()> {
        let variables = start.variables.iter();
        let variables: Vec<(&str, &str)> = variables
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let process = Process::start(
            "windlass-controller",
            &parts::windlass()?,
            &start.arguments,
            &variables,
            self.scratch.path(),
        )?;
        self.controller = Some(process);
        Ok(())
    }

    /// Ends the controller of the real cluster with SIGKILL.
    pub fn kill_controller(&mut self) -> Result<()> {
        self.controller
            .take()
            .context("no controller is running")?
            .kill()
    }

    /// Everything that the controller of the real cluster has logged, by all its starts.
    pub fn controller_log(&self) -> Result<String> {
        let controller = self.controller.as_ref();
        controller.context("no controller is running")?.log()
    }

    /// The most memory that the controller of the real cluster has had resident so far, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        let controller = self.controller.as_ref();
        controller
            .context("no controller is running")?
            .peak_memory()
    }

    /// From now on [`Self::peak_memory`] tells of the time from now on.
    pub fn forget_peak_memory(&self) -> Result<()> {
        let controller = self.controller.as_ref();
        controller
            .context("no controller is running")?
            .forget_peak_memory()
    }

    /// Whether the controller still runs, as it must at the end of a scenario.
    pub fn controller_is_running(&mut self) -> bool {
        self.controller.as_mut().is_none_or(Process::is_running)
    }

    fn new(kind: Kind, cosign: Cosign) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("windlass-e2e-").tempdir()?;
        let servers = scratch.path().join(SERVERS);
        std::fs::create_dir(&servers)?;
        let cluster = match kind {
            Kind::Real => Cluster::Real(Real::start(&servers)?),
            Kind::BuiltIn => Cluster::BuiltIn(BuiltIn::start(&servers)?),
        };
        let kubeconfig = cluster.kubeconfig().display().to_string();
        let shell = workstation::shell(scratch.path(), cosign)?.with("KUBECONFIG", &kubeconfig);
        Ok(Self {
            controller: None,
            replica: None,
            cluster,
            shell,
            scratch,
        })
    }

    /// What an installation leaves: the namespace and the (empty) configuration, and the settings of
    /// an operator whose registries are on the machine of the controller.
    fn install(&self) -> Result<()> {
        let ns = SYSTEM_NAMESPACE;
        self.shell.ok(&format!(
            "kubectl get namespace {ns} || kubectl create namespace {ns}"
        ))?;
        self.shell.ok(&format!(
            "kubectl config set-context --current --namespace={ns}"
        ))?;
        self.shell
            .ok("kubectl get configmap chains-config || kubectl create configmap chains-config")?;
        self.shell.ok("kubectl create configmap windlass-config \
                 --from-literal=network.allow=127.0.0.0/8,::1,localhost")?;
        Ok(())
    }

    fn logs(&self) -> String {
        let cluster = match &self.cluster {
            Cluster::Real(real) => real.log(),
            Cluster::BuiltIn(built_in) => built_in.log(),
        };
        let controllers = [&self.controller, &self.replica].into_iter().flatten();
        let controllers: Vec<String> = controllers.map(Process::tail).collect();
        format!("the scenario failed\n{cluster}\n{}", controllers.join("\n"))
    }
}

impl Cluster {
    fn kubeconfig(&self) -> &Path {
        match self {
            Self::Real(real) => real.kubeconfig(),
            Self::BuiltIn(built_in) => built_in.kubeconfig(),
        }
    }
}
