//! The options of a registry: its protocol, its users, and how it differs from other registries.

use super::auth::authentication::Authentication;

/// How a registry is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port on 127.0.0.1; `None` takes a free one.
    pub port: Option<u16>,
    /// What clients call the registry besides `127.0.0.1:PORT` and `localhost:PORT`, such as
    /// `registry.test:5000`. It responds to no other name, so that no web page reaches it by one.
    pub names: Vec<String>,
    /// HTTP or HTTPS.
    pub transport: Transport,
    /// Who may do what.
    pub authentication: Authentication,
    /// Whether referrers are listed.
    pub referrers: Referrers,
    /// The status of a response to the attempt to move a tag, such as 409, 400 or 403; `None` lets
    /// tags move.
    pub immutable_tags: Option<u16>,
    /// Most entries of a list (tags, referrers, catalog) in one response; `None` is no limit.
    pub page: Option<usize>,
    /// Most bytes of a blob.
    pub blob_limit: usize,
    /// How many of the newest requests are remembered.
    pub request_log: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: None,
            names: Vec::new(),
            transport: Transport::Plain,
            authentication: Authentication::None,
            referrers: Referrers::Served,
            immutable_tags: None,
            page: None,
            blob_limit: 1 << 30,
            request_log: 10_000,
        }
    }
}

/// How requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// Plain HTTP.
    #[default]
    Plain,
    /// HTTPS with a certificate for `localhost` and `127.0.0.1` by an authority of its own.
    Tls,
    /// The same, for clients that show a certificate of that authority.
    MutualTls,
}

/// What `GET /v2/NAME/referrers/DIGEST` gives. Where the list is not served, `PUT` of a manifest
/// with a subject does not set `OCI-Subject`, so that clients keep the list under a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Referrers {
    /// The list.
    #[default]
    Served,
    /// 404: the registry is older than version 1.1 of the specification.
    NotFound,
    /// 400, which some registries send instead.
    BadRequest,
}
