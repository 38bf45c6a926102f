//! `windlass dev`: the built-in cluster in the foreground, with the controller in it.

use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use windlass_sandbox::pipelines::PipelineRunner;
use windlass_sandbox::registry::{
    Accounts, Authentication, Fault, FaultAnswer, Grant, Options as RegistryOptions, Referrers,
    Registry, Tokens, User,
};
use windlass_sandbox::steps::{self, StepRunner};

use self::greeting::Greeting;
use super::number;
use super::output::{self, clean};
use crate::cluster::Connection;
use crate::dev_cluster::DevCluster;
use crate::dev_cluster::keyless::{Keyless, LogVersion};
use crate::telemetry::{self, LogFormat, Traces};

mod greeting;
mod kubeconfig;
mod reader;
mod signals;

pub(crate) use self::signals::asked_to_end;

/// Start a small cluster on this machine, with the controller in it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  # a cluster to try kubectl, cosign and tkn with; Ctrl-C stops it
  windlass dev

  # the same with a registry that requires a token, and fails twice
  windlass dev --registry-port 5000 --registry-auth bearer --registry-failures 2

  # a cluster that also runs what is created, as processes on this machine
  windlass dev --run-steps --kubeconfig /tmp/kubeconfig

  # the same with runs to look at, and with what their steps print
  windlass dev --run-steps --examples --verbose

  # runs are signed without a key, and verified by the name of the controller
  windlass dev --run-steps --sigstore

--kubeconfig is the file to write the kubeconfig to (default: .windlass/kubeconfig, or another one
beside it while that cluster runs). It is removed at the end. A file that `windlass dev` did not
write, or that was changed, is left as it is.
Nothing is saved: all objects are lost when the cluster stops.")]
pub(crate) struct Dev {
    /// Port of the API server on 127.0.0.1 (default: a free one)
    #[arg(long, value_name = "PORT", allow_negative_numbers = true, value_parser = number::port)]
    port: Option<u16>,
    /// Namespace of chains-config and signing-secrets
    #[arg(
        short = 'n',
        long,
        visible_alias = "namespace",
        env = "SYSTEM_NAMESPACE",
        default_value = "openshift-pipelines",
        value_name = "NAMESPACE"
    )]
    system_namespace: String,
    /// Run pipeline runs, and the steps of task runs as processes on this machine, WITHOUT any
    /// isolation
    #[arg(long)]
    run_steps: bool,
    /// Create the runs of the repository's examples
    #[arg(long, requires = "run_steps")]
    examples: bool,
    /// Print what steps print; without it, `windlass tr logs` shows that
    #[arg(long)]
    verbose: bool,
    /// Sign without a key: start a small Fulcio, a transparency log (v2, or v1) and a timestamp
    /// authority too, and say how to verify by the name of the controller
    #[arg(
        long,
        value_name = "LOG",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "v2",
        hide_possible_values = true
    )]
    sigstore: Option<LogVersion>,
    #[command(flatten)]
    registry: RegistryFlags,
}

/// The registry of the cluster
#[derive(Debug, clap::Args)]
struct RegistryFlags {
    /// Port of the registry on 127.0.0.1 (default: a free one)
    #[arg(long = "registry-port", value_name = "PORT", allow_negative_numbers = true, value_parser = number::port)]
    on_port: Option<u16>,
    /// Authentication of the registry; the user is `dev` with the password `dev`
    #[arg(
        long = "registry-auth",
        value_enum,
        default_value = "none",
        value_name = "HOW"
    )]
    auth: RegistryAuth,
    /// Run the registry without the referrers API, like older registries
    #[arg(long = "registry-without-referrers")]
    without_referrers: bool,
    /// Fail the first N manifest writes with 503, to see how runs are retried
    #[arg(long = "registry-failures", default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = number::count::<usize>)]
    failures: usize,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum RegistryAuth {
    /// No authentication
    None,
    /// Name and password with each request
    Basic,
    /// A token from the registry's own endpoint
    Bearer,
}

