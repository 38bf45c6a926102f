//! Spans, sent to a collector in batches by a thread of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use opentelemetry::trace::{SpanId, TraceId, TracerProvider as _};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider};
use reqwest::Url;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::error::TracesError;

/// How long one request to the collector takes at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ids from the system's random numbers. Those of the library need the devices of `/dev`, which a container
/// may lack, and it panics without. An id that could not be made is invalid, and its span is not sent.
#[derive(Debug)]
struct SystemIds;

impl IdGenerator for SystemIds {
    fn new_trace_id(&self) -> TraceId {
        random().map_or(TraceId::INVALID, TraceId::from_bytes)
    }

    fn new_span_id(&self) -> SpanId {
        random().map_or(SpanId::INVALID, SpanId::from_bytes)
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// Sends spans.
#[derive(Debug)]
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// To a collector, by tasks of the runtime that this is called in.
    pub(super) fn start(_: &'static str, collector: &Url) -> Result<Self, TracesError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            // the headers of the variables may be credentials
            .redirect(Policy::none())
            .referer(false)
            .build();
        let http = Collector {
            client: client.map_err(|_| TracesError::Settings)?,
            runtime: Handle::current(),
            state: Arc::default(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(http)
            .with_endpoint(collector.as_str())
            .with_timeout(PATIENCE)
            .build()
            // its text may repeat a variable with a credential in it
            .map_err(|_| TracesError::Settings)?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("windlass");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_id_generator(SystemIds)
            .with_resource(resource.build())
            .build();
        Ok(Self(provider))
    }

    pub(super) fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let layer = tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("windlass"))
            .with_location(false)
            .with_threads(false);
        Box::new(layer.with_filter(filter_fn(is_ours)))
    }

    pub(super) async fn end(self) {
        // it waits for the thread, which waits for a task of this runtime
        let end = tokio::task::spawn_blocking(move || self.0.shutdown());
        if !matches!(end.await, Ok(Ok(()))) {
            tracing::warn!("the last traces were not delivered");
        }
    }
}

/// Spans of windlass: those of libraries have addresses and headers in them, and lines of the log have
/// the reasons of failures.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("windlass")
}

/// The collector.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: Handle,
    state: Arc<State>,
}

/// Whether the collector took what was last sent to it.
#[derive(Debug, Default)]
struct State {
    is_away: AtomicBool,
}

impl State {
    /// Says so once when traces are lost, and once when they are taken again.
    fn note(&self, why: Option<&str>) {
        let was_away = self.is_away.swap(why.is_some(), Ordering::Relaxed);
        match why {
            Some(why) if !was_away => tracing::warn!(
                why,
                "the collector of traces does not take them; traces are lost until it does"
            ),
            None if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }

    /// The status of a response. Its body is not read.
    fn status(&self, sent: reqwest::Result<reqwest::Response>) -> Result<StatusCode, &'static str> {
        let why = match sent {
            Ok(response) => {
                let status = response.status();
                let refused = format!("it responds with status {}", status.as_u16());
                self.note((!status.is_success()).then_some(&refused));
                return Ok(status);
            }
            Err(error) if error.is_timeout() => "it does not respond",
            Err(_) => "it cannot be reached",
        };
        self.note(Some(why));
        Err(why)
    }
}

#[async_trait]
impl HttpClient for Collector {
    /// Sends a request, from whatever thread this is called in.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let (client, state) = (self.client.clone(), Arc::clone(&self.state));
        let sent = async move { state.status(client.execute(request).await) };
        let sent = self.runtime.spawn(sent);
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = sent.await??;
        Ok(response)
    }
}
