//! Files that services are spoken to with: tokens and certificates.

use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

/// What is in a file of at most `limit` bytes. The error says what is wrong with it, without its name.
pub(crate) async fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let failed = |error: std::io::Error| error.to_string();
    let file = File::open(path).await.map_err(failed)?;
    let mut content = Zeroizing::new(Vec::new());
    let mut limited = file.take(limit as u64 + 1);
    limited.read_to_end(&mut content).await.map_err(failed)?;
    if content.len() > limit {
        return Err(format!("it is larger than {limit} bytes"));
    }
    Ok(content)
}
