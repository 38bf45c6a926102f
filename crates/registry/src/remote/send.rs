//! Requests to a repository: sent with each candidate until one has access, and retried.

use std::sync::Arc;

use super::call::{Call, Target};
use super::exchange::Exchange;
use crate::auth::challenge::Access;
use crate::auth::refusal::{Denial, Refusal};
use crate::error::{At, Attempt, Error, RegistryMessage};
use crate::http::{Place, Response, is_same_origin};
use crate::keychain::{Candidate, Candidates};
use crate::lookup::on_behalf_of;
use crate::reference::Repository;
use crate::retry::with_retry;
use crate::session::Session;
use crate::tenant::Tenant;

/// A repository, with the candidates to use there. Clones share everything.
#[derive(Debug, Clone)]
pub struct Remote {
    pub(super) session: Arc<Session>,
    pub(super) tenant: Tenant,
    pub(super) repository: Repository,
    pub(super) candidates: Candidates,
    /// The access to request tokens for: a token for writing also reads, which saves a second one.
    pub(super) intent: Access,
}

impl Remote {
    pub(crate) fn new(
        session: Arc<Session>,
        repository: Repository,
        candidates: Candidates,
    ) -> Self {
        Self {
            session,
            tenant: Tenant::default(),
            repository,
            candidates,
            intent: Access::Pull,
        }
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The candidates, in the order given.
    pub fn candidates(&self) -> &Candidates {
        &self.candidates
    }

    /// The same repository on behalf of a tenant.
    #[must_use]
    pub fn on_behalf_of(self, tenant: Tenant) -> Self {
        Self { tenant, ..self }
    }

    /// The same repository for an operation that ends in a write: its reads request the same token.
    #[must_use]
    pub fn writing(&self) -> Self {
        Self {
            intent: Access::Push,
            ..self.clone()
        }
    }

    pub(super) fn at(&self, doing: &str) -> At {
        At {
            doing: doing.to_owned(),
            repository: self.repository.clone(),
        }
    }

    /// Sends a request and retries it.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Response, Error> {
        self.retrying(|| self.send_once(call)).await
    }

    pub(super) async fn retrying<T, A>(&self, action: impl FnMut() -> A) -> Result<T, Error>
    where
        A: Future<Output = Result<T, Error>>,
    {
        let options = &self.session.options;
        with_retry(&options.retry, &options.clock, action).await
    }

    /// Sends a request once with each candidate, until one has access.
    pub(super) async fn send_once(&self, call: &Call<'_>) -> Result<Response, Error> {
        on_behalf_of(&self.tenant, self.send_with_each(call)).await
    }

    async fn send_with_each(&self, call: &Call<'_>) -> Result<Response, Error> {
        let at = self.at(&call.doing);
        let registry = self.repository.registry();
        let base = self.session.http.base(&at, registry).await?;
        let place = self.place(&at, &base, &call.to)?;
        let exchange = Exchange {
            session: &self.session,
            tenant: &self.tenant,
            repository: &self.repository,
            intent: self.intent,
            call,
            at: &at,
            place: &place,
            is_home: is_same_origin(&place.url, &base.url),
        };
        let mut attempts = Vec::new();
        for (number, candidate) in self.candidates.order(call.access()) {
            let result = match exchange.run(candidate).await {
                Ok(response) => Ok(response),
                Err(Refusal::Denied(denial)) => Err(denial),
                Err(Refusal::Failed(error)) => return Err(error),
            };
            if exchange.is_home {
                self.session.http.learn_scheme(registry, &base.url);
            }
            match result {
                Ok(response) => return self.judge(call, at, response, number),
                Err(denial) => attempts.push(attempt(candidate, denial)),
            }
        }
        let remedy = self.session.options.remedy;
        Err(Error::Denied {
            at,
            attempts,
            remedy,
        })
    }

    fn place(&self, at: &At, base: &Place, to: &Target) -> Result<Place, Error> {
        let path = match to {
            Target::Place(place) => return Ok(place.clone()),
            Target::Path(path) => path,
        };
        let joined = base
            .url
            .join(&format!("v2/{}/{path}", self.repository.path()));
        let url = joined.map_err(|_| Error::Refused {
            at: at.clone(),
            why: "the name of the repository is not valid in a URL".to_owned(),
        })?;
        let within = base.within;
        Ok(Place { url, within })
    }

    /// The result of a response that is no denial.
    fn judge(
        &self,
        call: &Call<'_>,
        at: At,
        response: Response,
        candidate: usize,
    ) -> Result<Response, Error> {
        let status = response.status;
        if call.expect.contains(&status) {
            if status < 400 {
                self.candidates.remember(call.access(), candidate);
            }
            return Ok(response);
        }
        let secrets = self.session.options.secrets.of(&self.tenant);
        let message = Box::new(RegistryMessage::read(&response.body, secrets));
        if call.moves_tag && message.is_about_immutability() {
            return Err(Error::ImmutableTag {
                at,
                status,
                message,
            });
        }
        Err(Error::Status {
            at,
            status,
            message,
            retry_after: response.retry_after(),
        })
    }
}

fn attempt(candidate: &Candidate, denial: Denial) -> Attempt {
    Attempt {
        source: candidate.source.clone(),
        key: candidate.key.clone(),
        status: denial.status,
        code: denial.code,
        note: denial.note,
        message: denial.message,
    }
}
