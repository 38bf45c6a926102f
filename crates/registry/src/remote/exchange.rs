//! An exchange: one request with one candidate.
//!
//! What the repository asked for earlier is sent at once. If the response is a refusal, its challenge
//! is met once, by a name and password or by a new token.

use std::convert::Infallible;
use std::time::Duration;

use http::HeaderValue;
use windlass_once::Expiry;

use super::call::Call;
use crate::auth::challenge::{Access, Challenge, Scopes};
use crate::auth::refusal::{Denial, Refusal};
use crate::auth::service;
use crate::auth::token::{Grant, TokenRequest};
use crate::auth::{Credential, bearer};
use crate::error::{At, Error, RegistryMessage};
use crate::http::{Place, Response};
use crate::keychain::Candidate;
use crate::reference::Repository;
use crate::secrets::TenantSecrets;
use crate::session::Session;
use crate::tenant::Tenant;

/// How long a repository that wanted nothing is taken to want nothing still.
const OPEN: Duration = Duration::from_secs(60);
/// How long nobody waits for another request after one got no response.
const FAILED: Duration = Duration::from_secs(1);

/// What does not depend on the candidate.
pub(super) struct Exchange<'a> {
    pub(super) session: &'a Session,
    pub(super) tenant: &'a Tenant,
    pub(super) repository: &'a Repository,
    /// What tokens are asked for.
    pub(super) intent: Access,
    pub(super) call: &'a Call<'a>,
    pub(super) at: &'a At,
    pub(super) place: &'a Place,
    /// Whether the address is the registry's own. A place on another host gets no credential, and
    /// is not asked what it would take.
    pub(super) is_home: bool,
}

/// The header of a credential; none if there is nothing to send.
type Authorization = Option<Grant>;

