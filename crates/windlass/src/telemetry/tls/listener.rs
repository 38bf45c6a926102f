//! The listening side of the metrics server with TLS. Handshakes run side by side, so that a client
//! that is slow at its own keeps no other waiting; their number and time are bounded.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::files::Certificates;

/// Handshakes under way at once. While there are so many, no connection is accepted.
const AT_ONCE: usize = 64;
/// Longest handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Pause after a connection could not be accepted, which is mostly for want of files.
const PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections, each with a TLS handshake.
pub(in super::super) struct TlsListener {
    listener: TcpListener,
    certificates: Arc<Certificates>,
    handshakes: JoinSet<Option<Connection>>,
}

type Connection = (TlsStream<TcpStream>, SocketAddr);

impl TlsListener {
    /// Listens where `listener` does.
    pub(in super::super) fn new(listener: TcpListener, certificates: Certificates) -> Self {
        Self {
            listener,
            certificates: Arc::new(certificates),
            handshakes: JoinSet::new(),
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        loop {
            let has_room = self.handshakes.len() < AT_ONCE;
            let accepted = tokio::select! {
                Some(ended) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = ended {
                        return connection;
                    }
                    continue;
                }
                accepted = self.listener.accept(), if has_room => accepted,
            };
            match accepted {
                Ok((stream, client)) => {
                    let certificates = Arc::clone(&self.certificates);
                    self.handshakes
                        .spawn(handshake(stream, client, certificates));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection for metrics");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn handshake(
    stream: TcpStream,
    client: SocketAddr,
    certificates: Arc<Certificates>,
) -> Option<Connection> {
    let current = tokio::task::spawn_blocking(move || certificates.current());
    let config = current.await.ok()??;
    let accepted = TlsAcceptor::from(config).accept(stream);
    match tokio::time::timeout(HANDSHAKE, accepted).await {
        Ok(Ok(stream)) => Some((stream, client)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a client of metrics was refused");
            None
        }
        Err(_) => None,
    }
}
