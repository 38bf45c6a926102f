//! A program that goes on printing: its lines, with the time at which each came.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Bound on the wait for one line.
const LIMIT: Duration = Duration::from_secs(120);

/// A program under way. Dropping it kills it.
#[derive(Debug)]
pub struct Follow {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Follow {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start bash")?;
        let output = child.stdout.take().context("no output to read")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// The next line, and when it came.
    pub fn next_line(&self) -> Result<(Instant, String)> {
        let line = self.lines.recv_timeout(LIMIT);
        line.with_context(|| format!("no further line within {LIMIT:?}"))
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // Already ended is the only way this fails, and that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
