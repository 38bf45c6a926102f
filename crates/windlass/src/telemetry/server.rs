//! The servers of `/metrics` and of `/health` and `/readiness`.

use std::sync::Arc;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::Listener;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::health::Health;
use super::metrics::Metrics;
use super::tls::{Certificates, Tls, TlsListener};

/// Why a port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}; choose another with {flag}")]
pub(crate) struct ListenError {
    what: &'static str,
    flag: &'static str,
    address: Address,
    source: std::io::Error,
}

/// Serves `/metrics` until `stop`, with TLS if it is set up.
pub(crate) async fn serve_metrics(
    address: &Address,
    tls: Option<Tls>,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let (registry, detail) = (Arc::new(metrics.registry()), metrics.detail.clone());
    let respond = async move || {
        detail.measure();
        exposition(&registry)
    };
    let routes = Router::new().route("/metrics", get(respond));
    let listener = listen(("metrics", "--metrics-address"), address).await?;
    Ok(async move {
        match tls {
            None => serve(listener, routes, stop).await,
            Some(tls) => {
                let certificates = Certificates::new(tls);
                // what is wrong with the files is said before anybody asks
                certificates.current();
                serve(TlsListener::new(listener, certificates), routes, stop).await;
            }
        }
    })
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

/// Serves `/health` and `/readiness` until `stop`: 200, or 503 with the reason. `/readiness?verbose`
/// also says what there is to know of a controller that is ready.
pub(crate) async fn serve_health(
    address: &Address,
    health: &Health,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let (alive, ready) = (health.clone(), health.clone());
    let routes = Router::new()
        .route("/health", get(async move || state(alive.dead())))
        .route(
            "/readiness",
            get(async move |RawQuery(query)| readiness(&ready, query.as_deref())),
        );
    let listener = listen(("health", "--health-address"), address).await?;
    Ok(serve(listener, routes, stop))
}

fn state(problem: Option<impl Into<String>>) -> (StatusCode, String) {
    match problem {
        None => (StatusCode::OK, String::new()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason.into() + "\n"),
    }
}

/// As the API server does with its own probes, `verbose` may have a value, whatever it is.
fn readiness(health: &Health, query: Option<&str>) -> (StatusCode, String) {
    let (status, mut text) = state(health.not_ready());
    let mut names = query.unwrap_or_default().split('&');
    if names.any(|name| name.split('=').next() == Some("verbose")) {
        text = format!("{text}{}\n", health.details());
    }
    (status, text)
}

async fn listen(
    (what, flag): (&'static str, &'static str),
    address: &Address,
) -> Result<TcpListener, ListenError> {
    let failed = |source| ListenError {
        what,
        flag,
        address: address.clone(),
        source,
    };
    let listener = address.bind().await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    tracing::info!("serving {what} at {bound}");
    Ok(listener)
}

async fn serve<L>(listener: L, routes: Router, stop: CancellationToken)
where
    L: Listener,
    L::Addr: std::fmt::Debug,
{
    let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "a server of the controller ended");
    }
}
