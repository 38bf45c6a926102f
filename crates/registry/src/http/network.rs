//! The network: decides for each connection whether it may be made.
//!
//! A name is judged by each address that it resolves to, in the resolver of the HTTP client: the
//! connection goes to the very addresses that were judged, so that it does not matter how the name is
//! spelt, nor what it resolves to the next time. A name is refused if any of its addresses is. An
//! address that stands in a URL is not resolved, and is judged before the request.
//!
//! A proxy of the operator may be anywhere. Behind it a name is resolved by the proxy; what remains to
//! judge here is an address in the URL, and a name that is listed or means this machine.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use windlass_core::network::{Policy, Reach, Refusal};

use super::host::{address, is_own_name};
use super::place::{Origin, Place};
use crate::lookup::{Lookup, LookupError};
use crate::options::Options;

/// Which connections may be made. Clones share what is known of the proxies.
#[derive(Debug, Clone)]
pub(super) struct Network {
    policy: Arc<Policy>,
    lookup: Lookup,
    /// How long a lookup waits for its turn, which leaves time for it.
    patience: Duration,
    proxies: Arc<Proxies>,
}

/// The hosts of the operator's proxies.
#[derive(Debug)]
struct Proxies {
    names: HashSet<String>,
    /// Those in their URLs, and those that their names resolved to.
    addresses: Mutex<HashSet<IpAddr>>,
}

/// Resolves names for one HTTP client.
#[derive(Debug)]
pub(super) struct Resolver {
    network: Network,
    within: Reach,
}

/// A connection that is not made, as it passes through the HTTP client.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(transparent)]
pub(super) struct Forbidden(pub(super) Refusal);

/// Why a place is not connected to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unchecked {
    #[error(transparent)]
    Forbidden(#[from] Refusal),
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl Network {
    pub(super) fn new(options: &Options) -> Self {
        let timeouts = &options.timeouts;
        Self {
            policy: Arc::new(options.network.clone()),
            lookup: options.lookup.clone(),
            patience: timeouts.connect.min(timeouts.first_byte) / 2,
            proxies: Arc::new(Proxies::new(options)),
        }
    }

    /// The nearest addresses that a run itself can name.
    pub(super) fn nearest(&self) -> Reach {
        self.policy.nearest()
    }

    /// Whether a host is this machine and may be connected to.
    pub(super) fn is_own_machine(&self, url: &Url) -> bool {
        let within = self.nearest();
        match (address(url), url.host_str()) {
            (Some(address), _) => {
                address.is_loopback() && self.policy.check(None, address, within).is_ok()
            }
            (None, Some(host)) if is_own_name(host) => {
                self.policy.check_this_machine(host, within).is_ok()
            }
            _ => false,
        }
    }

    /// Whether a place may be connected to, as far as its URL tells.
    pub(super) async fn check(&self, url: &Url, within: Reach) -> Result<(), Unchecked> {
        if let Some(address) = address(url) {
            return Ok(self.policy.check(None, address, within)?);
        }
        let host = url.host_str().unwrap_or_default();
        self.policy.check_name(host)?;
        if is_own_name(host) {
            return Ok(self.policy.check_this_machine(host, within)?);
        }
        if !self.proxies.names.contains(host) {
            return Ok(());
        }
        // the resolver does not know whether it is asked for the proxy or for this
        let found = self.lookup.of(host, self.patience).await?;
        Ok(self.judge(host, &found, within)?)
    }

    fn judge(&self, host: &str, found: &[IpAddr], within: Reach) -> Result<(), Refusal> {
        let mut found = found.iter();
        found.try_for_each(|address| self.policy.check(Some(host), *address, within))
    }

    /// Where a response came from. Behind a proxy that is not known, and taken for public.
    pub(super) fn seen_at(&self, place: &Place, remote: Option<SocketAddr>) -> Origin {
        let remote = remote.map(|remote| remote.ip());
        let remote = remote.filter(|remote| !self.proxies.has(*remote));
        let address = address(&place.url).or(remote);
        Origin {
            place: place.clone(),
            reach: address.map_or(Reach::Public, Reach::of),
        }
    }
}

/// Why a registry is not connected to when a run names it. Nothing if it is, or if its name has no
/// address here within `patience`.
pub async fn refusal(options: &Options, registry: &str, patience: Duration) -> Option<Refusal> {
    let network = Network::new(options);
    let url = Url::parse(&format!("https://{registry}/")).ok()?;
    let within = network.nearest();
    match network.check(&url, within).await {
        Ok(()) => {}
        Err(Unchecked::Forbidden(why)) => return Some(why),
        Err(Unchecked::Lookup(_)) => return None,
    }
    let host = url.host_str()?;
    if address(&url).is_some() || is_own_name(host) {
        return None;
    }
    let found = tokio::time::timeout(patience, network.lookup.of(host, patience)).await;
    network.judge(host, &found.ok()?.ok()?, within).err()
}

impl Proxies {
    fn new(options: &Options) -> Self {
        let urls = [&options.proxies.http, &options.proxies.https];
        let hosts = urls.into_iter().flatten().filter_map(|proxy| {
            // as the HTTP client reads it, which takes `HOST:PORT` for plain HTTP
            let url = Url::parse(proxy).ok().filter(Url::has_host);
            url.or_else(|| Url::parse(&format!("http://{proxy}")).ok())
        });
        let hosts: Vec<Url> = hosts.collect();
        let names = hosts.iter().filter(|url| address(url).is_none());
        Self {
            names: names
                .filter_map(|url| url.host_str().map(str::to_owned))
                .collect(),
            addresses: Mutex::new(hosts.iter().filter_map(address).collect()),
        }
    }

    fn learn(&self, found: &[IpAddr]) {
        self.known().extend(found);
    }

    fn has(&self, address: IpAddr) -> bool {
        self.known().contains(&address)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<IpAddr>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolver {
    pub(super) fn new(network: Network, within: Reach) -> Self {
        Self { network, within }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (network, within) = (self.network.clone(), self.within);
        Box::pin(async move {
            let host = name.as_str();
            let found = network.lookup.of(host, network.patience).await?;
            if network.proxies.names.contains(host) {
                network.proxies.learn(&found);
            } else {
                network.judge(host, &found, within).map_err(Forbidden)?;
            }
            // the port of the URL takes the place of 0
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}
