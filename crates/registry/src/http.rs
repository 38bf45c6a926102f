//! HTTP requests to registries: schemes, redirects and limits.
//!
//! A credential is sent only to the origin (scheme, host and port) of its request: not along a
//! redirect, and not to the `Location` of an upload on another host. No redirect leads from TLS to
//! plain HTTP, except on hosts where plain HTTP is allowed.

use std::time::Duration;

use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderValue, Method};
use reqwest::Url;

use self::failure::{failure, silence};
use self::host::Exemptions;
use self::scheme::{Scheme, Schemes};
use crate::error::{At, Error};
use crate::options::{Bodies, Options};

mod body;
mod failure;
mod host;
mod request;
mod response;
mod scheme;
mod setup;

pub(crate) use self::failure::unfollowed;
pub(crate) use self::request::{Body, Request};
pub(crate) use self::response::Response;
pub use self::setup::SetupError;

/// Most redirects followed one after the other.
const HOPS: usize = 5;

/// HTTP clients, and the scheme of each host.
#[derive(Debug)]
pub(crate) struct Http {
    checked: reqwest::Client,
    unchecked: Option<reqwest::Client>,
    exemptions: Exemptions,
    schemes: Schemes,
    bodies: Bodies,
    /// How long a response may take to begin.
    first_byte: Duration,
}

impl Http {
    pub(crate) fn new(options: &Options) -> Result<Self, SetupError> {
        let checked = setup::builder(options)?.build();
        let unchecked = if options.unchecked_certificates.is_empty() {
            None
        } else {
            let builder = setup::builder(options)?.tls_danger_accept_invalid_certs(true);
            Some(builder.build().map_err(SetupError::Http)?)
        };
        Ok(Self {
            checked: checked.map_err(SetupError::Http)?,
            unchecked,
            exemptions: Exemptions::new(options),
            schemes: Schemes::new(),
            bodies: options.bodies.clone(),
            first_byte: options.timeouts.first_byte,
        })
    }

    /// The address of a registry, with a slash at its end. Where plain HTTP is allowed, HTTPS is
    /// still tried first.
    pub(crate) async fn base(&self, at: &At, registry: &str) -> Result<Url, Error> {
        let address = |scheme: Scheme| {
            let url = Url::parse(&format!("{}://{registry}/", scheme.as_str()));
            url.map_err(|_| Error::Refused {
                at: at.clone(),
                why: "the registry is not a valid host name".to_owned(),
            })
        };
        let https = address(Scheme::Https)?;
        if !self.may_be_plain(&https) {
            return Ok(https);
        }
        let client = self.client(&https);
        let scheme = self
            .schemes
            .probe(client, registry, &https, self.first_byte)
            .await;
        address(scheme.map_err(|error| failure(at, &https, error))?)
    }

    /// Remembers the scheme in which a registry responded, if it has a choice.
    pub(crate) fn learn_scheme(&self, registry: &str, url: &Url) {
        if self.may_be_plain(url) {
            self.schemes.learn(registry, Scheme::of(url));
        }
    }

    /// Whether plain HTTP to a host is allowed.
    pub(crate) fn may_be_plain(&self, url: &Url) -> bool {
        self.exemptions.allow_plain_http(url)
    }

    /// Sends a request once and follows redirects.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Response, Error> {
        let origin = request.url.origin();
        let mut url = request.url.clone();
        for _ in 0..=HOPS {
            let at_home = url.origin() == origin;
            if matches!(request.body, Body::Secret(_)) && !at_home {
                return Err(unfollowed(request.at, &url, "it is another host"));
            }
            let authorization = request.authorization.as_ref().filter(|_| at_home);
            let response = self.send_to(&request, &url, authorization).await?;
            match next(&request, &response)? {
                Some(there) => url = self.checked_hop(request.at, &request.url, there)?,
                None => return Response::read(&self.bodies, &request, response, url).await,
            }
        }
        Err(unfollowed(request.at, &url, "there are too many redirects"))
    }

    /// The address that a redirect leads to, if it may be followed.
    pub(crate) fn checked_hop(&self, at: &At, from: &Url, mut to: Url) -> Result<Url, Error> {
        let same_host = to.host_str() == from.host_str();
        if to.scheme() == "http" && from.scheme() == "https" && same_host {
            // A proxy that ends TLS and does not tell the registry: common, and harmless.
            let _ = to.set_scheme("https");
        }
        if to.scheme() == "https" || (to.scheme() == "http" && self.may_be_plain(&to)) {
            return Ok(to);
        }
        Err(unfollowed(at, &to, "it is not HTTPS"))
    }

    async fn send_to(
        &self,
        request: &Request<'_>,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<reqwest::Response, Error> {
        let client = self.client(url);
        let mut sent = client.request(request.method.clone(), url.clone());
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        if let Some(authorization) = authorization {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        if let Body::Content(content) | Body::Secret(content) = &request.body {
            sent = sent.body(content.clone());
        }
        match tokio::time::timeout(self.first_byte, sent.send()).await {
            Ok(response) => response.map_err(|error| failure(request.at, url, error)),
            Err(_) => Err(silence(request.at, url, self.first_byte)),
        }
    }

    fn client(&self, url: &Url) -> &reqwest::Client {
        match &self.unchecked {
            Some(unchecked) if self.exemptions.skip_certificate(url) => unchecked,
            _ => &self.checked,
        }
    }
}

/// The target of a redirect. Writes follow only statuses that keep the method.
fn next(request: &Request<'_>, response: &reqwest::Response) -> Result<Option<Url>, Error> {
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
    let why = "its address is malformed";
    joined
        .map(Some)
        .ok_or_else(|| unfollowed(request.at, response.url(), why))
}
