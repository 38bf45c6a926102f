//! The client: connections, what was learnt about registries, and the way to a repository.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::challenge::Challenge;
use crate::auth::token::Tokens;
use crate::keychain::Candidates;
use crate::options::Options;
use crate::reference::Repository;
use crate::remote::{Change, Remote};

mod http;
mod places;
mod trust;

pub(crate) use self::http::{Answer, Body, Http, Request, astray};
use self::places::Places;
pub(crate) use self::places::{Entry, Last, Pending};

/// Most repositories whose challenges are remembered.
const REMEMBERED: usize = 10_000;

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A certificate authority cannot be read.
    #[error("could not read certificate authority {number}; give certificates as PEM")]
    Authority {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: reqwest::Error,
    },
    /// The client certificate cannot be read.
    #[error("could not read the client certificate and its key; give both as PEM")]
    ClientCertificate,
    /// A proxy is no URL.
    #[error("the address of the {0} proxy is not a URL")]
    Proxy(&'static str),
    /// The HTTP client cannot be made.
    #[error("could not set up the HTTP client; check the certificates of the system")]
    Http(#[source] reqwest::Error),
}

/// A client of registries. Clones share connections, tokens and locks.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) http: Http,
    pub(crate) tokens: Tokens,
    pub(crate) places: Places<Change>,
    challenges: Mutex<Challenges>,
}

/// What registries ask for, by repository and for those that were not asked yet.
#[derive(Debug, Default)]
struct Challenges {
    of_repositories: HashMap<Repository, Challenge>,
    /// By registry: what it asked for last, without the scopes.
    of_registries: HashMap<String, Challenge>,
}

impl Client {
    /// A client set up like this.
    pub fn new(options: Options) -> Result<Self, SetupError> {
        let http = Http::new(&options)?;
        Ok(Self(Arc::new(Inner {
            options,
            http,
            tokens: Tokens::default(),
            places: Places::default(),
            challenges: Mutex::default(),
        })))
    }

    /// The way to a repository with these credentials.
    pub fn repository(&self, repository: Repository, candidates: Candidates) -> Remote {
        Remote::new(Arc::clone(&self.0), repository, candidates)
    }
}

impl Inner {
    /// What the registry last asked for at this repository, or else at any.
    pub(crate) fn challenge(&self, repository: &Repository) -> Option<Challenge> {
        let known = self.challenges();
        let of_repository = known.of_repositories.get(repository);
        let found = of_repository.or_else(|| known.of_registries.get(repository.registry()));
        found.cloned()
    }

    pub(crate) fn learn(&self, repository: &Repository, challenge: &Challenge) {
        let mut known = self.challenges();
        if known.of_repositories.len() >= REMEMBERED {
            *known = Challenges::default();
        }
        let registry = repository.registry().to_owned();
        known
            .of_registries
            .insert(registry, challenge.without_scopes());
        known
            .of_repositories
            .insert(repository.clone(), challenge.clone());
    }

    fn challenges(&self) -> MutexGuard<'_, Challenges> {
        self.challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
