//! HTTP requests to registries: schemes, redirects and limits.
//!
//! A credential is sent only to the origin (scheme, host and port) of its request: not along a
//! redirect, and not to the `Location` of an upload on another host. No redirect leads from TLS to
//! plain HTTP, except on hosts where plain HTTP is allowed, and none of a write to another origin.
//! Which addresses are connected to is decided in [`network`].

use std::time::Duration;

use http::HeaderValue;
use http::header::{AUTHORIZATION, LOCATION};
use reqwest::{RequestBuilder, Url};

use self::addresses::KnownAddresses;
use self::client::{Clients, Verification};
use self::failure::{failure, is_unsent, silence, unchecked};
use self::host::Exemptions;
use self::network::Network;
use self::scheme::{Scheme, Schemes};
use crate::carrier::Carrier;
use crate::error::{At, Error};
use crate::options::{Bodies, Options};
use crate::secrets::Secrets;
use crate::tenant::Tenant;

mod addresses;
mod body;
mod client;
mod failure;
mod host;
mod network;
mod place;
mod request;
mod response;
mod scheme;
mod setup;

pub(crate) use self::failure::unfollowed;
pub use self::network::refusal;
pub(crate) use self::place::{Origin, Place, is_same_origin};
pub(crate) use self::request::{Body, Request};
pub(crate) use self::response::Response;
pub use self::setup::SetupError;

/// Most connections for one request that end before it is sent.
const CONNECTIONS: usize = 3;
/// Most redirects followed one after the other.
const HOPS: usize = 5;

/// HTTP clients, and the scheme of each host.
#[derive(Debug)]
pub(crate) struct Http {
    checked: Clients,
    unchecked: Option<Clients>,
    network: Network,
    carrier: Option<Carrier>,
    exemptions: Exemptions,
    schemes: Schemes,
    addresses: KnownAddresses,
    bodies: Bodies,
    /// How long a response may take to begin.
    first_byte: Duration,
    secrets: Secrets,
}

impl Http {
    pub(crate) fn new(options: &Options) -> Result<Self, SetupError> {
        let network = Network::new(options);
        let clients = |verification| Clients::new(options, &network, verification);
        let unchecked = if options.unchecked_certificates.is_empty() {
            None
        } else {
            Some(clients(Verification::None)?)
        };
        Ok(Self {
            checked: clients(Verification::Full)?,
            unchecked,
            network,
            carrier: options.carrier.clone(),
            exemptions: Exemptions::new(options),
            schemes: Schemes::new(),
            addresses: KnownAddresses::new(),
            bodies: options.bodies.clone(),
            first_byte: options.timeouts.first_byte,
            secrets: options.secrets.clone(),
        })
    }

    /// The place of a registry, with a slash at its end. Where plain HTTP is allowed, HTTPS is still
    /// tried first.
    pub(crate) async fn base(&self, at: &At, registry: &str) -> Result<Place, Error> {
        let addresses = self.addresses.of(registry).ok_or_else(|| Error::Refused {
            at: at.clone(),
            why: "the registry is not a valid host name".to_owned(),
        })?;
        let within = self.network.nearest();
        let place = |url: &Url| Place {
            url: url.clone(),
            within,
        };
        let https = place(&addresses.https);
        if self.carrier.is_some() || !self.may_be_plain(&https.url) {
            return Ok(https);
        }
        let client = self.client(at, &https).await?;
        let scheme = self
            .schemes
            .probe(client, registry, &https.url, self.first_byte)
            .await;
        match scheme.map_err(|error| failure(at, &https.url, error))? {
            Scheme::Https => Ok(https),
            Scheme::Http => Ok(place(&addresses.http)),
        }
    }

    /// Remembers the scheme in which a registry responded, if it has a choice.
    pub(crate) fn learn_scheme(&self, registry: &str, url: &Url) {
        if self.may_be_plain(url) {
            self.schemes.learn(registry, Scheme::of(url));
        }
    }

    /// Whether plain HTTP to a host is allowed.
    pub(crate) fn may_be_plain(&self, url: &Url) -> bool {
        self.exemptions.allow_plain_http(url) || self.network.is_own_machine(url)
    }

