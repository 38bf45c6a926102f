//! Schemes: HTTPS, and plain HTTP for hosts where it is allowed and that do not speak TLS.

use std::time::{Duration, Instant};

use reqwest::Url;
use windlass_once::{Expiry, OnceMap};

use super::failure::{TlsProblem, tls_problem};

/// Most registries whose scheme is remembered.
const REMEMBERED: usize = 10_000;

/// A scheme that a registry may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Https,
    Http,
}

/// The schemes of registries, as far as a response has shown them.
#[derive(Debug)]
pub(super) struct Schemes(OnceMap<String, Scheme>);

impl Schemes {
    pub(super) fn new() -> Self {
        Self(OnceMap::new(REMEMBERED))
    }

    /// The scheme of a registry, if a response has shown it.
    pub(super) fn get(&self, registry: &str) -> Option<Scheme> {
        self.0.get(&registry.to_owned(), Instant::now())
    }

    pub(super) fn learn(&self, registry: &str, scheme: Scheme) {
        if self.get(registry) != Some(scheme) {
            let (registry, now) = (registry.to_owned(), Instant::now());
            self.0.insert(registry, scheme, Expiry::Never, now);
        }
    }

    /// The scheme of a registry where plain HTTP is allowed. HTTPS is tried first; plain HTTP is left
    /// if there is no connection or no TLS. The error is a problem with a certificate.
    pub(super) async fn probe(
        &self,
        client: &reqwest::Client,
        registry: &str,
        https: &Url,
        first_byte: Duration,
    ) -> Result<Scheme, reqwest::Error> {
        if let Some(known) = self.get(registry) {
            return Ok(known);
        }
        let probe = https.join("v2/").unwrap_or_else(|_| https.clone());
        let sent = tokio::time::timeout(first_byte, client.get(probe).send());
        let Ok(sent) = sent.await else {
            // the request that follows says so
            return Ok(Scheme::Https);
        };
        let Err(error) = sent else {
            self.learn(registry, Scheme::Https);
            return Ok(Scheme::Https);
        };
        match tls_problem(&error) {
            Some(TlsProblem::Certificate | TlsProblem::ClientCertificate) => Err(error),
            // the failure came after the handshake
            None if !error.is_connect() && !error.is_timeout() => Ok(Scheme::Https),
            Some(TlsProblem::NotTls) | None => Ok(Scheme::Http),
        }
    }
}

impl Scheme {
    pub(super) fn of(url: &Url) -> Self {
        match url.scheme() {
            "http" => Self::Http,
            _ => Self::Https,
        }
    }
}
