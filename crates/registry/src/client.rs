//! The client: the way to repositories, with everything they share.

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
    /// A client set up like this.
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Ok(Self {
            session: Arc::new(Session::new(options)?),
            queues: Arc::default(),
        })
    }

    /// The way to a repository with these credentials.
    pub fn repository(&self, repository: Repository, candidates: Candidates) -> Remote {
        let (session, queues) = (Arc::clone(&self.session), Arc::clone(&self.queues));
        Remote::new(session, queues, repository, candidates)
    }
}
