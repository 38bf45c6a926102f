//! Work on a thread of its own, apart from whatever others have begun.
//!
//! The runtime has a pool of threads for work that blocks, and everybody who fills it would stop what
//! is behind them there. Keys are loaded, and long signatures made, on threads that nobody shares.

use std::thread;

use tokio::sync::oneshot;
pub use windlass_registry::Interrupted;

/// Does this work on a thread of this name.
pub(crate) async fn apart<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interrupted> {
    let (sender, result) = oneshot::channel();
    #[cfg(test)]
    let _held = tests::hold_the_clock();
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(move || drop(sender.send(work())))?;
    result.await.map_err(|_| Interrupted::Ended)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    /// Keeps a paused clock where it is: it knows only of the runtime's own threads, and would run on
    /// to the next timer while this work is done.
    pub(super) fn hold_the_clock() -> Sender<()> {
        let (held, release) = channel();
        drop(tokio::task::spawn_blocking(move || release.recv()));
        held
    }
}
