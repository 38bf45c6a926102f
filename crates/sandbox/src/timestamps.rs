//! A timestamp authority on loopback (RFC 3161), with the addresses of sigstore's: `POST /api/v1/timestamp`
//! and `GET /api/v1/timestamp/certchain`.
//!
//! Its root, its certificate and its keys end with the process. Timestamps are in whole seconds, over
//! SHA-256, and come without certificates. What it does wrong on demand is a [`Quirk`].

use std::net::SocketAddr;
use std::sync::Arc;

pub use crate::issuing::{AuthorityError, StartError};
use crate::serve;
use crate::task::Task;
use crate::traffic::observable;

mod authority;
mod http;
mod options;
mod token;

use self::http::State;
pub use self::options::{Quirk, Validity};

/// A fault of a timestamp authority.
pub type Fault = crate::fault::Fault<Quirk>;
/// What a request hit by a fault of a timestamp authority gets.
pub type FaultAnswer = crate::fault::FaultAnswer<Quirk>;

/// A running authority. Stops when dropped; [`TimestampAuthority::shutdown`] also waits.
#[derive(Debug)]
pub struct TimestampAuthority {
    state: Arc<State>,
    address: SocketAddr,
    task: Task,
}

observable!(TimestampAuthority, Fault);

impl TimestampAuthority {
    /// Listens on a free port of 127.0.0.1 and serves until dropped or shut down.
    pub async fn start() -> Result<Self, StartError> {
        Self::with(Validity::Now).await
    }

    /// The same with a certificate that is valid then.
    pub async fn with(validity: Validity) -> Result<Self, StartError> {
        let (listener, address) = serve::listen(None).await?;
        let state = Arc::new(State::new(validity)?);
        Ok(Self {
            task: serve::start((listener, address), &state),
            state,
            address,
        })
    }

    /// Where timestamps are asked for.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, http::TIMESTAMP)
    }

    /// Its certificates, PEM, from the one that signs timestamps to the root.
    pub fn chain_pem(&self) -> String {
        self.state.authority.chain_pem()
    }

    /// Stops and waits for the end.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}
