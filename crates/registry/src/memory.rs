//! The memory of clients: tokens, challenges, and the queues of those who write tags.
//!
//! Runs of strangers decide what is in it, so it is bounded in number and each entry in size, for all
//! clients of a process together.

use std::sync::Arc;

use windlass_once::OnceMap;

use crate::auth::challenge::Challenge;
use crate::auth::token::Tokens;
use crate::digest::Digest;
use crate::manifest::Descriptor;
use crate::reference::Repository;
use crate::remote::WriteQueues;
use crate::tenant::Tenant;

/// Most repositories whose challenges are remembered.
pub(crate) const CHALLENGES: usize = 4000;
/// Most repositories of which it is remembered that they were asked.
const ASKED: usize = 4000;
/// Most repositories of which it is remembered that they have a common blob.
const STOCKED: usize = 4000;
/// Most manifests whose descriptors are remembered.
const DESCRIBED: usize = 4000;

/// What clients remember. Clones share it: clients with the same memory use each other's tokens where
/// they have the same credential, and take turns to write a tag.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Remembered>);

#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) tokens: Tokens,
    /// The last challenge of each repository. It says nothing of the others on its registry: behind
    /// one host, each path may belong to somebody else, who would get their passwords.
    pub(crate) challenges: OnceMap<Repository, Challenge, Tenant>,
    /// On whose behalf a repository was asked lately what it wants, whatever it said.
    pub(crate) asked: OnceMap<(Tenant, Repository), (), Tenant>,
    /// Blobs that are the same everywhere, where they were pushed lately.
    pub(crate) stocked: OnceMap<(Tenant, Repository, Digest), (), Tenant>,
    /// Manifests that were found lately.
    pub(crate) described: OnceMap<(Tenant, Repository, Digest), Descriptor, Tenant>,
    pub(crate) queues: WriteQueues,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            tokens: Tokens::new(),
            challenges: OnceMap::new(CHALLENGES),
            asked: OnceMap::new(ASKED),
            stocked: OnceMap::new(STOCKED),
            described: OnceMap::new(DESCRIBED),
            queues: WriteQueues::default(),
        }
    }
}

impl Memory {
    pub(crate) fn get(&self) -> &Remembered {
        &self.0
    }
}
