//! A machine with the clients and without a cluster: a folder, and a shell in it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::follow::Follow;
use crate::parts::{self, Cosign};
use crate::shell::Shell;

/// The password that every key of a scenario is made with.
const PASSWORD: &str = "a pass phrase";
/// Bound on the start of a cluster.
const START_LIMIT: Duration = Duration::from_secs(60);
/// What a shell finds beside cosign and windlass.
const PROGRAMS: [&str; 5] = ["kubectl", "oras", "render-templates", "tkn", "bao"];

/// The machine. Its files go with it.
#[derive(Debug)]
pub struct Workstation {
    shell: Shell,
    _scratch: TempDir,
}

impl Workstation {
    /// A machine that has this cosign.
    pub fn new(cosign: Cosign) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("windlass-e2e-").tempdir()?;
        Ok(Self {
            shell: shell(scratch.path(), cosign)?,
            _scratch: scratch,
        })
    }

    /// Starts `windlass dev` with more flags in the folder of the shell, where it leaves its kubeconfig.
    /// The cluster is there until the value is dropped.
    pub fn dev(&self, flags: &str) -> Result<Follow> {
        let dev = self.shell.follow(&format!("windlass dev {flags}"))?;
        let kubeconfig = self.shell.folder().join(".windlass/kubeconfig");
        let begun = Instant::now();
        while !kubeconfig.exists() {
            ensure!(begun.elapsed() < START_LIMIT, "windlass dev does not start");
            sleep(Duration::from_millis(20));
        }
        Ok(dev)
    }

    /// Its shell.
    pub fn shell(&self) -> &Shell {
        &self.shell
    }
}

/// A shell in a folder below `scratch`, with the programs on its path.
pub(crate) fn shell(scratch: &Path, cosign: Cosign) -> Result<Shell> {
    let programs = scratch.join("bin");
    lay_out_programs(&programs, cosign)?;
    let shell = Shell::new(&scratch.join("home"), &programs)?;
    Ok(shell.with("COSIGN_PASSWORD", PASSWORD))
}

/// Links the programs into a folder of their own, so that the path holds no other version of them.
fn lay_out_programs(folder: &Path, cosign: Cosign) -> Result<()> {
    std::fs::create_dir(folder)?;
    let parts = parts::folder()?;
    for program in PROGRAMS {
        symlink(parts.join("bin").join(program), folder.join(program))?;
    }
    symlink(
        parts.join(cosign.folder()).join("cosign"),
        folder.join("cosign"),
    )?;
    symlink(parts::windlass()?, folder.join("windlass"))?;
    Ok(())
}
