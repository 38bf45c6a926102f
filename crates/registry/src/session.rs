//! A session: connections, tokens and challenges, shared by all repositories of a client.

use windlass_once::{Expiry, OnceMap};

use crate::auth::challenge::Challenge;
use crate::auth::token::Tokens;
use crate::http::{Http, SetupError};
use crate::options::Options;
use crate::reference::Repository;

/// Most repositories, and most registries, whose challenges are remembered.
const REMEMBERED: usize = 10_000;

/// Connections, tokens and challenges.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) options: Options,
    pub(crate) http: Http,
    pub(crate) tokens: Tokens,
    /// The last challenge of each repository.
    of_repositories: OnceMap<Repository, Challenge>,
    /// The last challenge of each registry, without the scopes, for repositories that are new.
    of_registries: OnceMap<String, Challenge>,
}

impl Session {
    pub(crate) fn new(options: Options) -> Result<Self, SetupError> {
        Ok(Self {
            http: Http::new(&options)?,
            options,
            tokens: Tokens::new(),
            of_repositories: OnceMap::new(REMEMBERED),
            of_registries: OnceMap::new(REMEMBERED),
        })
    }

    /// The last challenge for this repository, or else for any on its registry.
    pub(crate) fn challenge(&self, repository: &Repository) -> Option<Challenge> {
        let now = self.options.clock.now();
        let of_registry = || {
            let registry = repository.registry().to_owned();
            self.of_registries.get(&registry, now)
        };
        self.of_repositories
            .get(repository, now)
            .or_else(of_registry)
    }

    /// Remembers the challenge of a repository.
    pub(crate) fn learn(&self, repository: &Repository, challenge: &Challenge) {
        let now = self.options.clock.now();
        let registry = repository.registry().to_owned();
        let general = challenge.without_scopes();
        self.of_registries
            .insert(registry, general, Expiry::Never, now);
        self.of_repositories
            .insert(repository.clone(), challenge.clone(), Expiry::Never, now);
    }
}
