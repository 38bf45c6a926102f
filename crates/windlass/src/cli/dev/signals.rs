//! What ends a cluster in the foreground: Ctrl-C, SIGTERM, and the terminal that goes away.

use std::future::Future;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::controller::asked_to_stop;

/// Waits until somebody asks this process to end. SIGHUP counts unless the process was started to
/// outlive its terminal, as `nohup` does.
pub(crate) fn asked_to_end(
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let mut hangup = if outlives_terminal() {
        None
    } else {
        Some(signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?)
    };
    let asked = asked_to_stop(stop)?;
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => {
                    hangup.recv().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = asked => {}
            () = hung_up => {}
        }
    })
}

/// Whether SIGHUP is ignored already. Where the system does not say, it is not.
fn outlives_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // signal 1 is the lowest bit
    ignored.is_some_and(|mask| mask & 1 == 1)
}
