//! The listening side: one task a connection, all of them owned here. Limits: [`HANDSHAKE`],
//! [`HEADERS`], and those of `super::http` on bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;

use super::body::Cut;
use super::http::answer;
use super::state::State;

/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longest wait for a request's headers.
const HEADERS: Duration = Duration::from_secs(30);
/// Longest wait for open requests once the registry stops.
const GRACE: Duration = Duration::from_millis(500);

/// Accepts connections until the registry stops, then waits for those that are open.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    state: Arc<State>,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = state.stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                state.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(connection(stream, acceptor.clone(), Arc::clone(&state)));
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

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    let (stream, twin) = match twins(stream) {
        Ok(twins) => twins,
        Err(error) => {
            tracing::warn!(%error, "could not set up a connection");
            return;
        }
    };
    let reset = Arc::new(AtomicBool::new(false));
    match acceptor {
        None => speak(stream, state, Arc::clone(&reset)).await,
        Some(acceptor) => {
            if let Some(stream) = handshake(stream, &acceptor, &state).await {
                speak(stream, state, Arc::clone(&reset)).await;
            }
        }
    }
    if reset.load(Ordering::Relaxed)
        && let Err(error) = TcpStream::from_std(twin).and_then(|twin| twin.set_zero_linger())
    {
        tracing::warn!(%error, "could not reset a connection");
    }
}

/// The connection, and the same once more: who holds the last one decides how it ends.
fn twins(stream: TcpStream) -> std::io::Result<(TcpStream, std::net::TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let twin = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, twin))
}

async fn handshake(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    state: &State,
) -> Option<TlsStream<TcpStream>> {
    let handshake = tokio::select! {
        () = state.stop.cancelled() => return None,
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

async fn speak<S>(stream: S, state: Arc<State>, reset: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stop = state.stop.clone();
    let service = service_fn(move |request| {
        let (state, reset) = (Arc::clone(&state), Arc::clone(&reset));
        async move {
            let answered = answer(state, request).await;
            if matches!(answered, Err(Cut::Reset)) {
                reset.store(true, Ordering::Relaxed);
            }
            answered
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
    let served = tokio::select! {
        served = connection.as_mut() => Some(served),
        () = stop.cancelled() => None,
    };
    let served = if let Some(served) = served {
        served
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(GRACE, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}
