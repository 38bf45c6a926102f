//! A mirror of TUF metadata over HTTP: bounded in time and size, without redirects.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, Repository};

use crate::sigstore::trust::TrustError;

/// How long everything may take that is fetched at once.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(15);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Why nothing was fetched, in words of windlass.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There is no connection. What to do about it depends on who asks.
    #[error("no connection")]
    Unreached,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    fn new(why: &str) -> Self {
        Self::Other(why.to_owned())
    }
}

/// A mirror.
pub(super) struct Mirror {
    base: Url,
    client: Client,
}

impl Mirror {
    /// The mirror at an address.
    pub(super) fn of(address: &str) -> Result<Self, TrustError> {
        let base = parse(address)?;
        // through the proxy of the environment, like everything else
        let client = Client::builder()
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .referer(false)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .build();
        let client = client.map_err(|_| TrustError::Mirror {
            mirror: address.to_owned(),
            why:
                "no HTTP client could be set up; check the certificates and proxies of this machine"
                    .to_owned(),
        })?;
        Ok(Self { base, client })
    }

    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let fetched = self.get(path, limit).await;
        fetched.map_err(|failure| Error::transport_with_source("fetching a file", failure))
    }

    async fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let url = self.base.join(path);
        let url = url.map_err(|_| Failure::new("its metadata names an impossible file"))?;
        let sent = self.client.get(url).send().await;
        let mut response = sent.map_err(|error| failed(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => return Ok(None),
            status if status.is_redirection() => {
                return Err(Failure::new(
                    "it redirects, which is not followed; give the address it leads to",
                ));
            }
            status => return Err(Failure::Other(format!("HTTP {}", status.as_u16()))),
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            if (body.len() + piece.len()) as u64 > limit {
                return Err(Failure::Other(format!(
                    "it sends a file of more than {limit} bytes"
                )));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Some(body))
    }
}

/// Reads the address of a mirror.
pub(in crate::sigstore) fn parse(address: &str) -> Result<Url, TrustError> {
    let refused = |why: &str| TrustError::Address {
        mirror: address.to_owned(),
        why: why.to_owned(),
    };
    let url = format!("{}/", address.trim_end_matches('/'));
    let url = Url::parse(&url).map_err(|_| TrustError::Address {
        mirror: "what is given".to_owned(),
        why: "it is no URL; write https://HOST/PATH".to_owned(),
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TrustError::Address {
            mirror: "what is given".to_owned(),
            why: "it has a name or a password; leave it out".to_owned(),
        });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(TrustError::Address {
            mirror: "what is given".to_owned(),
            why: "it has a query or a fragment; leave it out".to_owned(),
        });
    }
    match url.scheme() {
        // everything that is fetched is signed: plain HTTP lies no better than a mirror can
        "https" | "http" => Ok(url),
        _ => Err(refused("use https://")),
    }
}

/// Why nothing came, without the address.
fn failed(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::new("it did not respond in time")
    } else if error.is_connect() {
        Failure::Unreached
    } else {
        Failure::new("the connection broke")
    }
}

impl Repository for Mirror {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(self.fetch(name, max_length))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.fetch(&format!("targets/{path}"), max_length).await })
    }
}
