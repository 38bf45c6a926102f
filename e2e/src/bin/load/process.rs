//! A process as the kernel accounts for it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Ticks of the kernel's clock in a second, on every Linux in use.
const TICKS: u64 = 100;

/// A process that runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running(pub(crate) u32);

impl Running {
    /// Processor time so far, of program and kernel.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.0);
        let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        // the name of the program, in parentheses, may have spaces in it
        let (_, rest) = stat.rsplit_once(") ").context("no name in the status")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks = |field: usize| -> Result<u64> {
            Ok(fields.get(field).context("a short status")?.parse()?)
        };
        Ok(Duration::from_millis(
            (ticks(11)? + ticks(12)?) * 1000 / TICKS,
        ))
    }

    /// Resident memory in bytes: now, and the most so far.
    pub(crate) fn memory(self) -> Result<(u64, u64)> {
        let path = format!("/proc/{}/status", self.0);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
            let kib: u64 = kib.with_context(|| format!("no {name}"))?.trim().parse()?;
            anyhow::Ok(kib * 1024)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    /// Lets it do nothing until [`Self::resume`].
    pub(crate) fn pause(self) -> Result<()> {
        self.signal("STOP")
    }

    pub(crate) fn resume(self) -> Result<()> {
        self.signal("CONT")
    }

    fn signal(self, name: &str) -> Result<()> {
        let mut kill = std::process::Command::new("kill");
        let status = kill
            .args([format!("-{name}"), self.0.to_string()])
            .status()?;
        ensure!(
            status.success(),
            "cannot send SIG{name} to process {}",
            self.0
        );
        Ok(())
    }
}
