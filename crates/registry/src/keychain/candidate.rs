//! Candidates: the credentials for a repository, in the order to try them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::warning::Warning;
use crate::auth::Credential;
use crate::auth::challenge::Access;
use crate::auth::fingerprint::Fingerprint;

/// A credential for some repositories, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its source, such as `secret ns/name`.
    pub source: String,
    /// The registry or path that the source has it for; none for a credential without one.
    pub key: Option<String>,
    /// The credential.
    pub credential: Credential,
}

impl Candidate {
    fn fingerprint(&self) -> Fingerprint {
        let (has_key, key) = match &self.key {
            Some(key) => ("key", key.as_str()),
            None => ("", ""),
        };
        let texts = [self.source.as_str(), has_key, key].map(str::as_bytes);
        let credential = self.credential.fingerprint();
        Fingerprint::of(texts.into_iter().chain([credential.as_bytes()]))
    }

    /// No credential.
    pub fn anonymous() -> Self {
        Self {
            source: "no credential".to_owned(),
            key: None,
            credential: Credential::Anonymous,
        }
    }
}

/// The number of the candidate that worked last, by what it was used for.
#[derive(Debug, Default)]
pub(crate) struct LastSuccess {
    pull: Option<usize>,
    push: Option<usize>,
}

/// What worked last, shared by all who use the candidates.
pub(crate) type Memory = Arc<Mutex<LastSuccess>>;
/// The candidates for a repository, in the order to try them. Clones share what worked.
#[derive(Debug, Clone)]
pub struct Candidates {
    list: Arc<[Candidate]>,
    memory: Memory,
}

impl Candidates {
    /// These candidates, in this order, without duplicates of an earlier credential.
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
            memory: Memory::default(),
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

    /// The same, with the problems of sources at the end: each is reported, as a credential that should
    /// exist, where all others were refused, and nowhere else.
    #[must_use]
    pub fn with_problems(self, problems: &[Warning]) -> Self {
        if problems.is_empty() {
            return self;
        }
        let unavailable = problems.iter().map(|problem| Candidate {
            source: problem.place.clone(),
            key: None,
            credential: Credential::Unavailable(problem.problem.clone()),
        });
        Self {
            list: self.list.iter().cloned().chain(unavailable).collect(),
            memory: self.memory,
        }
    }

    /// Each candidate alone, to find out what each has access to.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        self.list.iter().map(|only| Self::new([only.clone()]))
    }

    /// The candidates with their numbers; the one that worked last comes first.
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

    fn worked(&self) -> MutexGuard<'_, LastSuccess> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same candidates with another memory of what worked.
    pub(super) fn with_memory(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let each: Vec<_> = self.iter().map(Candidate::fingerprint).collect();
        Fingerprint::of(each.iter().map(Fingerprint::as_bytes))
    }
}

impl<'a> IntoIterator for &'a Candidates {
    type Item = &'a Candidate;
    type IntoIter = std::slice::Iter<'a, Candidate>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
