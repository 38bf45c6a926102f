//! A process of a scenario: its output goes to a file, and it ends with its owner.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How much of a log an error quotes, in bytes.
const QUOTED: usize = 6_000;

/// A started program. Dropping it kills it; so does the end of the thread that started it, which
/// covers a test runner that is itself killed.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with `arguments`; both output streams are appended to `<name>.log` in
    /// `folder`.
    pub(crate) fn start(
        name: &str,
        program: &Path,
        arguments: &[String],
        variables: &[(&str, &str)],
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(arguments)
            .envs(variables.iter().copied())
            .env("HOME", folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}; setpriv (util-linux) is needed"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Waits until `ready` holds; an error when the program ends first or `limit` passes.
    pub(crate) fn wait_until(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended with {status} before it was ready\n{}",
                    self.name,
                    self.tail()
                );
            }
            if start.elapsed() > limit {
                bail!(
                    "{} was not ready after {limit:?}\n{}",
                    self.name,
                    self.tail()
                );
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Kills the program at once (SIGKILL) and waits for its end.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether the program is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that the program has had resident so far, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("no VmHWM in the status")?.trim().parse()?;
        Ok(kib * 1024)
    }

    /// From now on [`Self::peak_memory`] tells of the time from now on.
    pub(crate) fn forget_peak_memory(&self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
    }

    /// The program's output, with that of programs of the same name before it.
    pub(crate) fn log(&self) -> Result<String> {
        std::fs::read_to_string(&self.log)
            .with_context(|| format!("cannot read the log of {}", self.name))
    }

    /// The last lines of the program's output, under a heading.
    pub(crate) fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let tail = &text[text.len().saturating_sub(QUOTED)..];
        format!(
            "--- log of {} ---\n{}",
            self.name,
            String::from_utf8_lossy(tail)
        )
    }

    /// The same without the lines that klog marks as information, which are most of them.
    pub(crate) fn complaints(&self) -> String {
        let tail = self.tail();
        let kept: Vec<&str> = tail.lines().filter(|line| !line.starts_with('I')).collect();
        kept.join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended is the only way this fails, and that is what is wanted.
        let _ = self.kill();
    }
}
