//! Options of a client. The caller passes in everything; no file or environment variable is read.

use std::fmt;
use std::time::Duration;

use windlass_core::network::{Policy, TokenServices};
use zeroize::Zeroizing;

use crate::budget::Budget;
use crate::carrier::Carrier;
use crate::clock::Clock;
use crate::error::Remedy;
use crate::lookup::Lookup;
use crate::retry::RetryPolicy;
use crate::secrets::Secrets;

/// Options of a client.
#[derive(Debug, Clone)]
pub struct Options {
    /// `User-Agent` header.
    pub user_agent: String,
    /// Certificate authorities to trust in addition to the system's, PEM, any number in each.
    pub ca_certificates: Vec<Vec<u8>>,
    /// Certificate and private key for registries that require them.
    pub client_certificate: Option<ClientCertificate>,
    /// Proxies.
    pub proxies: Proxies,
    /// Which addresses are connected to. By default none of this machine or its link, since it
    /// may be others who name the registry.
    pub network: Policy,
    /// How names are resolved.
    pub lookup: Lookup,
    /// Hosts that issue tokens for a registry of another name, besides those that are known to.
    pub token_services: TokenServices,
    /// Registries (`host` or `host:port`) whose certificate is not checked. TLS is still required.
    ///
    /// This is `--allow-insecure-registry` of cosign, which sets `InsecureSkipVerify` and nothing
    /// else.
    pub unchecked_certificates: Vec<String>,
    /// Registries (`host` or `host:port`) where plain HTTP is allowed if they do not speak TLS.
    /// Certificates are still checked. Where loopback may be connected to, plain HTTP is allowed
    /// there too.
    ///
    /// This is `--allow-http-registry` of cosign, which sets `name.Insecure` of
    /// go-containerregistry and nothing else. That library is more lenient: without any flag it
    /// allows plain HTTP for private addresses (RFC 1918) too, and where plain HTTP is allowed it
    /// falls back after any failure, that of a certificate included, or when HTTPS takes longer than
    /// 300 ms.
    pub plain_http: Vec<String>,
    /// The secrets in use, for whoever prints what a registry says.
    pub secrets: Secrets,
    /// Timeouts.
    pub timeouts: Timeouts,
    /// Size limits.
    pub limits: Limits,
    /// How much memory the bodies of responses may take. Clients with clones of it share it.
    pub bodies: Bodies,
    /// How requests are retried.
    pub retry: RetryPolicy,
    /// How entries are appended to tags that others write too.
    pub append: AppendPolicy,
    /// What a refusal tells the reader to do.
    pub remedy: Remedy,
    /// The clock for the waits of retries and the expiry of tokens.
    pub clock: Clock,
    /// What carries requests in the place of the network.
    pub carrier: Option<Carrier>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("windlass/", env!("CARGO_PKG_VERSION")).to_owned(),
            ca_certificates: Vec::new(),
            client_certificate: None,
            proxies: Proxies::default(),
            network: Policy::default(),
            lookup: Lookup::system(),
            token_services: TokenServices::default(),
            unchecked_certificates: Vec::new(),
            plain_http: Vec::new(),
            secrets: Secrets::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            bodies: Bodies::default(),
            retry: RetryPolicy::default(),
            append: AppendPolicy::default(),
            remedy: Remedy::default(),
            clock: Clock::system(),
            carrier: None,
        }
    }
}

/// A certificate and its private key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate and its intermediates, PEM.
    pub certificate_pem: Vec<u8>,
    /// The private key, PEM.
    pub key_pem: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate([redacted])")
    }
}

/// Proxies, in the format of the environment variables of these names. Each may have a password.
#[derive(Clone, Default)]
pub struct Proxies {
    /// `http_proxy`: URL of the proxy for plain HTTP.
    pub http: Option<String>,
    /// `https_proxy`: URL of the proxy for HTTPS.
    pub https: Option<String>,
    /// `no_proxy`: hosts, domains and networks to reach directly, separated by commas.
    pub except: Option<String>,
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("except", &self.except)
            .finish()
    }
}

/// Timeouts.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// From a request to the first byte of its response, a new connection included.
    pub first_byte: Duration,
    /// Between two pieces of a response.
    pub idle: Duration,
    /// For a request with its whole response.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: Duration::from_secs(120),
        }
    }
}

/// Size limits.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a manifest, or of a page of a list.
    pub manifest: usize,
    /// Entries of a list of tags or referrers, all pages together.
    pub entries: usize,
    /// Bytes of such a list, all pages together.
    pub list: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 << 20,
            entries: 10_000,
            list: 32 << 20,
        }
    }
}

/// How much memory the bodies of responses may take, and for how long.
#[derive(Debug, Clone)]
pub struct Bodies {
    /// What all bodies in memory share. Each tenant has a quarter of it at most.
    pub budget: Budget,
    /// Bytes of each body that are read without a share of the budget.
    pub free: usize,
    /// How long a body waits for its share.
    pub patience: Duration,
    /// How long a body may take to arrive once it has its share.
    pub time: Duration,
}

impl Default for Bodies {
    fn default() -> Self {
        Self {
            budget: Budget::new(64 << 20),
            free: 32 << 10,
            patience: Duration::from_secs(10),
            time: Duration::from_secs(20),
        }
    }
}

/// How entries are appended to tags that others write too.
#[derive(Debug, Clone)]
pub struct AppendPolicy {
    /// Most writes of one entry.
    pub rounds: usize,
    /// How long to wait before reading back a written entry; at least six times the duration of the
    /// check and the write.
    pub settle: Duration,
    /// The same for a tag that somebody else wrote in the last minute.
    pub settle_among_others: Duration,
}

impl Default for AppendPolicy {
    fn default() -> Self {
        Self {
            rounds: 20,
            settle: Duration::from_millis(250),
            settle_among_others: Duration::from_secs(2),
        }
    }
}
