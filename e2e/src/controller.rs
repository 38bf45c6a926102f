//! A controller that a scenario starts and kills by itself, such as one of several.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::guide::SYSTEM_NAMESPACE;
use crate::parts;
use crate::process::Process;

/// A running controller. Dropping it kills it.
#[derive(Debug)]
pub struct Controller(Process);

/// How a controller is started, again and again.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Its environment variables.
    pub variables: Vec<(String, String)>,
    /// Where its log goes, as `<name>.log`.
    pub folder: PathBuf,
    /// What it is called.
    pub name: String,
}

impl Command {
    /// windlass as a pod of this name, at the cluster of a kubeconfig.
    pub fn windlass(pod: &str, kubeconfig: &Path, folder: &Path) -> Result<Self> {
        let (program, kubeconfig) = (parts::windlass()?, kubeconfig.display().to_string());
        let words = ["controller", "--kubeconfig", &kubeconfig];
        let ports = [
            "--metrics-address",
            "127.0.0.1:0",
            "--health-address",
            "127.0.0.1:0",
        ];
        let words = words.iter().chain(&ports).map(|word| (*word).to_owned());
        let variables = [("SYSTEM_NAMESPACE", SYSTEM_NAMESPACE), ("POD_NAME", pod)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self {
            words: [program.display().to_string()]
                .into_iter()
                .chain(words)
                .collect(),
            variables: variables.into(),
            folder: folder.to_owned(),
            name: format!("controller-{pod}"),
        })
    }

    /// Starts it.
    pub fn start(&self) -> Result<Controller> {
        let variables = self.variables.iter();
        let variables: Vec<_> = variables.map(|(name, value)| (&**name, &**value)).collect();
        let (program, arguments) = self.words.split_first().unwrap_or((&self.name, &[]));
        let program = Path::new(program);
        Process::start(&self.name, program, arguments, &variables, &self.folder).map(Controller)
    }

    /// Everything that it has logged, by all its starts.
    pub fn log(&self) -> Result<String> {
        let path = self.folder.join(format!("{}.log", self.name));
        Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
    }
}

impl Controller {
    /// Ends it with SIGKILL.
    pub fn kill(mut self) -> Result<()> {
        self.0.kill()
    }

    /// Whether it has not ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.0.is_running()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until something is so, as long as it runs.
    pub fn wait_until(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<()> {
        self.0.wait_until(limit, ready)
    }
}
