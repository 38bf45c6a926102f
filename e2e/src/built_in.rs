//! windlass's own cluster: `windlass dev` as a user starts it, controller inside.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::real::kubeconfig_answers;
use crate::{guide::SYSTEM_NAMESPACE, parts, process::Process};

/// Bound on the start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The running `windlass dev`.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    dev: Process,
    kubeconfig: PathBuf,
}

impl BuiltIn {
    /// Starts it with its files under `folder` and waits until it answers kubectl.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let kubeconfig = folder.join("kubeconfig");
        let arguments = [
            "dev".to_owned(),
            "--kubeconfig".to_owned(),
            kubeconfig.display().to_string(),
        ];
        let variables = [("SYSTEM_NAMESPACE", SYSTEM_NAMESPACE)];
        let mut dev = Process::start(
            "windlass-dev",
            &parts::windlass()?,
            &arguments,
            &variables,
            folder,
        )?;
        let kubectl = parts::folder()?.join("bin/kubectl");
        dev.wait_until(START_LIMIT, || {
            kubeconfig.exists() && kubeconfig_answers(&kubectl, &kubeconfig, &["get", "namespaces"])
        })?;
        Ok(Self { dev, kubeconfig })
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    pub(crate) fn log(&self) -> String {
        self.dev.tail()
    }
}
