//! A transparency log on loopback: Rekor, as far as adding and reading entries takes it. Version 1 and
//! version 2 of its interface are two views of one tree.
//!
//! Proposals are checked as the real server checks them, with the library that the client under test does
//! not use: an envelope with SHA-256, a hash with the one that it names. What is there already is not
//! added again (HTTP 409). Entries come with a promise, a proof in a tree of RFC 6962 and a signed
//! checkpoint. A test can set the clock and give the log another key; what goes wrong on the way is a
//! [`Fault`], and a log that lies is a [`Quirk`].
//!
//! What it does not do: search, hand out consistency proofs or files of entries, or keep anything on disk.

use std::sync::Arc;
use std::time::Duration;

use crate::kms::{Kind, MaterialError};
use crate::serve::{self, ListenError};
use crate::task::Task;
use crate::traffic::observable;

mod entry;
mod http;
mod options;
mod proposal;
mod state;
mod tree;
mod verifier;
mod version_two;

pub use options::{Options, Quirk};

use state::State;

/// A fault of a log.
pub type Fault = crate::fault::Fault<Quirk>;
/// What a request hit by a fault of a log gets.
pub type FaultAnswer = crate::fault::FaultAnswer<Quirk>;

/// Why a log did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is not allowed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// It has no key.
    #[error(transparent)]
    Key(#[from] MaterialError),
}

/// A running log on loopback. Stops when dropped; [`Rekor::shutdown`] also waits.
#[derive(Debug)]
pub struct Rekor {
    state: Arc<State>,
    task: Task,
}

observable!(Rekor, Fault);

impl Rekor {
    /// Listens on a free port of 127.0.0.1 and serves until dropped or shut down.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let (listener, address) = serve::listen(None).await?;
        let state = Arc::new(State::new(options, address)?);
        Ok(Self {
            task: serve::start((listener, address), &state),
            state,
        })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.state.address.to_string()
    }

    /// `http://127.0.0.1:PORT` with the prefix of the options, no slash at the end.
    pub fn url(&self) -> String {
        let State {
            address, options, ..
        } = &*self.state;
        format!("http://{address}{}", options.prefix)
    }

    /// The public key of the log, PEM.
    pub fn public_key(&self) -> String {
        self.state.key().pem()
    }

    /// What the log calls itself in the checkpoints of version 2.
    pub fn origin(&self) -> &'static str {
        entry::NAME
    }

    /// Gives the log another key, with which entries are signed from now on.
    pub fn replace_key(&self) -> Result<(), MaterialError> {
        self.state.replace_key(Kind::P256)
    }

    /// The bodies of the entries, oldest first.
    pub fn entries(&self) -> Vec<String> {
        self.state
            .leaves()
            .iter()
            .map(|leaf| leaf.body.clone())
            .collect()
    }

    /// Sets the clock of the log forward.
    pub fn skip_time(&self, time: Duration) {
        self.state.skip(time);
    }

    /// Stops serving and waits for every connection's task.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}
