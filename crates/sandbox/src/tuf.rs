//! A mirror of The Update Framework on loopback: the metadata of a small repository, signed with keys that
//! end with the process, and its targets. Source: TUF specification 1.0, with consistent snapshots.
//!
//! The root has a key of its own; targets, snapshot and timestamp share another. Each change publishes
//! everything in a new version. A client is given the first root by hand, as [`TufMirror::root`] has it.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::kms::MaterialError;
use crate::serve::{self, ListenError};
use crate::task::Task;
use crate::traffic::observable;

mod http;
mod repository;

use self::http::State;
use self::repository::Repository;
pub use self::repository::Role;

/// A fault of a mirror.
pub type Fault = crate::fault::Fault;
/// What a request hit by a fault of a mirror gets.
pub type FaultAnswer = crate::fault::FaultAnswer;

/// Why a mirror did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is not allowed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There are no keys.
    #[error("could not make the keys of the metadata")]
    Key(#[from] MaterialError),
}

/// A running mirror. Stops when dropped; [`TufMirror::shutdown`] also waits.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_sandbox::tuf::TufMirror;
///
/// let mirror = TufMirror::start(&[("trusted_root.json", "{}")]).await?;
/// assert!(mirror.root().contains("\"_type\":\"root\""));
/// mirror.replace_root_key()?;
/// mirror.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TufMirror {
    state: Arc<State>,
    address: SocketAddr,
    task: Task,
}

observable!(TufMirror, Fault);

impl TufMirror {
    /// Listens on a free port of 127.0.0.1 with these targets, and serves until dropped or shut down.
    pub async fn start(targets: &[(&str, &str)]) -> Result<Self, StartError> {
        let mut repository = Repository::make()?;
        for (name, content) in targets {
            repository.put(name, content);
        }
        repository.publish()?;
        let (listener, address) = serve::listen(None).await?;
        let state = Arc::new(State::new(repository));
        Ok(Self {
            task: serve::start((listener, address), &state),
            state,
            address,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first root of the metadata, `root.json`, that a client is told to start from.
    pub fn root(&self) -> String {
        self.state.repository().first_root()
    }

    /// The target of this name.
    pub fn target(&self, name: &str) -> Option<String> {
        self.state.repository().target(name)
    }

    /// Publishes this target too, or in the place of the one of its name.
    pub fn put(&self, name: &str, content: &str) -> Result<(), MaterialError> {
        let mut repository = self.state.repository();
        repository.put(name, content);
        repository.publish()
    }

    /// Publishes the metadata as this version, whatever the newest one is.
    pub fn publish_as(&self, version: u64) -> Result<(), MaterialError> {
        self.state.repository().publish_as(version)
    }

    /// Publishes the metadata of a role with an end in the past, from now on.
    pub fn expire(&self, role: Role) -> Result<(), MaterialError> {
        let mut repository = self.state.repository();
        repository.expire(role);
        repository.publish()
    }

    /// Publishes a new root with another key, which the key before it signs as well.
    pub fn replace_root_key(&self) -> Result<(), MaterialError> {
        self.state.repository().replace_root_key()
    }

    /// Publishes a new root with another key, which only that key signs, as a thief of the mirror would.
    pub fn usurp_root(&self) -> Result<(), MaterialError> {
        self.state.repository().usurp_root()
    }

    /// Stops and waits for the end.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}