impl Exchange<'_> {
    /// Sends the request with a candidate, at most twice.
    pub(super) async fn run(&self, candidate: &Candidate) -> Result<Response, Refusal> {
        let credential = &candidate.credential;
        if let Credential::Unavailable(why) = credential {
            return Err(Denial::unsent(why).into());
        }
        self.secrets().note_all(credential);
        if !self.is_home {
            return Ok(self.send(None).await?);
        }
        let (first, response) = self.open(credential).await?;
        let Some(denial) = self.denial(&response) else {
            return Ok(response);
        };
        let second = self
            .authorize_again(credential, first.as_ref(), &response)
            .await?;
        let Some(second) = second else {
            return Err(denial.into());
        };
        let response = self.send(Some(&second.header)).await?;
        match self.denial(&response) {
            Some(denial) => Err(denial.into()),
            None => Ok(response),
        }
    }

    /// Sends the request for the first time: with what the repository is known to want.
    async fn open(&self, credential: &Credential) -> Result<(Authorization, Response), Refusal> {
        let is_sent_anyway = matches!(credential, Credential::RegistryToken(_));
        if !is_sent_anyway
            && self.known().is_none()
            && let Some(response) = self.ask_first().await
        {
            return Ok((None, response?));
        }
        let known = self.known();
        let authorization = self.authorize(known.as_ref(), credential, None).await?;
        let response = self.send(header(authorization.as_ref())).await?;
        Ok((authorization, response))
    }

    fn known(&self) -> Option<Challenge> {
        self.session.challenge(self.tenant, self.repository)
    }

    /// Sends the request without a credential, to learn what the repository wants. None if another
    /// request of the same tenant did so meanwhile or lately: whoever comes while it is under way waits
    /// for what it learns, and would be refused otherwise.
    async fn ask_first(&self) -> Option<Result<Response, Error>> {
        let mut sent = None;
        let slot = &mut sent;
        let ask = || async move {
            let result = self.send(None).await;
            let lasting = if result.is_ok() { OPEN } else { FAILED };
            if let Ok(response) = &result
                && response.status == 401
                && let Ok(challenge) = Challenge::read(&response.headers, &response.from)
            {
                self.session.learn(self.tenant, self.repository, &challenge);
            }
            *slot = Some(result);
            let expiry = Expiry::At(self.session.options.clock.now() + lasting);
            Ok::<_, Infallible>(((), expiry))
        };
        let key = (self.tenant.clone(), self.repository.clone());
        let asked = self.session.memory().asked.share(self.tenant);
        let now = self.session.options.clock.now();
        let Ok(()) = asked.get_or_try_make(&key, now, ask).await;
        sent
    }

    fn secrets(&self) -> TenantSecrets<'_> {
        self.session.options.secrets.of(self.tenant)
    }

    async fn send(&self, authorization: Option<&HeaderValue>) -> Result<Response, Error> {
        let mut request = self.call.request(self.at, self.tenant, self.place);
        request.authorization = authorization.cloned();
        self.session.http.send(request).await
    }

    /// The denial that a response is, if it is one. That a tag may not be moved has nothing to do
    /// with the credential, whatever the status.
    fn denial(&self, response: &Response) -> Option<Denial> {
        if !response.at_home || !matches!(response.status, 401 | 403) {
            return None;
        }
        let message = RegistryMessage::read(&response.body, self.secrets());
        if self.call.moves_tag && message.is_about_immutability() {
            return None;
        }
        Some(Denial::said(response.status, &message))
    }

    /// What to send after a denial; none if there is nothing better than what was sent.
    async fn authorize_again(
        &self,
        credential: &Credential,
        sent: Option<&Grant>,
        response: &Response,
    ) -> Result<Authorization, Refusal> {
        let challenge = match response.status {
            401 => {
                Challenge::read(&response.headers, &response.from).map_err(|problem| Denial {
                    status: Some(401),
                    ..Denial::unsent(problem.as_str())
                })?
            }
            // a cached token may be out of date; any other header is refused for good
            _ if !sent.is_some_and(|sent| sent.is_cached) => return Ok(None),
            _ => match self.known() {
                Some(known) => known,
                None => return Ok(None),
            },
        };
        self.session.learn(self.tenant, self.repository, &challenge);
        let sent = header(sent);
        let again = self.authorize(Some(&challenge), credential, sent).await?;
        Ok(again.filter(|again| Some(&again.header) != sent))
    }

    /// What a credential sends in response to a challenge. `refused` is a header that was of no
    /// use.
    async fn authorize(
        &self,
        challenge: Option<&Challenge>,
        credential: &Credential,
        refused: Option<&HeaderValue>,
    ) -> Result<Authorization, Refusal> {
        if let Credential::RegistryToken(token) = credential {
            return Ok(bearer(token).map(Grant::new));
        }
        let (realm, name, scopes) = match challenge {
            None => return Ok(None),
            Some(Challenge::Basic) => return Ok(basic(credential)?),
            Some(Challenge::Bearer {
                realm,
                service,
                scopes,
            }) => (realm, service, scopes),
        };
        let registry = self.repository.registry();
        let listed = &self.session.options.token_services;
        let from = self.call.from.map(|from| Scopes::of(from, Access::Pull));
        let service = realm.url.host_str().unwrap_or_default();
        if !registry.starts_with(service) && self.secrets().are_in(service) {
            return Err(Denial::foreign_service().into());
        }
        let place = service::place(registry, realm, credential, listed)?;
        let request = TokenRequest {
            tenant: self.tenant,
            registry,
            realm: &place,
            service: name.as_deref(),
            scopes: &Scopes::of(self.repository, self.intent)
                .with(scopes)
                .with(&from.unwrap_or_default()),
            credential,
            secrets: self.secrets(),
            refused,
        };
        let Session { http, options, .. } = self.session;
        let tokens = &self.session.memory().tokens;
        match tokens.get(http, &options.clock, self.at, &request).await {
            Ok(grant) => Ok(Some(grant)),
            // nobody but the operator can tell whether the registry may have such a token
            Err(Refusal::Failed(Error::Forbidden { .. })) if place != *realm => {
                Err(Denial::foreign_service().into())
            }
            Err(refusal) => Err(refusal),
        }
    }
}

/// Name and password.
fn basic(credential: &Credential) -> Result<Authorization, Denial> {
    match (credential.basic(), credential) {
        (Some(header), _) => Ok(Some(Grant::new(header))),
        (None, Credential::IdentityToken(_)) => Err(Denial::unsent(
            "the registry requires a name and password, not a token",
        )),
        (None, _) => Ok(None),
    }
}

fn header(grant: Option<&Grant>) -> Option<&HeaderValue> {
    grant.map(|grant| &grant.header)
}
