//! Requests and answers: schemes, redirects and limits.
//!
//! A credential is sent to the origin (scheme, host and port) that was asked and to no other: not
//! along a redirect, and not where an upload's `Location` leads. TLS is never given up on the way,
//! except for hosts that may be spoken to without.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::{Response, Url};

use crate::error::{At, Error};
use crate::options::Options;

mod trust;

pub use trust::SetupError;
use trust::TlsProblem;

/// Most redirects followed one after the other.
const HOPS: usize = 5;
/// Most bytes read of the body of an error.
const ERROR_BODY: usize = 16 * 1024;

/// HTTP clients, and the scheme each host speaks.
#[derive(Debug)]
pub(crate) struct Http {
    checked: reqwest::Client,
    unchecked: Option<reqwest::Client>,
    insecure: HashSet<String>,
    schemes: Mutex<HashMap<String, &'static str>>,
}

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) at: &'a At,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    pub(crate) body: Body,
    pub(crate) authorization: Option<HeaderValue>,
    /// Most bytes of the answer's body.
    pub(crate) limit: usize,
}

/// What a request carries.
#[derive(Debug, Clone, Default)]
pub(crate) enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Content.
    Content(Bytes),
    /// Something that must not get to another origin.
    Secret(Bytes),
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Where it came from in the end.
    pub(crate) url: Url,
    /// Whether it came from the origin that was asked.
    pub(crate) at_home: bool,
}

impl Answer {
    /// A header, if it is there and text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When it asks to come back: seconds, or a date.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = jiff::fmt::rfc2822::DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_timestamp(text)
            .ok()?;
        let wait = date.duration_since(jiff::Timestamp::now());
        Some(Duration::try_from(wait).unwrap_or_default())
    }
}

impl Http {
    pub(crate) fn new(options: &Options) -> Result<Self, SetupError> {
        let checked = trust::builder(options)?.build();
        let unchecked = if options.insecure.is_empty() {
            None
        } else {
            let builder = trust::builder(options)?.tls_danger_accept_invalid_certs(true);
            Some(builder.build().map_err(SetupError::Http)?)
        };
        Ok(Self {
            checked: checked.map_err(SetupError::Http)?,
            unchecked,
            insecure: options
                .insecure
                .iter()
                .map(|host| canonical(host))
                .collect(),
            schemes: Mutex::default(),
        })
    }

    /// The address of a registry, with a slash at its end. A host that may be spoken to in plain
    /// HTTP is asked for HTTPS first.
    pub(crate) async fn base(&self, at: &At, registry: &str) -> Result<Url, Error> {
        let parse = |scheme: &str| Url::parse(&format!("{scheme}://{registry}/"));
        let not_a_host = |_| Error::Refused {
            at: at.clone(),
            why: "the registry is not the name of a host".to_owned(),
        };
        let https = parse("https").map_err(not_a_host)?;
        if !self.may_be_plain(&https) {
            return Ok(https);
        }
        if let Some(scheme) = self.schemes().get(registry).copied() {
            return parse(scheme).map_err(not_a_host);
        }
        let probe = https.join("v2/").unwrap_or_else(|_| https.clone());
        match self.client(&https).get(probe).send().await {
            Ok(_) => {
                self.schemes().insert(registry.to_owned(), "https");
                Ok(https)
            }
            Err(error) => match trust::tls_problem(&error) {
                Some(TlsProblem::Certificate | TlsProblem::ClientCertificate) => {
                    Err(transport(at, &https, error))
                }
                // TLS came about, and what went wrong came after it
                None if !error.is_connect() && !error.is_timeout() => Ok(https),
                Some(TlsProblem::NotTls) | None => parse("http").map_err(not_a_host),
            },
        }
    }

    /// Remembers that a registry has answered in this scheme.
    pub(crate) fn answered(&self, registry: &str, url: &Url) {
        let scheme = if url.scheme() == "http" {
            "http"
        } else {
            "https"
        };
        self.schemes().insert(registry.to_owned(), scheme);
    }

    /// Whether a host may be spoken to without TLS.
    pub(crate) fn may_be_plain(&self, url: &Url) -> bool {
        trust::is_loopback(url) || self.is_insecure(url)
    }

