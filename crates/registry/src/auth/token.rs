//! Access tokens: requested from the endpoint that a challenge names, and cached until they expire.
//! Sources: "Token Authentication Specification" (GET with a name and password) and "Token
//! Authentication with `OAuth2`" (POST with a refresh token) of CNCF Distribution.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;
use serde::Deserialize;
use windlass_core::network::Reach;
use windlass_once::{Expiry, OnceMap};
use zeroize::Zeroizing;

use super::challenge::Scopes;
use super::fingerprint::Fingerprint;
use super::refusal::{Denial, Refusal};
use super::{Credential, bearer};
use crate::clock::Clock;
use crate::error::{At, Error, RegistryMessage, is_temporary};
use crate::http::{Body, Http, Place, Request, Response};
use crate::secrets::TenantSecrets;
use crate::tenant::Tenant;

/// Most bytes of a response with a token.
const LIMIT: usize = 256 * 1024;
/// Most tokens cached, by all clients of a memory.
const CACHED: usize = 2000;
/// Longest token, in bytes. Servers accept no longer headers, and an endpoint that anybody may name
/// decides how much is cached.
const LONGEST: usize = 16 * 1024;
/// Lifetime of a token whose response does not state one, seconds.
const LIFETIME: u64 = 60;
/// Longest time that a token is cached, seconds.
const LONGEST_LIFETIME: u64 = 24 * 3600;
/// Longest time before its expiry at which a token is replaced.
const MARGIN: Duration = Duration::from_secs(10);

/// A request for a token.
pub(crate) struct TokenRequest<'a> {
    pub(crate) tenant: &'a Tenant,
    /// The registry that gets the token.
    pub(crate) registry: &'a str,
    pub(crate) realm: &'a Place,
    pub(crate) service: Option<&'a str>,
    pub(crate) scopes: &'a Scopes,
    pub(crate) credential: &'a Credential,
    /// Where the token is noted, so that it is not printed.
    pub(crate) secrets: TenantSecrets<'a>,
    /// A header that was refused: an equal token in the cache is discarded.
    pub(crate) refused: Option<&'a HeaderValue>,
}

/// The header that a credential amounts to.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) header: HeaderValue,
    /// Whether it is a token from the cache, which may be out of date.
    pub(crate) is_cached: bool,
}

impl Grant {
    /// A header that is new.
    pub(crate) fn new(header: HeaderValue) -> Self {
        Self {
            header,
            is_cached: false,
        }
    }
}

#[derive(Clone)]
struct CachedToken(Zeroizing<String>);

/// Tokens, by endpoint, service, scopes and credential. One caller requests a token, the others wait
/// for it.
#[derive(Debug)]
pub(crate) struct Tokens(OnceMap<Fingerprint, CachedToken, Tenant>);

#[derive(Deserialize)]
struct TokenResponse {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
    /// A number, except from endpoints that break the rules.
    expires_in: Option<serde_json::Value>,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        Self(OnceMap::new(CACHED))
    }

    /// A token, from the cache or from the endpoint.
    pub(crate) async fn get(
        &self,
        http: &Http,
        clock: &Clock,
        at: &At,
        request: &TokenRequest<'_>,
    ) -> Result<Grant, Refusal> {
        let key = request.key();
        let is_refused = |token: &CachedToken| request.refused == bearer(&token.0).as_ref();
        let tokens = self.0.share(request.tenant);
        tokens.remove_if(&key, is_refused);
        let at = || At {
            doing: format!("{} (token from {})", at.doing, host(&request.realm.url)),
            repository: at.repository.clone(),
        };
        let mut is_cached = true;
        let make = || {
            is_cached = false;
            fetch(http, clock, at(), request)
        };
        let token = tokens.get_or_try_make(&key, clock.now(), make).await?;
        request.secrets.note(&token.0);
        let header = bearer(&token.0).ok_or_else(|| malformed(at()))?;
        Ok(Grant { header, is_cached })
    }
}

