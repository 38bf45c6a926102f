//! Requests to a service: bounded in time and size, without redirects, and repeated where a failure may
//! have passed.
//!
//! The address of a service is the operator's, from the settings or the environment, and no run has a
//! say in it. So `network.allow` is not asked: a service on a private address or on this machine is
//! the usual case. Nobody but the operator leads there either: a redirect is an error.

use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response, Url};
use windlass_core::error::Chain;
use zeroize::Zeroizing;

use super::error::ServiceError;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Pauses before a request is repeated.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// Largest response.
const LIMIT: usize = 256 << 10;
/// Longest time that a service may ask to be left alone, and that is waited at once.
const SHORT: Duration = Duration::from_secs(2);
/// Longest time that a service may ask to be left alone.
const LONGEST: Duration = Duration::from_secs(300);

/// How long a service may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For everything that one call needs.
    pub(crate) call: Duration,
    /// For one request.
    pub(crate) request: Duration,
}

/// What a service gets that responds at once.
pub(crate) const QUICK: Patience = Patience {
    call: Duration::from_secs(15),
    request: Duration::from_secs(10),
};

/// Makes requests.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client,
    patience: Duration,
}

/// A response, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// `Location`, as it stands.
    pub(crate) location: Option<String>,
    /// `Retry-After`.
    after: Option<Duration>,
    headers: HeaderMap,
}

impl Http {
    /// Trusts the authorities of this machine, and these.
    pub(crate) fn new(
        authorities: Vec<Certificate>,
        patience: Patience,
    ) -> Result<Self, ServiceError> {
        // through the proxy of the environment, like everything else
        let client = Client::builder()
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(patience.request)
            .referer(false)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .tls_certs_merge(authorities)
            .build();
        let client = client.map_err(|_| {
            ServiceError::new(
                "set up an HTTP client",
                "check the certificates and proxies of this machine",
            )
        })?;
        Ok(Self {
            client,
            patience: patience.call,
        })
    }

    /// Makes a request, again if it failed in a way that may have passed.
    pub(crate) async fn send(
        &self,
        doing: &str,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Answer, ServiceError> {
        self.send_again_if(doing, request, |_| false).await
    }

    /// The same, and again if the response is one of these, unless it asks for a longer pause.
    pub(crate) async fn send_again_if(
        &self,
        doing: &str,
        request: impl Fn(&Client) -> RequestBuilder,
        is_throttled: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, ServiceError> {
        let failed = |Broken { why, is_silent }| {
            let step = "check its address, and whether it runs and can be reached from here";
            ServiceError {
                is_silent,
                ..ServiceError::new(doing, format!("{why}; {step}"))
            }
        };
        let attempts = async {
            let mut pauses = PAUSES.into_iter();
            loop {
                let answer = answer(request(&self.client)).await;
                let asked = match &answer {
                    Ok(answer) if answer.is_transient() => None,
                    Ok(answer) if is_throttled(answer) => answer.after,
                    Ok(_) => return answer,
                    Err(_) => None,
                };
                match (pauses.next(), asked.unwrap_or_default()) {
                    (Some(pause), asked) if asked <= SHORT => {
                        tokio::time::sleep(asked.max(pause)).await;
                    }
                    _ => return answer,
                }
            }
        };
        match tokio::time::timeout(self.patience, attempts).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(failed(Broken::silent(format!(
                "no response within {} s",
                self.patience.as_secs()
            )))),
        }
    }
}

impl Answer {
    /// Whether it is one of success.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the same request may succeed at once.
    fn is_transient(&self) -> bool {
        matches!(self.status, 500 | 502 | 503 | 504) && self.after.is_none()
    }

    /// What it means if nothing more is known of this status.
    pub(crate) fn failure(&self, doing: &str) -> ServiceError {
        let status = self.status;
        let why = match status {
            300..400 => {
                format!(
                    "HTTP {status}, a redirect, which is not followed; give the address it leads to"
                )
            }
            429 => "HTTP 429, too many requests".to_owned(),
            _ => format!("HTTP {status}"),
        };
        ServiceError {
            after: self.after,
            ..ServiceError::new(doing, why)
        }
    }

    /// What a successful one says. Its text is left out of the error: anybody may have written it.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        doing: &str,
    ) -> Result<T, ServiceError> {
        if !self.is_success() {
            return Err(self.failure(doing));
        }
        serde_json::from_slice(&self.body)
            .map_err(|_| ServiceError::new(doing, "the response is malformed"))
    }
}

/// A request without a whole response.
struct Broken {
    why: String,
    /// Whether nothing came in time.
    is_silent: bool,
}

impl Broken {
    fn silent(why: String) -> Self {
        Self {
            why,
            is_silent: true,
        }
    }

    fn other(why: String) -> Self {
        Self {
            why,
            is_silent: false,
        }
    }
}

async fn answer(request: RequestBuilder) -> Result<Answer, Broken> {
    let failed = |error: reqwest::Error| {
        if error.is_timeout() {
            return Broken::silent("no response in time".to_owned());
        }
        Broken::other(Chain(&error.without_url()).to_string())
    };
    let mut response = request.send().await.map_err(failed)?;
    let (status, after) = (response.status().as_u16(), after(&response));
    let location = response.headers().get(LOCATION);
    let location = location.and_then(|place| Some(place.to_str().ok()?.to_owned()));
    let headers = std::mem::take(response.headers_mut());
    let mut body = Zeroizing::new(Vec::new());
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > LIMIT {
            return Err(Broken::other(format!(
                "the response is larger than {LIMIT} bytes"
            )));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer {
        status,
        body,
        location,
        after,
        headers,
    })
}

/// What the address of a service must not have, if it has any of that.
pub(crate) fn excess(url: &Url) -> Option<&'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Some("it has a name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("it has a query or a fragment");
    }
    None
}

/// Seconds until a service wants to be asked again.
fn after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = seconds.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST))
}
