//! A server that speaks the protocol of Fulcio on loopback: it certifies keys for identities, and a log
//! promises to publish its certificates.
//!
//! The authority has a root and an intermediate certificate on P-384, and a log with a key on P-256, all
//! of which end with the process. Identity tokens are made by the server itself: one that it did not
//! make, or that has ended, is refused. The proof that the key is there is checked. There is no version 1
//! of the interface, and no log that anybody could read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

mod authority;
mod http;
mod stamp;
mod state;
mod subject;

pub use self::authority::Quirk;
use self::state::State;
pub use self::subject::Subject;
pub use crate::issuing::{AuthorityError, StartError};
use crate::serve;
use crate::task::Task;
use crate::traffic::observable;

/// A fault of Fulcio.
pub type Fault = crate::fault::Fault<Quirk>;
/// What a request hit by a fault of Fulcio gets.
pub type FaultAnswer = crate::fault::FaultAnswer<Quirk>;

/// A running server on loopback. Stops when dropped; [`Fulcio::shutdown`] also waits.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_sandbox::fulcio::{Fulcio, Subject};
///
/// let fulcio = Fulcio::start().await?;
/// let token = fulcio.issue(&Subject::default());
/// assert_eq!(token.split('.').count(), 3);
/// assert!(fulcio.root_pem().contains("BEGIN CERTIFICATE"));
/// assert_eq!(fulcio.certificates(), 0);
/// fulcio.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Fulcio {
    state: Arc<State>,
    address: SocketAddr,
    task: Task,
}

observable!(Fulcio, Fault);

impl Fulcio {
    /// Listens on a free port of 127.0.0.1 and serves until dropped or shut down.
    pub async fn start() -> Result<Self, StartError> {
        let (listener, address) = serve::listen(None).await?;
        let state = Arc::new(State::new()?);
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

    /// A new identity token.
    pub fn issue(&self, subject: &Subject) -> String {
        self.state.issue(subject)
    }

    /// Has certificates be valid for this time from now on.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state.data().lifetime = lifetime;
    }

    /// Replaces the authority by one with other keys and another root; the log stays.
    pub fn replace_authority(&self) -> Result<(), AuthorityError> {
        self.state.data().authority = authority::Authority::make()?;
        Ok(())
    }

    /// The root of the authority, PEM.
    pub fn root_pem(&self) -> String {
        self.state.data().authority.root_pem()
    }

    /// The certificates of the authority, PEM, from the one that issues to the root.
    pub fn chain_pem(&self) -> String {
        self.state.data().authority.chain_pem()
    }

    /// The public key of the log, PEM.
    pub fn log_key_pem(&self) -> String {
        self.state.data().log.public_pem()
    }

    /// How many certificates were issued.
    pub fn certificates(&self) -> usize {
        self.state.data().issued
    }

    /// Stops and waits for the end.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}
