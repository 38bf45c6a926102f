//! Whoever reads standard output, and goes away: `windlass dev | head -1`.

/// Ends when nobody can read standard output any more. Of a file, a terminal or what cannot be watched,
/// there is no such end; a terminal that closes sends a signal.
#[cfg(target_os = "linux")]
pub(super) async fn gone() {
    use std::os::fd::AsFd as _;

    use tokio::io::Interest;
    use tokio::net::unix::pipe::Sender;

    // only its state is watched: nothing is written, and it stays as blocking as it was
    let output = std::io::stdout().as_fd().try_clone_to_owned();
    if let Some(pipe) = output
        .ok()
        .and_then(|output| Sender::from_owned_fd_unchecked(output).ok())
    {
        while let Ok(state) = pipe.ready(Interest::ERROR).await {
            if state.is_error() || state.is_write_closed() {
                return;
            }
        }
    }
    std::future::pending::<()>().await;
}

/// Other systems report it in ways of their own; Ctrl-C is the end there.
#[cfg(not(target_os = "linux"))]
pub(super) async fn gone() {
    std::future::pending::<()>().await;
}