    /// Sends a request once and follows redirects.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Response, Error> {
        let home = &request.place.url;
        let mut place = request.place.clone();
        for _ in 0..=HOPS {
            let at_home = is_same_origin(&place.url, home);
            if !at_home && request.stays_home() {
                return Err(unfollowed(request.at, &place.url, "it is another host"));
            }
            let authorization = request.authorization.as_ref().filter(|_| at_home);
            let response = self.send_to(&request, &place, authorization).await?;
            let from = self.network.seen_at(&place, response.remote_addr());
            match next(&request, &response)? {
                Some(there) => place = self.hop(request.at, request.tenant, &from, there)?,
                None => return Response::read(&self.bodies, &request, response, from).await,
            }
            if !is_same_origin(&place.url, home) {
                place.within = place.within.min(request.elsewhere);
            }
        }
        Err(unfollowed(
            request.at,
            &place.url,
            "there are too many redirects",
        ))
    }

    /// The place that a response refers to by a redirect, a link or a `Location`, if it may be gone
    /// to.
    pub(crate) fn hop(
        &self,
        at: &At,
        tenant: &Tenant,
        from: &Origin,
        mut to: Url,
    ) -> Result<Place, Error> {
        let same_host = to.host_str() == from.place.url.host_str();
        if to.scheme() == "http" && from.place.url.scheme() == "https" && same_host {
            // A proxy that ends TLS and does not tell the registry: common, and harmless.
            let _ = to.set_scheme("https");
        }
        if !to.username().is_empty() || to.password().is_some() {
            return Err(unfollowed(at, &to, "it has a name or a password"));
        }
        let secrets = self.secrets.of(tenant);
        if !same_host && secrets.are_in(to.host_str().unwrap_or_default()) {
            return Err(Error::Redirect {
                at: at.clone(),
                to: "another host".to_owned(),
                why: "its name has a secret in it",
            });
        }
        if to.scheme() == "https" || (to.scheme() == "http" && self.may_be_plain(&to)) {
            return Ok(from.leads_to(to));
        }
        Err(unfollowed(at, &to, "it is not HTTPS"))
    }

    async fn send_to(
        &self,
        request: &Request<'_>,
        place: &Place,
        authorization: Option<&HeaderValue>,
    ) -> Result<reqwest::Response, Error> {
        let client = self.client(request.at, place).await?;
        let sent = || {
            let sent = client.request(request.method.clone(), place.url.clone());
            filled(sent, request, authorization)
        };
        let sent = async {
            match &self.carrier {
                Some(carrier) => carrier.carry(sent().build()?).await,
                None => send_over_new_connections(|| sent().send()).await,
            }
        };
        match tokio::time::timeout(self.first_byte, sent).await {
            Ok(response) => response.map_err(|error| failure(request.at, &place.url, error)),
            Err(_) => Err(silence(request.at, &place.url, self.first_byte)),
        }
    }

    /// The client for a place that may be connected to, as far as its address tells.
    async fn client(&self, at: &At, place: &Place) -> Result<&reqwest::Client, Error> {
        let Place { url, within } = place;
        let checked = self.network.check(url, *within).await;
        checked.map_err(|why| unchecked(at, url, why))?;
        let clients = match &self.unchecked {
            Some(unchecked) if self.exemptions.skip_certificate(url) => unchecked,
            _ => &self.checked,
        };
        clients.within(*within).ok_or_else(|| Error::Refused {
            at: at.clone(),
            why: "the HTTP client could not be set up a second time".to_owned(),
        })
    }
}

/// A request with its headers and body.
fn filled(
    mut sent: RequestBuilder,
    request: &Request<'_>,
    authorization: Option<&HeaderValue>,
) -> RequestBuilder {
    for (name, value) in request.headers {
        sent = sent.header(name, value);
    }
    if let Some(authorization) = authorization {
        sent = sent.header(AUTHORIZATION, authorization);
    }
    if let Body::Content(content) | Body::Secret(content) = &request.body {
        sent = sent.body(content.clone());
    }
    sent
}

/// Sends a request, over another connection if one ends before the request is sent: what the server
/// said about the connection is lost then, which a further one may tell.
async fn send_over_new_connections<F>(send: impl Fn() -> F) -> reqwest::Result<reqwest::Response>
where
    F: Future<Output = reqwest::Result<reqwest::Response>>,
{
    let mut outcome = send().await;
    for _ in 1..CONNECTIONS {
        match &outcome {
            Err(error) if is_unsent(error) => outcome = send().await,
            _ => break,
        }
    }
    outcome
}

/// The target of a redirect. Writes follow only statuses that keep the method.
fn next(request: &Request<'_>, response: &reqwest::Response) -> Result<Option<Url>, Error> {
    let reads = !request.writes();
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
