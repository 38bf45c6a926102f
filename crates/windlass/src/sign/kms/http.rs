//! Requests to a service: bounded in time and size, without redirects, and repeated where a failure may
//! have passed.
//!
//! The address of a service is the operator's, from the settings or the environment, and no run has a
//! say in it. So `network.allow` is not asked: a service on a private address or on this machine is
//! the usual case. Nobody but the operator leads there either: a redirect is an error.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response, Url};
use windlass_core::error::Chain;
use zeroize::Zeroizing;

use super::error::KmsError;

/// How long everything may take that one call needs.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(10);
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

/// Makes requests.
#[derive(Debug, Clone)]
pub(super) struct Http(Client);

/// A response, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// `Retry-After`.
    after: Option<Duration>,
}

impl Http {
    /// Trusts the authorities of this machine, and these.
    pub(super) fn new(authorities: Vec<Certificate>) -> Result<Self, KmsError> {
        // through the proxy of the environment, like everything else
        let client = Client::builder()
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .referer(false)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .tls_certs_merge(authorities)
            .build();
        client.map(Self).map_err(|_| {
            KmsError::Settings(
                "no HTTP client could be set up; check the certificates and proxies of this machine"
                    .to_owned(),
            )
        })
    }

    /// Makes a request, again if it failed in a way that may have passed.
    pub(super) async fn send(
        &self,
        doing: &str,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Answer, KmsError> {
        self.send_again_if(doing, request, |_| false).await
    }

    /// The same, and again if the response is one of these, unless it asks for a longer pause.
    pub(super) async fn send_again_if(
        &self,
        doing: &str,
        request: impl Fn(&Client) -> RequestBuilder,
        is_throttled: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, KmsError> {
        let failed = |why: String| {
            let step = "check its address, and whether it runs and can be reached from here";
            KmsError::failed(doing, format!("{why}; {step}"))
        };
        let attempts = async {
            let mut pauses = PAUSES.into_iter();
            loop {
                let answer = answer(request(&self.0)).await;
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
        match tokio::time::timeout(PATIENCE, attempts).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(failed(format!(
                "no response within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }
}

impl Answer {
    /// Whether it is one of success.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the same request may succeed at once.
    fn is_transient(&self) -> bool {
        matches!(self.status, 500 | 502 | 503 | 504) && self.after.is_none()
    }

    /// What it means if nothing more is known of this status.
    pub(super) fn failure(&self, doing: &str) -> KmsError {
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
        KmsError::Failed {
            doing: doing.to_owned(),
            why,
            after: self.after,
        }
    }

    /// What a successful one says. Its text is left out of the error: anybody may have written it.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, doing: &str) -> Result<T, KmsError> {
        if !self.is_success() {
            return Err(self.failure(doing));
        }
        serde_json::from_slice(&self.body)
            .map_err(|_| KmsError::failed(doing, "the response is malformed"))
    }
}

async fn answer(request: RequestBuilder) -> Result<Answer, String> {
    let failed = |error: reqwest::Error| {
        if error.is_timeout() {
            return "no response in time".to_owned();
        }
        Chain(&error.without_url()).to_string()
    };
    let mut response = request.send().await.map_err(failed)?;
    let (status, after) = (response.status().as_u16(), after(&response));
    let mut body = Zeroizing::new(Vec::new());
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > LIMIT {
            return Err(format!("the response is larger than {LIMIT} bytes"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer {
        status,
        body,
        after,
    })
}

/// What the address of a service must not have, if it has any of that.
pub(super) fn excess(url: &Url) -> Option<&'static str> {
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
