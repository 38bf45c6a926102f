//! The keychain: the credentials for a repository, best first.
//!
//! The caller reads the secrets and passes them in by precedence. The keychain makes candidates of
//! them; the last candidate is always "no credential". A source that cannot be read gives a warning
//! that names it, and does not affect the others. The keychain remembers which candidate worked for
//! an account, a repository and its candidates.
//! Sources: docs/behaviour.md, "Registry credentials"; Kubernetes' rules for `imagePullSecrets`.

use std::sync::Arc;
use std::time::Instant;

use windlass_once::{Expiry, OnceMap};

use self::candidate::Memory;
use self::read::{Reading, TRIED};
use crate::auth::fingerprint::Fingerprint;
use crate::reference::Repository;

mod candidate;
mod config;
mod entry;
mod helper;
mod read;
mod secret;
mod selection;
mod source;
mod warning;

#[cfg(test)]
mod tests;

pub use self::candidate::{Candidate, Candidates};
pub use self::config::config_paths;
pub use self::helper::Helper;
pub use self::selection::{Scope, ScopeError, Selection, SelectionError};
pub use self::source::{Secret, Source};
pub use self::warning::Warning;

/// Most accounts with a repository and its candidates remembered.
const REMEMBERED: usize = 10_000;

/// A service account, whose credentials are looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// Namespace.
    pub namespace: String,
    /// Name of the service account.
    pub name: String,
}

/// An account, a repository and its candidates.
type Key = (Account, Repository, Fingerprint);

/// The result of a lookup for a repository.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The candidates.
    pub candidates: Candidates,
    /// Sources that could not be used, and why.
    pub warnings: Vec<Warning>,
}

/// Looks up candidates and remembers which worked. Clones share that memory, and namespaces have fair
/// shares of it.
#[derive(Debug, Clone)]
pub struct Keychain(Arc<OnceMap<Key, Memory, String>>);

impl Default for Keychain {
    fn default() -> Self {
        Self(Arc::new(OnceMap::new(REMEMBERED)))
    }
}

impl Keychain {
    /// The candidates of the sources for a repository: the sources in their order, within one the
    /// longest match first, and no credential last.
    pub fn candidates<'s>(
        &self,
        account: &Account,
        sources: impl IntoIterator<Item = &'s Source>,
        repository: &Repository,
    ) -> Lookup {
        let Lookup {
            candidates,
            warnings,
        } = find(sources, repository);
        let key = (
            account.clone(),
            repository.clone(),
            candidates.fingerprint(),
        );
        let make = || (Memory::default(), Expiry::Never);
        let of_namespace = self.0.share(&account.namespace);
        let memory = of_namespace.get_or_make(&key, Instant::now(), make);
        Lookup {
            candidates: candidates.with_memory(memory),
            warnings,
        }
    }
}

/// The candidates of the sources for a repository, without memory of which worked.
///
/// ```
/// use windlass_registry::Repository;
/// use windlass_registry::keychain::{Source, find};
///
/// let config = r#"{"auths": {"registry.example.com/team": {"auth": "YWxpY2U6c2VjcmV0"}}}"#;
/// let source = Source::DockerConfig {
///     path: "config.json".to_owned(),
///     content: config.as_bytes().to_vec().into(),
/// };
/// let repository = Repository::parse("registry.example.com/team/app")?;
/// let found = find([&source], &repository);
/// let sources: Vec<_> = found.candidates.iter().map(|one| one.source.as_str()).collect();
/// assert_eq!(sources, ["file config.json", "no credential"]);
/// # Ok::<(), windlass_registry::ReferenceError>(())
/// ```
pub fn find<'s>(sources: impl IntoIterator<Item = &'s Source>, repository: &Repository) -> Lookup {
    let mut candidates = Vec::new();
    let mut warnings = Vec::new();
    for source in sources {
        let reading = read(source, repository).within(TRIED - candidates.len());
        candidates.extend(reading.candidates);
        warnings.extend(reading.warnings);
    }
    candidates.push(Candidate::anonymous());
    Lookup {
        candidates: Candidates::new(candidates),
        warnings,
    }
}

/// Reads what a source has for a repository.
fn read(source: &Source, repository: &Repository) -> Reading {
    match source {
        Source::Secret(secret) => secret.read(repository),
        Source::Missing { name, why } => unread("secret", name, why),
        Source::NoAccount { name, why } => unread("service account", name, why),
        Source::Candidate(candidate) => Reading {
            candidates: vec![candidate.clone()],
            warnings: Vec::new(),
        },
        Source::DockerConfig { path, content } => {
            config::read_own(&format!("file {path}"), content, repository)
        }
    }
}

/// Nothing, with a warning about something that could not be read.
fn unread(kind: &str, name: &str, why: &str) -> Reading {
    let mut reading = Reading::default();
    let problem = format!("it could not be read: {why}");
    reading.warn(&format!("{kind} {name}"), problem);
    reading
}
