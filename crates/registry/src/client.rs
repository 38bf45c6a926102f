//! The client: a session and write queues, shared by all repositories it opens.

use std::sync::Arc;

use crate::http::SetupError;
use crate::keychain::Candidates;
use crate::options::Options;
use crate::reference::Repository;
use crate::remote::{Remote, WriteQueues};
use crate::session::Session;

/// A client of registries. Clones share connections, tokens and locks.
#[derive(Debug, Clone)]
pub struct Client {
    session: Arc<Session>,
    queues: Arc<WriteQueues>,
}

impl Client {
    /// A client with these options.
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Ok(Self {
            session: Arc::new(Session::new(options)?),
            queues: Arc::default(),
        })
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
        let (session, queues) = (Arc::clone(&self.session), Arc::clone(&self.queues));
        Remote::new(session, queues, repository, candidates)
    }
}
