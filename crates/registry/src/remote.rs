//! A repository, with the credentials to use there.
//!
//! A request goes out with the candidate that worked last. A response of 401 is looked at for a
//! challenge, which is answered once; 401 or 403 after that means that the candidate is not
//! allowed, and the next one is tried. Only when all were refused is that an error, and it lists
//! each.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;

use crate::auth::challenge::Access;
use crate::client::Inner;
use crate::error::{At, Attempt, Error, Said};
use crate::http::{Body, Request, Response};
use crate::keychain::{Candidate, Candidates};
use crate::reference::Repository;
use crate::retry::with_retry;

mod append;
mod authorize;
mod blobs;
mod lists;
mod manifests;
mod referrers;
mod uploads;

pub(crate) use append::Change;
pub use append::{Merge, Updated, Write};
pub use manifests::PushedManifest;
pub use referrers::{ListedBy, PushedReferrer};

/// The way to a repository. Clones share everything.
#[derive(Debug, Clone)]
pub struct Remote {
    client: Arc<Inner>,
    repository: Repository,
    candidates: Candidates,
    /// What tokens are asked for: one that may write also reads, and saves asking twice.
    intent: Access,
}

/// A request to a repository.
#[derive(Debug, Clone)]
struct Call<'a> {
    /// What it does, for errors: `push manifest v1`.
    doing: String,
    method: Method,
    to: To,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Body,
    /// Statuses that are expected; all others are errors.
    expect: &'static [u16],
    /// Most bytes of the response's body.
    limit: usize,
    /// Another repository it reads from.
    from: Option<&'a Repository>,
    /// Whether it may move a tag.
    moves_tag: bool,
}

/// Where a request goes.
#[derive(Debug, Clone)]
enum To {
    /// Below the repository, with its query.
    Path(String),
    /// Where the registry said.
    Url(Url),
}

/// What came of trying a candidate.
enum Tried {
    Answered(Response),
    Denied {
        status: Option<u16>,
        message: String,
    },
}

impl<'a> Call<'a> {
    fn new(method: Method, path: impl Into<String>, doing: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            method,
            to: To::Path(path.into()),
            headers: Vec::new(),
            body: Body::Empty,
            expect: &[200],
            limit: 0,
            from: None,
            moves_tag: false,
        }
    }

    /// The same for a response with a body of at most so many bytes.
    fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    fn expect(mut self, statuses: &'static [u16]) -> Self {
        self.expect = statuses;
        self
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn content(mut self, content: bytes::Bytes) -> Self {
        self.body = Body::Content(content);
        self
    }

    fn at(mut self, url: Url) -> Self {
        self.to = To::Url(url);
        self
    }

    fn from(mut self, repository: Option<&'a Repository>) -> Self {
        self.from = repository;
        self
    }

    fn request<'r>(&'r self, at: &'r At, url: &Url) -> Request<'r> {
        Request {
            at,
            method: self.method.clone(),
            url: url.clone(),
            headers: &self.headers,
            body: self.body.clone(),
            authorization: None,
            limit: self.limit,
        }
    }

    /// What the request itself needs.
    fn access(&self) -> Access {
        match self.method {
            Method::GET | Method::HEAD => Access::Pull,
            _ => Access::Push,
        }
    }
}

impl Remote {
    pub(crate) fn new(client: Arc<Inner>, repository: Repository, candidates: Candidates) -> Self {
        Self {
            client,
            repository,
            candidates,
            intent: Access::Pull,
        }
    }

    /// Where it leads.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The credentials that are tried.
    pub fn candidates(&self) -> &Candidates {
        &self.candidates
    }

    /// The same for something that ends in a write: what is asked for on the way does for that too.
    #[must_use]
    pub fn writing(&self) -> Self {
        Self {
            intent: Access::Push,
            ..self.clone()
        }
    }

    fn at(&self, doing: &str) -> At {
        At {
            doing: doing.to_owned(),
            repository: self.repository.clone(),
        }
    }

    /// Sends a request until it works, cannot work, or was tried often enough.
    async fn send(&self, call: &Call<'_>) -> Result<Response, Error> {
        self.retrying(|| self.send_once(call)).await
    }

    async fn retrying<T, A>(&self, action: impl FnMut() -> A) -> Result<T, Error>
    where
        A: Future<Output = Result<T, Error>>,
    {
        let options = &self.client.options;
        with_retry(&options.retry, &options.clock, action).await
    }

    /// Sends a request once with each candidate, until one is allowed to.
    async fn send_once(&self, call: &Call<'_>) -> Result<Response, Error> {
        let at = self.at(&call.doing);
        let base = self
            .client
            .http
            .base(&at, self.repository.registry())
            .await?;
        let url = self.url(&at, &base, &call.to)?;
        let mut attempts = Vec::new();
        let order: Vec<(usize, &Candidate)> = self.candidates.order(call.access()).collect();
        for (number, candidate) in order {
            let tried = self.try_with(call, &at, &base, &url, candidate).await?;
            if url.origin() == base.origin() {
                self.client.http.answered(self.repository.registry(), &base);
            }
            match tried {
                Tried::Answered(response) => return self.judge(call, at, response, number),
                Tried::Denied { status, message } => attempts.push(Attempt {
                    source: candidate.source.clone(),
                    key: candidate.key.clone(),
                    status,
                    message,
                }),
            }
        }
        Err(Error::Denied { at, attempts })
    }

    fn url(&self, at: &At, base: &Url, to: &To) -> Result<Url, Error> {
        let path = match to {
            To::Url(url) => return Ok(url.clone()),
            To::Path(path) => path,
        };
        let joined = base.join(&format!("v2/{}/{path}", self.repository.path()));
        joined.map_err(|_| Error::Refused {
            at: at.clone(),
            why: "the name of the repository makes no URL".to_owned(),
        })
    }

    /// Takes a response that is not a denial for what it is.
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
        let credential = self.candidates.iter().nth(candidate);
        let secrets = credential.map(|candidate| candidate.credential.secrets());
        let said = Box::new(Said::read(&response.body, &secrets.unwrap_or_default()));
        if call.moves_tag && said.is_about_immutability() {
            return Err(Error::ImmutableTag { at, status, said });
        }
        Err(Error::Status {
            at,
            status,
            said,
            retry_after: response.retry_after(),
        })
    }
}
