//! What asynchronous work is done on.

use anyhow::Result;

/// Two threads, as many as a small machine has processors.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}
