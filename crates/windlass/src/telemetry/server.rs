//! The servers of `/metrics` and of `/health` and `/readiness`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::health::Health;
use super::metrics::Metrics;

/// Why a port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}; choose another with {flag}")]
pub(crate) struct ListenError {
    what: &'static str,
    flag: &'static str,
    address: SocketAddr,
    source: std::io::Error,
}

/// Serves `/metrics` until `stop`.
pub(crate) async fn serve_metrics(
    address: SocketAddr,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let registry = Arc::new(metrics.registry());
    let routes = Router::new().route("/metrics", get(async move || exposition(&registry)));
    serve(("metrics", "--metrics-address"), address, routes, stop).await
}

fn exposition(registry: &Registry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    let status = match encode(&mut text, registry) {
        Ok(()) => StatusCode::OK,
        Err(std::fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (status, [(header::CONTENT_TYPE, kind)], text)
}

/// Serves `/health` and `/readiness` until `stop`: 200, or 503 with the reason.
pub(crate) async fn serve_health(
    address: SocketAddr,
    health: &Health,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let (alive, ready) = (health.clone(), health.clone());
    let routes = Router::new()
        .route("/health", get(async move || state(alive.dead())))
        .route("/readiness", get(async move || state(ready.not_ready())));
    serve(("health", "--health-address"), address, routes, stop).await
}

fn state(problem: Option<impl Into<String>>) -> (StatusCode, String) {
    match problem {
        None => (StatusCode::OK, String::new()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason.into() + "\n"),
    }
}

async fn serve(
    (what, flag): (&'static str, &'static str),
    address: SocketAddr,
    routes: Router,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ListenError {
            what,
            flag,
            address,
            source,
        })?;
    Ok(async move {
        let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the {what} server ended");
        }
    })
}
