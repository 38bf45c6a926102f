//! What the requests of a log share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::kms::material::Material;
use crate::kms::{Kind, MaterialError};
use crate::traffic::Traffic;

use super::options::{Options, Quirk};

/// How many of the newest requests are remembered.
const REQUEST_LOG: usize = 10_000;

#[derive(Debug)]
pub(crate) struct State {
    pub(super) options: Options,
    pub(super) address: SocketAddr,
    pub(crate) traffic: Traffic<Quirk>,
    key: Mutex<Arc<Material>>,
    leaves: Mutex<Vec<Leaf>>,
    skipped: Mutex<Duration>,
}

/// An entry of the log.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) body: String,
    pub(super) time: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn new(options: Options, address: SocketAddr) -> Result<Self, MaterialError> {
        Ok(Self {
            options,
            address,
            traffic: Traffic::new(REQUEST_LOG),
            key: Mutex::new(Arc::new(Material::generate(Kind::P256)?)),
            leaves: Mutex::default(),
            skipped: Mutex::default(),
        })
    }

    pub(super) fn key(&self) -> Arc<Material> {
        Arc::clone(&locked(&self.key))
    }

    pub(super) fn replace_key(&self, kind: Kind) -> Result<(), MaterialError> {
        *locked(&self.key) = Arc::new(Material::generate(kind)?);
        Ok(())
    }

    pub(super) fn leaves(&self) -> MutexGuard<'_, Vec<Leaf>> {
        locked(&self.leaves)
    }

    /// The number of the entry with this body, and whether it was added just now.
    pub(super) fn add(&self, body: String) -> (usize, bool) {
        let time = self.now();
        let mut leaves = self.leaves();
        let known = leaves.iter().position(|leaf| leaf.body == body);
        let index = known.unwrap_or_else(|| {
            leaves.push(Leaf { body, time });
            leaves.len() - 1
        });
        (index, known.is_none())
    }

    pub(super) fn skip(&self, time: Duration) {
        *locked(&self.skipped) += time;
    }

    fn now(&self) -> u64 {
        let now = SystemTime::now() + *locked(&self.skipped);
        now.duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs())
    }
}
