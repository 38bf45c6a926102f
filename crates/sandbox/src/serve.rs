//! The listening side of every server: plain HTTP or TLS, HTTP/1.1 and HTTP/2, one task for each
//! connection, all of them owned by the accept loop. Limits: [`HANDSHAKE`], [`HEADERS`], and those
//! of each server on bodies.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::{Body, Cut};
use crate::exchange::{Server, exchange, turn_away};
use crate::names::Names;
use crate::task::Task;

/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longest wait for a request's headers.
const HEADERS: Duration = Duration::from_secs(30);
/// Longest wait for open requests once the server stops.
const GRACE: Duration = Duration::from_millis(500);

/// The port is taken or not allowed.
#[derive(Debug, thiserror::Error)]
#[error("could not listen on {address}; choose another port")]
pub struct ListenError {
    /// Where the server tried to listen.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// Listens on a port of 127.0.0.1; `None` takes a free one.
pub(crate) async fn listen(port: Option<u16>) -> Result<(TcpListener, SocketAddr), ListenError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    let failed = |source| ListenError { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves over HTTP what [`listen`] gave, in a task of its own.
pub(crate) fn start<S: Server>(
    (listener, address): (TcpListener, SocketAddr),
    server: &Arc<S>,
) -> Task {
    let names = Names::new(address, "http", &[]);
    let stop = server.traffic().stop.clone();
    Task::start(stop, serve(listener, None, names, Arc::clone(server)))
}

/// Accepts connections until the server stops, then waits for those that are open.
pub(crate) async fn serve<S: Server>(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    names: Names,
    server: Arc<S>,
) {
    let names = Arc::new(names);
    let acceptor = tls.map(TlsAcceptor::from);
    let stop = server.traffic().stop.clone();
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                server.traffic().connected();
                let door = Door {
                    names: Arc::clone(&names),
                    server: Arc::clone(&server),
                };
                connections.spawn(connection(stream, acceptor.clone(), door));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

/// A server, and the names that requests reach it by.
struct Door<S> {
    names: Arc<Names>,
    server: Arc<S>,
}

impl<S: Server> Door<S> {
    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (parts, body) = request.into_parts();
        match self.names.admit(&parts) {
            Ok(()) => exchange(Arc::clone(&self.server), Request::from_parts(parts, body)).await,
            Err(why) => Ok(turn_away(&self.server, &parts, body, &why).await),
        }
    }
}

async fn connection<S: Server>(stream: TcpStream, acceptor: Option<TlsAcceptor>, door: Door<S>) {
    let (stream, twin) = match twins(stream) {
        Ok(twins) => twins,
        Err(error) => {
            tracing::warn!(%error, "could not set up a connection");
            return;
        }
    };
    let reset = Arc::new(AtomicBool::new(false));
    match acceptor {
        None => speak(stream, door, Arc::clone(&reset)).await,
        Some(acceptor) => {
            if let Some(stream) = handshake(stream, &acceptor, &door.server.traffic().stop).await {
                speak(stream, door, Arc::clone(&reset)).await;
            }
        }
    }
    if reset.load(Ordering::Relaxed)
        && let Err(error) = TcpStream::from_std(twin).and_then(|twin| twin.set_zero_linger())
    {
        tracing::warn!(%error, "could not reset a connection");
    }
}

/// The connection, and the same once more: the owner of the last one decides how it ends.
fn twins(stream: TcpStream) -> std::io::Result<(TcpStream, std::net::TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let twin = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, twin))
}

async fn handshake(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    stop: &CancellationToken,
) -> Option<TlsStream<TcpStream>> {
    let handshake = tokio::select! {
        () = stop.cancelled() => return None,
        handshake = timeout(HANDSHAKE, acceptor.accept(stream).into_fallible()) => handshake,
    };
    match handshake {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err((error, stream))) => {
            tracing::debug!(%error, "a TLS handshake failed");
            // closing with something unread would reset the connection, and the alert be lost
            let _ = timeout(HANDSHAKE, drain(stream)).await;
        }
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
    None
}

/// Says that nothing more comes, and reads until the client has had enough.
async fn drain(mut stream: TcpStream) -> std::io::Result<()> {
    stream.shutdown().await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

async fn speak<S, T>(stream: T, door: Door<S>, reset: Arc<AtomicBool>)
where
    S: Server,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stop = door.server.traffic().stop.clone();
    let door = Arc::new(door);
    let service = service_fn(move |request| {
        let (door, reset) = (Arc::clone(&door), Arc::clone(&reset));
        async move {
            let response = door.respond(request).await;
            if matches!(response, Err(Cut::Reset)) {
                reset.store(true, Ordering::Relaxed);
            }
            response
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADERS);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let end = tokio::select! {
        end = connection.as_mut() => Some(end),
        () = stop.cancelled() => None,
    };
    let end = if let Some(end) = end {
        end
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(GRACE, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = end {
        tracing::debug!(%error, "a connection ended early");
    }
}
