//! A session: connections, tokens and challenges, shared by all repositories of a client.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::auth::challenge::Challenge;
use crate::auth::token::Tokens;
use crate::http::{Http, SetupError};
use crate::options::Options;
use crate::reference::Repository;

/// Most repositories whose challenges are remembered.
const REMEMBERED: usize = 10_000;

/// Connections, tokens and challenges.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) options: Options,
    pub(crate) http: Http,
    pub(crate) tokens: Tokens,
    challenges: Mutex<Challenges>,
}

/// The challenges of registries, by repository and for repositories that are new.
#[derive(Debug, Default)]
struct Challenges {
    of_repositories: HashMap<Repository, Challenge>,
    /// By registry: its last challenge, without the scopes.
    of_registries: HashMap<String, Challenge>,
}

impl Session {
    pub(crate) fn new(options: Options) -> Result<Self, SetupError> {
        Ok(Self {
            http: Http::new(&options)?,
            options,
            tokens: Tokens::default(),
            challenges: Mutex::default(),
        })
    }

    /// The last challenge for this repository, or else for any on its registry.
    pub(crate) fn challenge(&self, repository: &Repository) -> Option<Challenge> {
        let known = self.challenges();
        let of_repository = known.of_repositories.get(repository);
        let found = of_repository.or_else(|| known.of_registries.get(repository.registry()));
        found.cloned()
    }

    /// Remembers the challenge of a repository.
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
