//! Work on a thread of its own, apart from whatever others have begun.
//!
//! The runtime has a pool of threads for work that blocks, and everybody who fills it would stop what
//! is behind them there. Keys are loaded, and long signatures made, on threads that nobody shares.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// Why the work has no result.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// The system has no thread left.
    #[error("cannot start a thread; raise the limit of processes")]
    NotStarted(#[from] io::Error),
    /// The work panicked.
    #[error("the thread ended early")]
    Ended,
}

/// Does this work on a thread of this name.
pub(crate) async fn apart<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interrupted> {
    let (sender, result) = oneshot::channel();
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(move || drop(sender.send(work())))?;
    result.await.map_err(|_| Interrupted::Ended)
}