/// Requests a token from the endpoint.
async fn fetch(
    http: &Http,
    clock: &Clock,
    at: At,
    request: &TokenRequest<'_>,
) -> Result<(CachedToken, Expiry), Refusal> {
    if request.realm.url.scheme() == "http" && !http.may_be_plain(&request.realm.url) {
        return Err(Denial::unsent("the token endpoint would get it in plain HTTP").into());
    }
    let response = http.send(request.http(&at)).await?;
    if response.status != 200 {
        return Err(refusal(at, &response, request.secrets));
    }
    let read: Option<TokenResponse> = serde_json::from_slice(&response.body).ok();
    let read = read.and_then(|read| Some((read.token.or(read.access_token)?, read.expires_in)));
    let fits = |token: &str| (1..=LONGEST).contains(&token.len());
    let is_usable = |token: &str| fits(token) && bearer(token).is_some();
    let Some((token, lifetime)) = read.filter(|(token, _)| is_usable(token)) else {
        return Err(malformed(at).into());
    };
    request.secrets.note(&token);
    let lifetime = lifetime.and_then(|stated| stated.as_u64());
    let lifetime = Duration::from_secs(lifetime.unwrap_or(LIFETIME).min(LONGEST_LIFETIME));
    let expires = clock.now() + lifetime.saturating_sub(MARGIN.min(lifetime / 4));
    Ok((CachedToken(token), Expiry::At(expires)))
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn malformed(at: At) -> Error {
    Error::Malformed {
        at,
        what: "the token endpoint returned no token".to_owned(),
    }
}

fn refusal(at: At, response: &Response, secrets: TenantSecrets<'_>) -> Refusal {
    let message = RegistryMessage::read(&response.body, secrets);
    if is_temporary(response.status) {
        return Refusal::Failed(Error::Status {
            at,
            status: response.status,
            message: Box::new(message),
            retry_after: response.retry_after(),
        });
    }
    Refusal::Denied(Denial {
        message: format!("from the token endpoint{message}"),
        ..Denial::said(response.status, &message)
    })
}

impl TokenRequest<'_> {
    /// What tells tokens apart, in a size that nobody else decides.
    fn key(&self) -> Fingerprint {
        let (has_service, service) = match self.service {
            Some(service) => ("service", service),
            None => ("", ""),
        };
        let scopes = self.scopes.to_string();
        let credential = self.credential.fingerprint();
        let realm = self.realm.url.as_str();
        let texts = [self.registry, realm, has_service, service, &scopes];
        let texts = texts.into_iter().map(str::as_bytes);
        Fingerprint::of(texts.chain([credential.as_bytes()]))
    }

    /// With GET and a name and password, or with POST and a refresh token.
    fn http<'a>(&'a self, at: &'a At) -> Request<'a> {
        let mut request = Request {
            at,
            tenant: self.tenant,
            method: Method::GET,
            place: self.realm.clone(),
            // the registry gets the token, whoever gives it
            elsewhere: Reach::Public,
            headers: &[],
            body: Body::Empty,
            authorization: self.credential.basic(),
            limit: LIMIT,
        };
        let Credential::IdentityToken(token) = self.credential else {
            let mut query = request.place.url.query_pairs_mut();
            if let Some(service) = self.service {
                query.append_pair("service", service);
            }
            for scope in self.scopes.each() {
                query.append_pair("scope", &scope);
            }
            drop(query);
            return request;
        };
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("service", self.service.unwrap_or_default())
            .append_pair("client_id", "windlass")
            .append_pair("scope", &self.scopes.to_string())
            .append_pair("refresh_token", token)
            .finish();
        request.method = Method::POST;
        request.headers = &FORM;
        request.body = Body::Secret(form.into());
        request
    }
}

static FORM: [(HeaderName, HeaderValue); 1] = [(
    CONTENT_TYPE,
    HeaderValue::from_static("application/x-www-form-urlencoded"),
)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secrets;

    fn key(realm: &str, service: Option<&str>, scopes: &str, password: &str) -> Fingerprint {
        let (secrets, tenant) = (Secrets::default(), Tenant::default());
        let request = TokenRequest {
            tenant: &tenant,
            registry: "r.io",
            realm: &Place {
                url: Url::parse(realm).unwrap(),
                within: Reach::Private,
            },
            service,
            scopes: &Scopes::parse(scopes),
            credential: &Credential::RegistryToken(password.to_owned().into()),
            secrets: secrets.of(&tenant),
            refused: None,
        };
        request.key()
    }

    #[test]
    fn a_token_is_for_its_endpoint_service_scopes_and_credential_alone() {
        let (realm, scopes) = ("https://t.io/token", "repository:a:pull");
        let one = key(realm, Some("r.io"), scopes, "a");
        assert_eq!(one, key(realm, Some("r.io"), scopes, "a"));
        for other in [
            key("https://t.io/other", Some("r.io"), scopes, "a"),
            key(realm, Some("q.io"), scopes, "a"),
            key(realm, Some(""), scopes, "a"),
            key(realm, None, scopes, "a"),
            key(realm, Some("r.io"), "repository:a:push", "a"),
            key(realm, Some("r.io"), scopes, "b"),
        ] {
            assert_ne!(one, other);
        }
        assert_ne!(key(realm, None, "", "a"), key(realm, Some(""), "", "a"));
    }
}
