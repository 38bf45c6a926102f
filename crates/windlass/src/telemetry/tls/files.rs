//! The files of the metrics server's TLS, read again when they change: certificates are renewed while
//! the controller runs.
//!
//! They are looked at when a client connects, which is every few seconds. A change that cannot be used,
//! such as a new certificate whose key is not written yet, leaves the last one in use.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use windlass_core::error::Chain;

use super::settings::Tls;

/// What tells one state of a file from another: the file, its size, and when it was written.
type Stamp = (u64, u64, i64, i64);

/// The certificates that are in use.
#[derive(Debug)]
pub(in super::super) struct Certificates {
    tls: Tls,
    loaded: Mutex<Loaded>,
}

#[derive(Debug, Default)]
struct Loaded {
    /// The files that were read last, with whatever success.
    stamps: Option<Vec<Option<Stamp>>>,
    config: Option<Arc<ServerConfig>>,
}

impl Certificates {
    /// Certificates that nobody has read yet.
    pub(in super::super) fn new(tls: Tls) -> Self {
        Self {
            tls,
            loaded: Mutex::default(),
        }
    }

    /// The certificates to use now; none until the files could be read once. Blocks on the files.
    pub(in super::super) fn current(&self) -> Option<Arc<ServerConfig>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps: Vec<Option<Stamp>> = self
            .tls
            .paths()
            .map(|path| std::fs::metadata(path).ok().as_ref().map(stamp))
            .collect();
        if loaded.stamps.as_ref() != Some(&stamps) {
            let is_first = loaded.config.is_none();
            match self.tls.load() {
                Ok(config) => {
                    loaded.config = Some(config);
                    tracing::info!("the certificate of the metrics server is loaded");
                }
                Err(error) if is_first => {
                    let error = Chain(&error);
                    tracing::error!(
                        "metrics are not served: {error}; trying again once it changes"
                    );
                }
                Err(error) => {
                    let error = Chain(&error);
                    tracing::error!(
                        "the last certificate of the metrics server stays loaded: {error}"
                    );
                }
            }
            loaded.stamps = Some(stamps);
        }
        loaded.config.clone()
    }
}

fn stamp(file: &Metadata) -> Stamp {
    (file.ino(), file.size(), file.mtime(), file.mtime_nsec())
}
