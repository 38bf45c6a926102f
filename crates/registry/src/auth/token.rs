//! Tokens: asked for where a challenge says, kept until they expire.
//! Sources: "Token Authentication Specification" (GET with name and password) and "Token
//! Authentication with `OAuth2`" (POST with a refresh token) of the reference registry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::challenge::Scopes;
use super::{Credential, Fingerprint, bearer};
use crate::clock::Clock;
use crate::error::{At, Error, Said, is_temporary};
use crate::http::{Body, Http, Request, Response};

/// Most bytes of a response with a token.
const LIMIT: usize = 256 * 1024;
/// Most tokens kept; the expired go first, then all.
const KEPT: usize = 10_000;
/// How long a token holds that does not say so, seconds.
const LIFETIME: u64 = 60;
/// Longest time before its end that a token is replaced.
const MARGIN: Duration = Duration::from_secs(10);

/// What a token is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) realm: &'a Url,
    pub(crate) service: Option<&'a str>,
    pub(crate) scopes: &'a Scopes,
    pub(crate) credential: &'a Credential,
    /// A header that was refused: a token kept that is equal is of no use.
    pub(crate) refused: Option<&'a HeaderValue>,
}

/// What came of it.
pub(crate) enum Outcome {
    /// The header to send.
    Granted {
        /// The header.
        value: HeaderValue,
        /// Whether the token was not asked for now.
        is_kept: bool,
    },
    /// The credential is not accepted.
    Denied {
        /// Status of the token endpoint; none if it was not asked.
        status: Option<u16>,
        /// Why not.
        message: String,
    },
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    realm: String,
    service: Option<String>,
    scopes: String,
    credential: Fingerprint,
}

struct Token {
    value: Zeroizing<String>,
    expires: Instant,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token([redacted])")
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The tokens of a client. Whoever wants one that is being asked for waits for it.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<Key, Slot>>);

#[derive(Deserialize)]
struct Granted {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
    /// A number, unless the endpoint has its own ideas.
    expires_in: Option<serde_json::Value>,
}

impl Tokens {
    /// A token, kept or asked for now.
    pub(crate) async fn get(
        &self,
        http: &Http,
        clock: &Clock,
        at: &At,
        wanted: &Wanted<'_>,
    ) -> Result<Outcome, Error> {
        let slot = self.slot(wanted, clock.now());
        let mut slot = slot.lock().await;
        if let Some(token) = slot.as_ref().filter(|token| token.expires > clock.now())
            && let Some(header) = bearer(&token.value)
            && wanted.refused != Some(&header)
        {
            return Ok(Outcome::Granted {
                value: header,
                is_kept: true,
            });
        }
        *slot = None;
        if wanted.realm.scheme() == "http" && !http.may_be_plain(wanted.realm) {
            return Ok(Outcome::Denied {
                status: None,
                message: "the registry asks to send it in plain HTTP".to_owned(),
            });
        }
        let at = At {
            doing: format!("{} (token from {})", at.doing, host(wanted.realm)),
            repository: at.repository.clone(),
        };
        let response = http.send(request(&at, wanted)).await?;
        if response.status != 200 {
            return refused(at, &response, wanted.credential);
        }
        let granted: Option<Granted> = serde_json::from_slice(&response.body).ok();
        let value =
            granted.map(|granted| (granted.token.or(granted.access_token), granted.expires_in));
        let Some((Some(value), lifetime)) = value else {
            return Err(malformed(at));
        };
        let header = bearer(&value).filter(|_| !value.is_empty());
        let header = header.ok_or_else(|| malformed(at))?;
        let lifetime = Duration::from_secs(
            lifetime
                .and_then(|stated| stated.as_u64())
                .unwrap_or(LIFETIME)
                .min(24 * 3600),
        );
        let expires = clock.now() + lifetime.saturating_sub(MARGIN.min(lifetime / 4));
        *slot = Some(Token { value, expires });
        Ok(Outcome::Granted {
            value: header,
            is_kept: false,
        })
    }

    fn slot(&self, wanted: &Wanted<'_>, now: Instant) -> Slot {
        let key = Key {
            realm: wanted.realm.to_string(),
            service: wanted.service.map(str::to_owned),
            scopes: wanted.scopes.to_string(),
            credential: wanted.credential.fingerprint(),
        };
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= KEPT {
            let holds = |slot: &Slot| {
                let token = slot.try_lock();
                token.map_or(true, |token| {
                    token.as_ref().is_some_and(|token| token.expires > now)
                })
            };
            slots.retain(|_, slot| holds(slot));
        }
        if slots.len() >= KEPT {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn malformed(at: At) -> Error {
    Error::Malformed {
        at,
        what: "the token endpoint gave no token".to_owned(),
    }
}

fn refused(at: At, response: &Response, credential: &Credential) -> Result<Outcome, Error> {
    let said = Said::read(&response.body, &credential.secrets());
    if is_temporary(response.status) {
        return Err(Error::Status {
            at,
            status: response.status,
            said: Box::new(said),
            retry_after: response.retry_after(),
        });
    }
    Ok(Outcome::Denied {
        status: Some(response.status),
        message: format!("from the token endpoint{said}"),
    })
}

fn request<'a>(at: &'a At, wanted: &Wanted<'_>) -> Request<'a> {
    let mut request = Request {
        at,
        method: Method::GET,
        url: wanted.realm.clone(),
        headers: &[],
        body: Body::Empty,
        authorization: wanted.credential.basic(),
        limit: LIMIT,
    };
    let Credential::IdentityToken(token) = wanted.credential else {
        let mut query = request.url.query_pairs_mut();
        if let Some(service) = wanted.service {
            query.append_pair("service", service);
        }
        for scope in wanted.scopes.each() {
            query.append_pair("scope", &scope);
        }
        drop(query);
        return request;
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("service", wanted.service.unwrap_or_default())
        .append_pair("client_id", "windlass")
        .append_pair("scope", &wanted.scopes.to_string())
        .append_pair("refresh_token", token)
        .finish();
    request.method = Method::POST;
    request.headers = form_header();
    request.body = Body::Secret(form.into());
    request
}

fn form_header() -> &'static [(http::HeaderName, HeaderValue)] {
    static FORM: [(http::HeaderName, HeaderValue); 1] = [(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    )];
    &FORM
}
