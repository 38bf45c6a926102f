//! The client: a session, shared by all repositories it opens.

use std::sync::Arc;

use crate::http::SetupError;
use crate::keychain::Candidates;
use crate::memory::Memory;
use crate::options::Options;
use crate::reference::Repository;
use crate::remote::Remote;
use crate::session::Session;

/// A client of registries. Clones share connections, tokens and queues.
#[derive(Debug, Clone)]
pub struct Client {
    session: Arc<Session>,
}

impl Client {
    /// A client with these options and a memory of its own.
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Self::with_memory(options, Memory::default())
    }

    /// A client with these options, and the memory of other clients.
    pub fn with_memory(options: Options, memory: Memory) -> Result<Self, SetupError> {
        Ok(Self {
            session: Arc::new(Session::new(options, memory)?),
        })
    }

    /// Whether a repository is open, or there is another clone of this client.
    pub fn is_used(&self) -> bool {
        Arc::strong_count(&self.session) > 1
    }

    /// Opens a repository with these credentials. Nothing is sent yet.
    ///
    /// ```
    /// use windlass_registry::keychain::Candidates;
    /// use windlass_registry::{Client, Options, Repository};
    ///
    /// let client = Client::new(Options::default())?;
    /// let repository = Repository::parse("registry.example.com/team/app")?;
    /// let remote = client.repository(repository, Candidates::anonymous());
    /// assert_eq!(remote.repository().path(), "team/app");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn repository(&self, repository: Repository, candidates: Candidates) -> Remote {
        Remote::new(Arc::clone(&self.session), repository, candidates)
    }
}
