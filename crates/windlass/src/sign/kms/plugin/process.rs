//! One run of a plugin: without a shell, with bounds for its time and its output, and with an end for all
//! that it started.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::super::plugins::Program;
use super::protocol;

/// Most bytes that a plugin may print.
const LIMIT: u64 = 256 << 10;

/// Why a run gave no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("it cannot be started: {0}")]
    Start(io::ErrorKind),
    #[error("it printed more than {LIMIT} bytes")]
    TooLarge,
    #[error("it did not end within {0} s")]
    TooLong(u64),
    #[error("signal {0} ended it")]
    Signal(i32),
    #[error("it printed nothing, and ended with exit status {0}")]
    Nothing(i32),
    #[error("its output cannot be read: {0}")]
    Output(io::ErrorKind),
}

/// Runs a plugin with this input; gives what it printed. The exit status does not count, as the protocol
/// has it.
pub(super) async fn run(
    program: &Program,
    arguments: &str,
    input: &[u8],
) -> Result<Vec<u8>, Failure> {
    let mut child = start(program, arguments).map_err(|error| Failure::Start(error.kind()))?;
    let group = Group::of(&child, program);
    let ended = talk(&mut child, &group, input);
    let ended = tokio::time::timeout(program.patience, ended).await;
    let (status, printed) = ended.map_err(|_| Failure::TooLong(program.patience.as_secs()))??;
    if let Some(signal) = status.signal() {
        return Err(Failure::Signal(signal));
    }
    if printed.is_empty() {
        return Err(Failure::Nothing(status.code().unwrap_or_default()));
    }
    Ok(printed)
}

fn start(program: &Program, arguments: &str) -> io::Result<Child> {
    let mut command = Command::new(&program.path);
    if program.is_heard {
        // in the group of windlass it may ask for a PIN, and Ctrl-C ends both
        command.stderr(Stdio::inherit());
    } else {
        command
            .stderr(Stdio::null())
            .process_group(0)
            .current_dir("/");
    }
    command
        .arg0(&program.name)
        .args([protocol::VERSION, arguments])
        .env_clear()
        .envs(
            program
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

async fn talk(
    child: &mut Child,
    group: &Group,
    input: &[u8],
) -> Result<(ExitStatus, Vec<u8>), Failure> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // a plugin that does not read closes it
            let _ = stdin.write_all(input).await;
        }
    };
    let read = async {
        let mut printed = Vec::new();
        if let Some(stdout) = stdout {
            let read = stdout.take(LIMIT + 1).read_to_end(&mut printed).await;
            read.map_err(|error| Failure::Output(error.kind()))?;
        }
        if printed.len() as u64 > LIMIT {
            group.kill();
            return Err(Failure::TooLarge);
        }
        Ok(printed)
    };
    let wait = async {
        let status = child.wait().await;
        // what it started may have its output open
        group.kill();
        status.map_err(|error| Failure::Output(error.kind()))
    };
    let ((), printed, status) = tokio::join!(write, read, wait);
    Ok((status?, printed?))
}

/// A plugin of the controller with all that it started, which end together; 0 once they have.
struct Group(AtomicI32);

impl Group {
    fn of(child: &Child, program: &Program) -> Self {
        let id = child.id().filter(|_| !program.is_heard);
        let id = id.and_then(|id| i32::try_from(id).ok());
        Self(AtomicI32::new(id.unwrap_or_default()))
    }

    /// Ends them, once: later the number may be that of another group.
    fn kill(&self) {
        if let Some(group) = Pid::from_raw(self.0.swap(0, Ordering::Relaxed)) {
            // one that has ended is none
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