impl RegistryAuth {
    /// Who may log in.
    fn login(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Basic | Self::Bearer => ", for the user dev with the password dev",
        }
    }
}

impl RegistryFlags {
    async fn start(&self) -> anyhow::Result<Registry> {
        let accounts = || Accounts::of([User::new("dev", "dev", [Grant::all("")])]);
        let authentication = match self.auth {
            RegistryAuth::None => Authentication::None,
            RegistryAuth::Basic => Authentication::Basic(accounts()),
            RegistryAuth::Bearer => Authentication::Bearer(accounts(), Tokens::default()),
        };
        let referrers = if self.without_referrers {
            Referrers::NotFound
        } else {
            Referrers::Served
        };
        let registry = Registry::start(RegistryOptions {
            port: self.on_port,
            authentication,
            referrers,
            // nobody reads it here
            request_log: 1,
            ..RegistryOptions::default()
        });
        let registry = registry.await?;
        registry.fail(Fault {
            method: Some("PUT".to_owned()),
            path_contains: "/manifests/".to_owned(),
            times: self.failures,
            answer: FaultAnswer::Status(503.into()),
            ..Fault::default()
        });
        Ok(registry)
    }
}

impl Dev {
    /// Serves until Ctrl-C, SIGTERM, the end of its terminal or of who reads its output; then removes the
    /// kubeconfig.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        telemetry::log_to_stderr(LogFormat::Text, &Traces::default());
        let asked = asked_to_end(CancellationToken::new())?;
        let dev = DevCluster::start(self.port, &self.system_namespace).await?;
        let kubeconfig = kubeconfig::write(&dev, connection.kubeconfig.as_deref())?;
        let registry = self.registry.start().await?;
        let runners = self.start_runners(&dev, &registry)?;
        // absolute, as it is used in other folders too
        let path = std::path::absolute(kubeconfig.path());
        let path = path.unwrap_or_else(|_| kubeconfig.path().to_owned());
        let keyless = self.start_sigstore(&dev).await?;
        let greeting = Greeting {
            cluster: dev.cluster.url(),
            registry: registry.host(),
            login: self.registry.auth.login(),
            keyless: keyless.as_ref(),
            kubeconfig: &path,
            namespace: &self.system_namespace,
            runs_steps: self.run_steps,
            has_examples: self.examples,
        };
        output::write(greeting.text())?;
        if self.examples {
            dev.create_examples()?;
        }
        tokio::select! {
            () = asked => {}
            () = reader::gone() => {}
        }
        if let Some((pipelines, steps)) = runners {
            pipelines.shutdown().await;
            steps.shutdown().await;
        }
        // it names a server that is about to go
        drop(kubeconfig);
        dev.shutdown().await?;
        registry.shutdown().await;
        if let Some(keyless) = keyless {
            keyless.shutdown().await;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Starts a Sigstore and has the controller sign with it, if that is asked for.
    async fn start_sigstore(&self, dev: &DevCluster) -> anyhow::Result<Option<Keyless>> {
        let Some(version) = self.sigstore else {
            return Ok(None);
        };
        let keyless = Keyless::start(&self.system_namespace, version).await?;
        dev.sign_without_key(&keyless).await?;
        Ok(Some(keyless))
    }

    /// Starts what runs pipeline runs and steps, if that is asked for.
    fn start_runners(
        &self,
        dev: &DevCluster,
        registry: &Registry,
    ) -> anyhow::Result<Option<(PipelineRunner, StepRunner)>> {
        if !self.run_steps {
            return Ok(None);
        }
        let options = steps::Options {
            output: self.verbose.then(|| Arc::new(print) as steps::Output),
            digests: Some(registry.digests()),
        };
        let steps = StepRunner::start(&dev.cluster, options)?;
        Ok(Some((PipelineRunner::start(&dev.cluster), steps)))
    }
}

/// Shows a line that a step prints. A terminal that went away takes nothing from the run.
fn print(run: &str, step: &str, line: &str) {
    let _ = output::write(format!("[{run} : {step}] {}\n", clean::line(line)));
}
