//! The keychain: which credentials there are for a repository, best first.
//!
//! It is given secrets that were read already, in the order in which they count, and makes
//! candidates of them; the last is always no credential at all. What cannot be read is a warning
//! that names it, and takes nothing away from the others. Which candidate worked is remembered for
//! an account and repository until the candidates change.
//! Sources: behaviour reference, section 6.6; Kubernetes' rules for `imagePullSecrets`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::auth::challenge::Access;
use crate::auth::{Credential, Fingerprint};
use crate::reference::Repository;

mod config;
mod entry;
mod pattern;
mod secret;

#[cfg(test)]
mod tests;

pub use config::config_paths;

/// Most accounts and repositories remembered.
const REMEMBERED: usize = 10_000;

/// Something credentials are read from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Source {
    /// A secret of the cluster.
    Secret(Secret),
    /// A secret that is named somewhere and could not be read.
    Missing {
        /// `NAMESPACE/NAME`.
        name: String,
        /// Why not, such as `it does not exist`.
        why: String,
    },
    /// A Docker configuration file.
    DockerConfig {
        /// What to call it.
        path: String,
        /// What is in it.
        content: Zeroizing<Vec<u8>>,
    },
    /// A candidate from elsewhere, such as the identity of a cloud.
    Candidate(Candidate),
}

/// A secret of the cluster.
#[derive(Clone)]
pub struct Secret {
    /// `NAMESPACE/NAME`.
    pub name: String,
    /// Its type, such as `kubernetes.io/dockerconfigjson`.
    pub kind: String,
    /// Its entries.
    pub data: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A credential for some repositories, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is from, such as `secret ns/name`.
    pub source: String,
    /// The registry or path it is for, as written there; none for what was not looked up.
    pub key: Option<String>,
    /// The credential.
    pub credential: Credential,
}

impl Candidate {
    /// No credential.
    pub fn anonymous() -> Self {
        Self {
            source: "no credential".to_owned(),
            key: None,
            credential: Credential::Anonymous,
        }
    }
}

/// Something to know about a source. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Warning {
    /// The source, such as `secret ns/name`.
    pub place: String,
    /// What is wrong and what to do.
    pub problem: String,
}

/// Whose credentials are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// Namespace.
    pub namespace: String,
    /// Name of the service account.
    pub name: String,
}

#[derive(Debug, Default)]
struct Worked {
    pull: Option<usize>,
    push: Option<usize>,
}

type Memory = Arc<Mutex<Worked>>;
/// What worked for whom and where, with which candidates.
type Memories = HashMap<(Account, Repository), (Fingerprint, Memory)>;

/// The candidates for a repository, in the order to try them. Clones share what worked.
#[derive(Debug, Clone)]
pub struct Candidates {
    list: Arc<[Candidate]>,
    worked: Memory,
}

impl Candidates {
    /// These, in this order. Those that are equal to an earlier one are left out.
    pub fn new(candidates: impl IntoIterator<Item = Candidate>) -> Self {
        let mut list: Vec<Candidate> = Vec::new();
        for candidate in candidates {
            let is_known = |known: &Candidate| known.credential == candidate.credential;
            if !list.iter().any(is_known) {
                list.push(candidate);
            }
        }
        Self {
            list: list.into(),
            worked: Memory::default(),
        }
    }

    /// No credential.
    pub fn anonymous() -> Self {
        Self::new([Candidate::anonymous()])
    }

    /// The candidates, in the order stated.
    pub fn iter(&self) -> std::slice::Iter<'_, Candidate> {
        self.list.iter()
    }

    /// Each candidate alone, to find out what each may do.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        self.list.iter().map(|only| Self::new([only.clone()]))
    }

    /// The candidates with their numbers, the one that worked last at first.
    pub(crate) fn order(&self, access: Access) -> impl Iterator<Item = (usize, &Candidate)> {
        let worked = self.worked();
        let first = match access {
            Access::Push => worked.push,
            Access::Pull => worked.pull.or(worked.push),
        };
        let preferred = first.and_then(|first| Some((first, self.list.get(first)?)));
        let others = self.list.iter().enumerate();
        let others = others.filter(move |(number, _)| Some(*number) != first);
        preferred.into_iter().chain(others)
    }

    pub(crate) fn remember(&self, access: Access, number: usize) {
        let mut worked = self.worked();
        match access {
            Access::Push => worked.push = Some(number),
            Access::Pull => worked.pull = Some(number),
        }
    }

    fn worked(&self) -> MutexGuard<'_, Worked> {
        self.worked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let each = self.list.iter();
        let each = each.map(|one| (&one.source, &one.key, one.credential.fingerprint()));
        Fingerprint::of(&each.collect::<Vec<_>>())
    }
}

impl<'a> IntoIterator for &'a Candidates {
    type Item = &'a Candidate;
    type IntoIter = std::slice::Iter<'a, Candidate>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What was found for a repository.
#[derive(Debug, Clone)]
pub struct Found {
    /// The candidates.
    pub candidates: Candidates,
    /// What could not be used, and why.
    pub warnings: Vec<Warning>,
}

/// Looks for candidates and remembers which worked. Clones share that memory.
#[derive(Debug, Clone, Default)]
pub struct Keychain(Arc<Mutex<Memories>>);

impl Keychain {
    /// The candidates that the sources hold for a repository: the sources in their order, within
    /// one the longest match first, and no credential last.
    pub fn candidates<'s>(
        &self,
        account: &Account,
        sources: impl IntoIterator<Item = &'s Source>,
        repository: &Repository,
    ) -> Found {
        let Found {
            mut candidates,
            warnings,
        } = find(sources, repository);
        candidates.worked = self.memory(account, repository, candidates.fingerprint());
        Found {
            candidates,
            warnings,
        }
    }

    fn memory(&self, account: &Account, repository: &Repository, now: Fingerprint) -> Memory {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let place = (account.clone(), repository.clone());
        let (then, memory) = known
            .entry(place)
            .or_insert_with(|| (now, Memory::default()));
        if *then != now {
            (*then, *memory) = (now, Memory::default());
        }
        Arc::clone(memory)
    }
}

/// The candidates that the sources hold for a repository, without memory of earlier ones.
pub fn find<'s>(sources: impl IntoIterator<Item = &'s Source>, repository: &Repository) -> Found {
    let mut candidates = Vec::new();
    let mut warnings = Vec::new();
    for source in sources {
        let mut read = secret::read(source, repository);
        candidates.append(&mut read.candidates);
        warnings.append(&mut read.warnings);
    }
    candidates.push(Candidate::anonymous());
    Found {
        candidates: Candidates::new(candidates),
        warnings,
    }
}
