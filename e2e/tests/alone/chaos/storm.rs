//! The servers, the two controllers, and what is done to them.

use std::path::PathBuf;
use std::thread::sleep;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use windlass_e2e::plan::make_namespace;
use windlass_e2e::proxy::Proxy;
use windlass_e2e::{Api, Command, Controller, Registry, Shell, Testbed, guide, images};

use super::script::{Event, Step, TEAMS};

/// Both controllers.
const PODS: [&str; 2] = ["chaos-a", "chaos-b"];

pub(crate) struct Storm<'t> {
    testbed: &'t mut Testbed,
    pub(crate) shell: Shell,
    pub(crate) registry: Registry,
    pub(crate) commands: [Command; 2],
    controllers: [Option<Controller>; 2],
    way_to_api: Proxy,
    way_to_registry: Proxy,
    /// The files of the public keys that were used, in the folder of the shell.
    pub(crate) keys: Vec<String>,
    /// What no log may contain.
    pub(crate) secrets: Vec<String>,
}

impl<'t> Storm<'t> {
    /// Two controllers over a cluster and a registry, reached by ways that can be made bad.
    pub(crate) fn begin(testbed: &'t mut Testbed, seed: u64) -> Result<Self> {
        let shell = testbed.shell().clone();
        let view = shell.ok("kubectl config view --raw -o json")?;
        let kubeconfig: Value = serde_json::from_str(&view)?;
        let server = kubeconfig["clusters"][0]["cluster"]["server"].as_str();
        let server = server.context("no server")?.trim_start_matches("https://");
        let way_to_api = Proxy::start(server.to_owned(), seed)?;
        let registry = Registry::start(&shell.folder().join("registry"))?;
        let way_to_registry = Proxy::start(registry.host(), seed + 1)?;
        let worse = shell.folder().join("controller.json");
        std::fs::write(&worse, through(&kubeconfig, &way_to_api).to_string())?;
        let command = |pod: &str| Command::windlass(pod, &worse, shell.folder());
        let commands = [command(PODS[0])?, command(PODS[1])?];
        let token = kubeconfig["users"][0]["user"]["token"]
            .as_str()
            .context("no token")?;
        let mut secrets = vec![token.to_owned(), "a pass phrase".to_owned()];
        secrets.extend(Registry::PASSWORDS.map(str::to_owned));
        let mut storm = Self {
            controllers: [Some(commands[0].start()?), Some(commands[1].start()?)],
            testbed,
            shell,
            registry,
            commands,
            way_to_api,
            way_to_registry,
            keys: Vec::new(),
            secrets,
        };
        storm.prepare()?;
        Ok(storm)
    }

    fn prepare(&mut self) -> Result<()> {
        self.new_key()?;
        let settings = [
            ("artifacts.oci.storage", "oci"),
            ("artifacts.taskrun.storage", "tekton,oci"),
            ("artifacts.taskrun.format", "slsa/v1"),
        ];
        images::configure(&self.shell, &settings)?;
        let config = self
            .registry
            .docker_config_at(&self.way_to_registry.address);
        let credential = &serde_json::from_str::<Value>(&config)?["auths"];
        let credential = &credential[&self.way_to_registry.address]["auth"];
        self.secrets
            .push(credential.as_str().context("no credential")?.to_owned());
        let kubeconfig = self.kubeconfig();
        tokio::runtime::Runtime::new()?.block_on(async {
            let api = Api::connect(&kubeconfig).await?;
            for team in (0..TEAMS).map(|team| format!("team-{team}")) {
                make_namespace(&api, &team).await?;
                let secret = json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "push" },
                    "type": "kubernetes.io/dockerconfigjson",
                    "stringData": { ".dockerconfigjson": config },
                });
                let namespace = format!("/api/v1/namespaces/{team}");
                api.create(&format!("{namespace}/secrets"), &secret).await?;
                let account = format!("{namespace}/serviceaccounts/default");
                let secrets = json!({ "secrets": [{ "name": "push" }] });
                api.merge(&account, &secrets).await?;
            }
            Ok(())
        })
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.testbed.kubeconfig().to_owned()
    }

    /// Where the controllers reach the registry.
    pub(crate) fn registry_address(&self) -> String {
        self.way_to_registry.address.clone()
    }

    pub(crate) fn faults(&self) -> u64 {
        self.way_to_api.faults() + self.way_to_registry.faults()
    }

    pub(crate) fn perform(&mut self, step: Step) -> Result<()> {
        match step.event {
            Event::Kill { controller, away } => {
                if let Some(running) = self.controllers[controller].take() {
                    running.kill()?;
                }
                sleep(away);
                self.controllers[controller] = Some(self.commands[controller].start()?);
            }
            Event::RestartApi => self.testbed.restart_api()?,
            Event::BadNetwork(long) => {
                self.way_to_api.worsen();
                self.way_to_registry.worsen();
                sleep(long);
                self.way_to_api.mend();
                self.way_to_registry.mend();
            }
            Event::RotateKey => self.new_key()?,
            Event::BreakConfig(long) => {
                images::configure(
                    &self.shell,
                    &[("artifacts.taskrun.format", "no-such-format")],
                )?;
                sleep(long);
                images::configure(&self.shell, &[("artifacts.taskrun.format", "slsa/v1")])?;
            }
        }
        sleep(step.calm);
        Ok(())
    }

    /// Makes the key anew, as the guide does: a secret that cosign made is immutable.
    fn new_key(&mut self) -> Result<()> {
        let find = "kubectl get secret signing-secrets -o json --ignore-not-found";
        self.shell
            .ok("kubectl delete secret signing-secrets --ignore-not-found")?;
        self.shell.ok(guide::KEY_PAIR)?;
        let file = format!("key-{}.pub", self.keys.len());
        self.shell.ok(&format!("cp cosign.pub {file}"))?;
        self.keys.push(file);
        let secret: Value = serde_json::from_str(&self.shell.ok(find)?)?;
        for entry in ["cosign.key", "cosign.password"] {
            let value = secret["data"][entry].as_str();
            self.secrets
                .push(value.with_context(|| format!("no {entry}"))?.to_owned());
        }
        Ok(())
    }

    /// Everything works from now on.
    pub(crate) fn end(&mut self) -> Result<()> {
        for (command, controller) in self.commands.iter().zip(&mut self.controllers) {
            let is_running = controller.as_mut().is_some_and(Controller::is_running);
            if !is_running {
                *controller = Some(command.start()?);
            }
        }
        Ok(())
    }
}

/// The same kubeconfig, by another way to the API server.
fn through(kubeconfig: &Value, way: &Proxy) -> Value {
    let mut kubeconfig = kubeconfig.clone();
    let server = format!("https://{}", way.address);
    kubeconfig["clusters"][0]["cluster"]["server"] = server.into();
    kubeconfig
}
