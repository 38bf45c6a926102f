//! What the requests of a key service share.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::random::{hex, random};
use crate::traffic::Traffic;

use super::keys::{Key, Version};
use super::material::{Kind, Material, MaterialError};
use super::options::{Options, Quirk, Service};

/// How many of the newest requests are remembered.
const REQUEST_LOG: usize = 10_000;

#[derive(Debug)]
pub(crate) struct State {
    pub(super) options: Options,
    pub(super) address: SocketAddr,
    pub(super) scheme: &'static str,
    pub(crate) traffic: Traffic<Quirk>,
    keys: Mutex<Vec<Key>>,
    aliases: Mutex<BTreeMap<String, String>>,
    denied: Mutex<BTreeSet<String>>,
    skipped: Mutex<Duration>,
    versions: Mutex<u32>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn new(options: Options, address: SocketAddr, scheme: &'static str) -> Self {
        Self {
            options,
            address,
            scheme,
            traffic: Traffic::new(REQUEST_LOG),
            keys: Mutex::default(),
            aliases: Mutex::default(),
            denied: Mutex::default(),
            skipped: Mutex::default(),
            versions: Mutex::default(),
        }
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, Vec<Key>> {
        locked(&self.keys)
    }

    pub(super) fn aliases(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        locked(&self.aliases)
    }

    pub(super) fn denied(&self) -> MutexGuard<'_, BTreeSet<String>> {
        locked(&self.denied)
    }

    pub(super) fn skip(&self, time: Duration) {
        *locked(&self.skipped) += time;
    }

    pub(super) fn now(&self) -> SystemTime {
        SystemTime::now() + *locked(&self.skipped)
    }

    /// A version with a key of its own. Numbers go up by one over all keys, so that the tenth comes
    /// after the ninth.
    pub(super) fn new_version(&self, kind: Kind) -> Result<Version, MaterialError> {
        let mut number = locked(&self.versions);
        *number += 1;
        let id = match self.options.service {
            Service::Aws | Service::Google => number.to_string(),
            Service::Azure => hex(&random::<16>().map_err(|_| MaterialError)?),
        };
        Ok(Version {
            id,
            material: Material::generate(kind)?,
            is_enabled: true,
        })
    }
}
