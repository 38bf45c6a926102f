//! The addresses of registries, each read once: every request to one begins with it.

use std::sync::Arc;
use std::time::Instant;

use reqwest::Url;
use windlass_once::{Expiry, OnceMap};

/// Most registries whose addresses are kept.
const KEPT: usize = 1000;

/// The address of a registry, with a slash at its end, in each scheme.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) https: Url,
    pub(super) http: Url,
}

/// Addresses by the name of the registry.
#[derive(Debug)]
pub(super) struct KnownAddresses(OnceMap<String, Arc<Addresses>>);

impl KnownAddresses {
    pub(super) fn new() -> Self {
        Self(OnceMap::new(KEPT))
    }

    /// The addresses of a registry; none if its name is not valid in one.
    pub(super) fn of(&self, registry: &str) -> Option<Arc<Addresses>> {
        let (name, now) = (registry.to_owned(), Instant::now());
        if let Some(known) = self.0.get(&name, now) {
            return Some(known);
        }
        let read = |scheme| Url::parse(&format!("{scheme}://{registry}/")).ok();
        let addresses = Arc::new(Addresses {
            https: read("https")?,
            http: read("http")?,
        });
        self.0
            .insert(name, Arc::clone(&addresses), Expiry::Never, now);
        Some(addresses)
    }
}