    /// Sends a request once and follows where it leads.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, Error> {
        let origin = request.url.origin();
        let mut url = request.url.clone();
        for _ in 0..=HOPS {
            let at_home = url.origin() == origin;
            if matches!(request.body, Body::Secret(_)) && !at_home {
                return Err(astray(request.at, &url, "it is another host"));
            }
            let response = self.send_to(&request, &url, at_home).await?;
            match next(&request, &response)? {
                Some(there) => url = self.checked_hop(request.at, &request.url, there)?,
                None => return read(&request, response, url, at_home).await,
            }
        }
        Err(astray(request.at, &url, "there are too many redirects"))
    }

    /// Makes sure a place the registry leads to is one to go to.
    pub(crate) fn checked_hop(&self, at: &At, from: &Url, mut to: Url) -> Result<Url, Error> {
        let same_host = to.host_str() == from.host_str();
        if to.scheme() == "http" && from.scheme() == "https" && same_host {
            // A proxy that ends TLS and does not tell the registry: common, and harmless.
            let _ = to.set_scheme("https");
        }
        if to.scheme() == "https" || (to.scheme() == "http" && self.may_be_plain(&to)) {
            return Ok(to);
        }
        Err(astray(at, &to, "it is not HTTPS"))
    }

    async fn send_to(
        &self,
        request: &Request<'_>,
        url: &Url,
        at_home: bool,
    ) -> Result<Response, Error> {
        let client = self.client(url);
        let mut sent = client.request(request.method.clone(), url.clone());
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        if let Some(authorization) = request.authorization.as_ref().filter(|_| at_home) {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        if let Body::Content(content) | Body::Secret(content) = &request.body {
            sent = sent.body(content.clone());
        }
        let answered = sent.send().await;
        answered.map_err(|error| transport(request.at, url, error))
    }

    fn client(&self, url: &Url) -> &reqwest::Client {
        match &self.unchecked {
            Some(unchecked) if self.is_insecure(url) => unchecked,
            _ => &self.checked,
        }
    }

    fn is_insecure(&self, url: &Url) -> bool {
        self.insecure.contains(&authority(url))
    }

    fn schemes(&self) -> std::sync::MutexGuard<'_, HashMap<String, &'static str>> {
        self.schemes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Host and port, the port only if it is not the scheme's own.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A registry as it was listed, in the form of [`authority`].
fn canonical(registry: &str) -> String {
    let host = registry.trim().to_ascii_lowercase();
    let plain = host.strip_suffix(":443").or(host.strip_suffix(":80"));
    plain.unwrap_or(&host).to_owned()
}

/// Where an answer leads. Only statuses that keep the method lead a write on.
fn next(request: &Request<'_>, response: &Response) -> Result<Option<Url>, Error> {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    let leads = match response.status().as_u16() {
        307 | 308 => true,
        301..=303 => reads,
        _ => false,
    };
    let location = response.headers().get(LOCATION);
    let Some(location) = location.filter(|_| leads) else {
        return Ok(None);
    };
    let joined = location.to_str().ok();
    let joined = joined.and_then(|location| response.url().join(location).ok());
    let why = "its address cannot be read";
    joined
        .map(Some)
        .ok_or_else(|| astray(request.at, response.url(), why))
}

pub(crate) fn astray(at: &At, to: &Url, why: &'static str) -> Error {
    Error::Redirect {
        at: at.clone(),
        to: format!("{}://{}", to.scheme(), authority(to)),
        why,
    }
}

async fn read(
    request: &Request<'_>,
    mut response: Response,
    url: Url,
    at_home: bool,
) -> Result<Answer, Error> {
    let failed = response.status().as_u16() >= 400;
    let limit = if failed { ERROR_BODY } else { request.limit };
    let too_large = || Error::TooLarge {
        at: request.at.clone(),
        limit,
    };
    let has_body = request.method != Method::HEAD;
    let stated = response.content_length().filter(|_| has_body && !failed);
    if stated.is_some_and(|stated| stated > limit as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    loop {
        let piece = match response.chunk().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            // What an error says is worth less than that it is one.
            Err(_) if failed => break,
            Err(error) => return Err(transport(request.at, &url, error)),
        };
        if body.len() + piece.len() > limit {
            if failed {
                break;
            }
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: body.freeze(),
        url,
        at_home,
    })
}

/// The address is left out of the source: its query may hold a secret.
fn transport(at: &At, url: &Url, error: reqwest::Error) -> Error {
    let (at, host) = (at.clone(), authority(url));
    let problem = trust::tls_problem(&error);
    let source = error.without_url();
    match problem {
        Some(TlsProblem::Certificate) => Error::Untrusted { at, host, source },
        Some(TlsProblem::ClientCertificate) => Error::ClientCertificate { at, host, source },
        Some(TlsProblem::NotTls) => Error::NotTls { at, host, source },
        None => Error::Transport { at, host, source },
    }
}
