//! A session: the connections of a client, and the memory that it shares with others.

use windlass_once::Expiry;

use crate::auth::challenge::Challenge;
use crate::http::{Http, SetupError};
use crate::memory::{Memory, Remembered};
use crate::options::Options;
use crate::reference::Repository;
use crate::tenant::Tenant;

/// Connections and memory.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) options: Options,
    pub(crate) http: Http,
    memory: Memory,
}

impl Session {
    pub(crate) fn new(options: Options, memory: Memory) -> Result<Self, SetupError> {
        Ok(Self {
            http: Http::new(&options)?,
            options,
            memory,
        })
    }

    pub(crate) fn memory(&self) -> &Remembered {
        self.memory.get()
    }

    /// The last challenge of this repository.
    pub(crate) fn challenge(&self, tenant: &Tenant, repository: &Repository) -> Option<Challenge> {
        let now = self.options.clock.now();
        self.memory().challenges.share(tenant).get(repository, now)
    }

    /// Remembers the challenge of a repository.
    pub(crate) fn learn(&self, tenant: &Tenant, repository: &Repository, challenge: &Challenge) {
        let (repository, challenge) = (repository.clone(), challenge.clone());
        let now = self.options.clock.now();
        let challenges = self.memory().challenges.share(tenant);
        challenges.insert(repository, challenge, Expiry::Never, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::CHALLENGES;

    #[test]
    fn a_tenant_with_many_repositories_makes_no_other_ask_for_a_challenge_again() {
        let session = Session::new(Options::default(), Memory::default()).unwrap();
        let repository = |path: &str| Repository::parse(&format!("r.io/{path}")).unwrap();
        let (modest, greedy) = (Tenant::from("team-a"), Tenant::from("team-b"));
        let app = repository("team-a/app");
        // whoever was there first
        session.learn(&greedy, &app, &Challenge::Basic);
        assert!(session.challenge(&modest, &app).is_some());
        for number in 0..=CHALLENGES {
            let many = repository(&format!("many/{number}"));
            session.learn(&greedy, &many, &Challenge::Basic);
        }
        assert_eq!(session.memory().challenges.len(), CHALLENGES);
        assert!(session.challenge(&modest, &app).is_some());
        let first = repository("many/0");
        assert!(session.challenge(&greedy, &first).is_none());
    }
}
