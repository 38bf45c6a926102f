//! What the fuzz targets call: how headers of a registry are read. No part of the API.

use http::header::{LINK, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};
pub use reqwest::Url;

use crate::auth::challenge::{Challenge, Scopes};
use crate::http::{Origin, Place, Response};
use crate::keychain::Candidates;
use crate::remote::Remote;
use crate::{Client, Options, Repository};
use windlass_core::network::Reach;

/// The page that the responses are to.
const HERE: &str = "https://registry.example.com/v2/team/app/tags/list";

/// What a challenge says about the token endpoint.
#[derive(Debug)]
pub struct TokenEndpoint {
    /// Its address.
    pub realm: Url,
    /// The scopes of the token, as they are sent.
    pub scopes: String,
}

/// Reads `WWW-Authenticate`; none if a password is asked for.
pub fn challenge(header: &str) -> Result<Option<TokenEndpoint>, String> {
    let headers = headers(&WWW_AUTHENTICATE, header);
    let here = Url::parse(HERE).map_err(|error| error.to_string())?;
    let challenge = Challenge::read(&headers, &origin(here));
    match challenge.map_err(|error| error.as_str().to_owned())? {
        Challenge::Basic => Ok(None),
        Challenge::Bearer { realm, scopes, .. } => Ok(Some(TokenEndpoint {
            realm: realm.url,
            scopes: scopes.to_string(),
        })),
    }
}

/// Reads scopes and writes them.
pub fn scopes(text: &str) -> String {
    Scopes::parse(text).to_string()
}

/// A response that a client follows to another address.
#[derive(Debug)]
pub struct Headers {
    remote: Remote,
    here: Url,
}

impl Headers {
    /// A response of `registry.example.com`; none if no client can be made.
    pub fn new() -> Option<Self> {
        let client = Client::new(Options::default()).ok()?;
        let repository = Repository::parse("registry.example.com/team/app").ok()?;
        Some(Self {
            remote: client.repository(repository, Candidates::anonymous()),
            here: Url::parse(HERE).ok()?,
        })
    }

    /// Where the response came from.
    pub fn here(&self) -> &Url {
        &self.here
    }

    /// The next page that `Link` names.
    pub fn next_page(&self, header: &str) -> Result<Option<Url>, String> {
        let next = self.remote.next_page("list", &self.response(&LINK, header));
        next.map(|next| next.map(|place| place.url))
            .map_err(|error| error.to_string())
    }

    /// Where `Location` has an upload go on.
    pub fn location(&self, header: &str) -> Result<Option<Url>, String> {
        let response = self.response(&LOCATION, header);
        let there = self.remote.location("upload", &response);
        there
            .map(|there| there.map(|place| place.url))
            .map_err(|error| error.to_string())
    }

    fn response(&self, name: &HeaderName, value: &str) -> Response {
        Response {
            status: 202,
            headers: headers(name, value),
            body: bytes::Bytes::new(),
            from: origin(self.here.clone()),
            at_home: true,
        }
    }
}

/// A public registry.
fn origin(url: Url) -> Origin {
    Origin {
        place: Place {
            url,
            within: Reach::Public,
        },
        reach: Reach::Public,
    }
}

/// One header, or none if no client would take it in.
fn headers(name: &HeaderName, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).ok();
    value
        .into_iter()
        .map(|value| (name.clone(), value))
        .collect()
}
