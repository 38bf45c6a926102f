//! The client: connections, what was learnt about registries, and the way to a repository.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::challenge::Challenge;
use crate::auth::token::Tokens;
use crate::http::{Http, SetupError};
use crate::keychain::Candidates;
use crate::options::Options;
use crate::reference::Repository;
use crate::remote::{Change, Remote};

mod places;

use self::places::Places;
pub(crate) use self::places::{Entry, Last, Pending};

/// Most repositories whose challenges are remembered.
const REMEMBERED: usize = 10_000;

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
