//! Traces for an OpenTelemetry collector: a span for each pass over a run, with its steps in it.
//!
//! The variables are those of the OpenTelemetry specification. Spans carry the names of runs, formats and
//! stores; neither texts of runs nor of errors.

use reqwest::Url;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

mod error;
#[cfg_attr(not(feature = "opentelemetry"), path = "traces/absent.rs")]
mod exporter;

use self::error::TracesError;
use self::exporter::Exporter;

/// Variables with the address of the collector, the more special one first.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// Variables with how it is spoken to.
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const PROTOCOL: &str = "http/protobuf";

/// Where traces go, if anywhere.
#[derive(Debug, Default)]
pub(crate) struct Traces(Option<Exporter>);

impl Traces {
    /// To the collector that variables name.
    pub(crate) fn of(variable: &impl Fn(&str) -> Option<String>) -> Result<Self, TracesError> {
        let is_true = |value: String| value.eq_ignore_ascii_case("true");
        let first = |names: [&'static str; 2]| {
            let mut set = names
                .into_iter()
                .filter_map(|name| Some((name, variable(name)?)));
            set.next()
        };
        let Some((name, endpoint)) = first(ENDPOINTS) else {
            return Ok(Self(None));
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(is_true)
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter == "none")
        {
            return Ok(Self(None));
        }
        if let Some((name, protocol)) = first(PROTOCOLS)
            && protocol != PROTOCOL
        {
            return Err(TracesError::Protocol(name));
        }
        let url = address(name, &endpoint).ok_or(TracesError::Endpoint(name))?;
        Exporter::start(name, &url).map(|exporter| Self(Some(exporter)))
    }

    /// What sees the spans.
    pub(super) fn layer<S>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.0.as_ref().map(Exporter::layer)
    }

    /// Sends what is left.
    pub(crate) async fn end(self) {
        if let Some(exporter) = self.0 {
            exporter.end().await;
        }
    }
}

/// Where spans are posted: the general variable has the address of a collector of everything.
fn address(name: &str, endpoint: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    if name != ENDPOINTS[0] {
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty().extend(["v1", "traces"]);
    }
    Some(url)
}

#[cfg(test)]
#[cfg(feature = "opentelemetry")]
mod tests;
