//! A server that speaks the protocol of HashiCorp Vault and OpenBao on loopback: the engine `transit`
//! with keys that really sign, tokens that end, and logins with a JWT, as far as signing needs them.
//!
//! Keys and tokens live in memory and end with the process. Policies are reduced to paths that a token
//! may not use. There are no namespaces, no leases but those of tokens, and no other engines.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

mod http;
mod key;
mod state;

pub use self::key::{KeyError, KeyKind};
use self::state::State;
use crate::serve::{self, ListenError};
use crate::task::Task;
use crate::traffic::observable;

/// What the server does wrong on demand.
pub type Fault = crate::fault::Fault;
/// The responses that a fault has.
pub type FaultAnswer = crate::fault::FaultAnswer;

/// A running server on loopback. Stops when dropped; [`Vault::shutdown`] also waits.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_sandbox::vault::{KeyKind, Vault};
///
/// let vault = Vault::start().await?;
/// vault.create_key("release", KeyKind::P256)?;
/// let token = vault.issue(None);
/// assert!(vault.url().starts_with("http://127.0.0.1:"));
/// assert_eq!(vault.version("release"), 1);
/// vault.rotate("release")?;
/// assert_eq!(vault.version("release"), 2);
/// vault.revoke(&token);
/// vault.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Vault {
    state: Arc<State>,
    address: SocketAddr,
    task: Task,
}

observable!(Vault, Fault);

impl Vault {
    /// Listens on a free port of 127.0.0.1 and serves until dropped or shut down.
    pub async fn start() -> Result<Self, ListenError> {
        let (listener, address) = serve::listen(None).await?;
        let state = Arc::new(State::default());
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

    /// Creates a key of the engine `transit`, in place of any of this name.
    pub fn create_key(&self, name: &str, kind: KeyKind) -> Result<(), KeyError> {
        let key = key::Key::generate(kind)?;
        self.state.data().keys.insert(name.to_owned(), key);
        Ok(())
    }

    /// Creates a key whose first version is this private key, PKCS#8 DER.
    pub fn import_key(&self, name: &str, kind: KeyKind, der: &[u8]) -> Result<(), KeyError> {
        let key = key::Key::import(kind, der)?;
        self.state.data().keys.insert(name.to_owned(), key);
        Ok(())
    }

    /// Adds a version to a key, which is the latest one from then on.
    pub fn rotate(&self, name: &str) -> Result<(), KeyError> {
        match self.state.data().keys.get_mut(name) {
            Some(key) => key.rotate(),
            None => Err(KeyError::Missing),
        }
    }

    /// Has versions before this one sign no longer.
    pub fn disable_before(&self, name: &str, version: u64) {
        if let Some(key) = self.state.data().keys.get_mut(name) {
            key.least = version;
        }
    }

    /// The latest version of a key; 0 if there is no such key.
    pub fn version(&self, name: &str) -> u64 {
        let data = self.state.data();
        data.keys.get(name).map_or(0, key::Key::latest)
    }

    /// The public key of a version, PEM.
    pub fn public_key(&self, name: &str, version: u64) -> Option<String> {
        self.state.data().keys.get(name)?.public_pem(version)
    }

    /// A new token that may do everything, for this time or without an end. It may be renewed.
    pub fn issue(&self, time: Option<Duration>) -> String {
        self.state.issue(time, Vec::new())
    }

    /// A new token that may not use paths with this text in them.
    pub fn issue_without(&self, path: &str) -> String {
        self.state.issue(None, vec![path.to_owned()])
    }

    /// Ends a token.
    pub fn revoke(&self, token: &str) {
        self.state.data().tokens.remove(token);
    }

    /// Ends all tokens.
    pub fn revoke_all(&self) {
        self.state.data().tokens.clear();
    }

    /// Lets whoever has this JWT log in with the method of this path in this role, for tokens of this
    /// time.
    pub fn accept(&self, method: &str, role: &str, jwt: &str, time: Duration) {
        self.state.data().logins.push(state::Acceptance {
            path: format!("auth/{method}/login"),
            role: role.to_owned(),
            jwt: jwt.to_owned(),
            time,
        });
    }

    /// Stops and waits for the end.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}
