//! How a client is set up. It reads no file and no environment: what is there is passed in.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::retry::RetryPolicy;

/// How a client is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// `User-Agent` header.
    pub user_agent: String,
    /// Certificates of authorities to trust besides the system's, PEM, any number in each.
    pub ca_certificates: Vec<Vec<u8>>,
    /// Certificate and private key to show to registries that ask for one.
    pub client_certificate: Option<ClientCertificate>,
    /// Ways out of the network.
    pub proxies: Proxies,
    /// Registries (`host` or `host:port`) whose certificate is not checked, and that are spoken to
    /// in plain HTTP if they do not speak HTTPS. Loopback is spoken to in plain HTTP without being
    /// listed; no other registry ever is.
    pub insecure: Vec<String>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How large things may be.
    pub limits: Limits,
    /// How requests are tried again.
    pub retry: RetryPolicy,
    /// How entries are added where others write too.
    pub append: AppendPolicy,
    /// The time that retries wait by and tokens expire by.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("windlass/", env!("CARGO_PKG_VERSION")).to_owned(),
            ca_certificates: Vec::new(),
            client_certificate: None,
            proxies: Proxies::default(),
            insecure: Vec::new(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            append: AppendPolicy::default(),
            clock: Clock::system(),
        }
    }
}

/// A certificate and its private key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate and those that lead to its authority, PEM.
    pub certificate_pem: Vec<u8>,
    /// The private key, PEM.
    pub key_pem: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate([redacted])")
    }
}

/// Proxies, as the environment variables of these names state them. Each may hold a password.
#[derive(Clone, Default)]
pub struct Proxies {
    /// `http_proxy`: URL of the proxy for plain HTTP.
    pub http: Option<String>,
    /// `https_proxy`: URL of the proxy for HTTPS.
    pub https: Option<String>,
    /// `no_proxy`: hosts, domains and networks that are reached directly, with commas between.
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

/// How long things may take.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// Between two pieces of a response.
    pub idle: Duration,
    /// A request with its whole response.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: Duration::from_secs(120),
        }
    }
}

/// How large things may be.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a manifest, or of a page of a list.
    pub manifest: usize,
    /// Entries of a list of tags or referrers, all pages together.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 << 20,
            entries: 10_000,
        }
    }
}

/// How entries are added where others write too.
#[derive(Debug, Clone)]
pub struct AppendPolicy {
    /// How often an entry is written at most.
    pub rounds: usize,
    /// How long to wait before looking whether a written entry is still there; at least six times
    /// what looking and writing took.
    pub settle: Duration,
    /// The same where somebody else was seen to write in the last minute.
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
