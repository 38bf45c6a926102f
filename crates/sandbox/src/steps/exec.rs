//! One process: started in its own process group, its output passed on, killed with everything it
//! started when its time is over.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longest wait for the last output once a process is gone.
const DRAIN: Duration = Duration::from_secs(1);

/// What to run.
pub(super) struct Process {
    pub command: Vec<String>,
    pub folder: PathBuf,
    pub env: Vec<(String, String)>,
}

/// The command line that runs a script file: its shebang's interpreter, or `sh`.
pub(super) fn interpreter(script: &str, file: &Path) -> Vec<String> {
    let file = file.display().to_string();
    let shebang = script
        .strip_prefix("#!")
        .and_then(|rest| rest.lines().next())
        .map(str::trim);
    let Some(line) = shebang.filter(|line| !line.is_empty()) else {
        return vec!["/bin/sh".into(), file];
    };
    match line.split_once(char::is_whitespace) {
        Some((program, argument)) => {
            vec![program.to_owned(), argument.trim().to_owned(), file]
        }
        None => vec![line.to_owned(), file],
    }
}

impl Process {
    /// Runs until the process ends or `until` does; `None` if it was killed.
    pub(super) async fn run(
        self,
        line: &(dyn Fn(&str) + Send + Sync),
        until: impl Future<Output = ()>,
    ) -> io::Result<Option<ExitStatus>> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(io::Error::other("the step has neither script nor command"));
        };
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let output = async { tokio::join!(pass_on(stdout, line), pass_on(stderr, line)) };
        tokio::pin!(output);
        tokio::pin!(until);
        let mut drained = false;
        let ended = loop {
            tokio::select! {
                status = child.wait() => break Some(status?),
                () = &mut until => break None,
                _ = &mut output, if !drained => drained = true,
            }
        };
        kill(&mut child, group).await;
        if !drained {
            drop(timeout(DRAIN, output).await);
        }
        Ok(ended)
    }
}

/// Kills what is left of a process group. The child has not been forgotten yet, or its group still
/// has members, so the number cannot be another group's while anything is left to kill.
async fn kill(child: &mut Child, group: Option<u32>) {
    if let Some(group) = group {
        let killed = Command::new("kill")
            .args(["-KILL", "--", &format!("-{group}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        if let Err(error) = killed {
            tracing::warn!(%error, "could not run kill to end the processes of a step");
        }
    }
    if let Err(error) = child.kill().await {
        tracing::debug!(%error, "the process of a step had already ended");
    }
}

async fn pass_on(stream: Option<impl AsyncRead + Unpin>, line: &(dyn Fn(&str) + Send + Sync)) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 8192];
    let mut partial = String::new();
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        partial.push_str(&String::from_utf8_lossy(&buffer[..count]));
        while let Some(end) = partial.find('\n') {
            line(&partial[..end]);
            partial.drain(..=end);
        }
        if partial.len() > buffer.len() {
            line(&partial);
            partial.clear();
        }
    }
    if !partial.is_empty() {
        line(&partial);
    }
}
