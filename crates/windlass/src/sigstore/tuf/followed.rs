//! A mirror that a process follows: what was fetched is kept in memory for as long as the process lives, so
//! that the mirror cannot go back to older metadata. Each start begins at the pinned root.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use sigstore_tuf::{MemoryStore, MetadataStore, Result};

use super::cache::is_kept;
use super::origin::PUBLIC_ROOT;
use super::{Remedies, fetch_into, is_root, mirror};
use crate::sigstore::trust::{Fetched, TrustError};

/// What an operator does about a mirror that the controller follows.
const IN_SETTINGS: Remedies = Remedies {
    root: "in signers.x509.tuf.root of windlass-config",
    connection: "check signers.x509.tuf.mirror.url, and the proxy and the network policies of the controller; it asks \
                 again by itself, and where no mirror can be reached, put trusted_root.json into windlass-config in \
                 its place",
};

/// A mirror with the root that it is believed by.
pub(crate) struct Followed {
    mirror: String,
    root: Vec<u8>,
    store: Arc<Bounded>,
}

impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed")
            .field("mirror", &self.mirror)
            .finish_non_exhaustive()
    }
}

impl Followed {
    /// The mirror at an address with a pinned root: `root.json`, or none for the one of the public instance.
    pub(crate) fn of(mirror: &str, root: Option<&str>) -> std::result::Result<Self, TrustError> {
        mirror::parse(mirror)?;
        let root = root.map_or(PUBLIC_ROOT, str::as_bytes);
        if !is_root(root) {
            return Err(TrustError::PinnedRoot);
        }
        Ok(Self {
            mirror: mirror.to_owned(),
            root: root.to_vec(),
            store: Arc::default(),
        })
    }

    /// The trusted root that the mirror has now.
    pub(crate) async fn fetch(&self) -> std::result::Result<Fetched, TrustError> {
        let store = Arc::clone(&self.store);
        let pinned = (&*self.root, &IN_SETTINGS);
        fetch_into(&self.mirror, pinned, store, Timestamp::now()).await
    }
}

/// Files in memory, under the names that the cache on disk keeps and no other.
#[derive(Debug, Default)]
struct Bounded(MemoryStore);

impl MetadataStore for Bounded {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.load(name)
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<()> {
        if is_kept(name) {
            self.0.store(name, bytes)?;
        }
        Ok(())
    }
}
