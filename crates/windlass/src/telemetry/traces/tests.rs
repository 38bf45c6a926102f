use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use tokio::net::TcpListener;
use tracing::{error, error_span};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Traces, TracesError};
use crate::telemetry::recorded::Log;

/// A request: its path, the type of its content, and that.
type Taken = (String, String, Vec<u8>);

/// A collector that notes what it gets, and responds with a status.
#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<Taken>>>);

impl Collector {
    async fn start(&self, status: StatusCode) -> String {
        let note =
            async move |State(to): State<Self>, uri: Uri, headers: HeaderMap, body: Bytes| {
                let kind = headers["content-type"].to_str().unwrap().to_owned();
                to.0.lock()
                    .unwrap()
                    .push((uri.path().to_owned(), kind, body.to_vec()));
                status
            };
        let router = Router::new().fallback(note).with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

fn traces(variables: &[(&str, &str)]) -> Result<Traces, TracesError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    Traces::of(&|name: &str| variables.get(name).map(|value| (*value).to_owned()))
}

/// A pass with a step in it, and a line of the log.
fn pass(traces: &Traces) {
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    tracing::subscriber::with_default(subscriber, || {
        let _library = error_span!(target: "hyper", "a-span-of-a-library").entered();
        let _pass = error_span!("pass", run = "TaskRun team-a/build-1").entered();
        let _step = error_span!("store", store = "oci").entered();
        error!("the-reason-of-a-failure");
    });
}

fn has(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_and_its_steps_reach_the_collector_and_no_line_of_the_log_does() {
    let collector = Collector::default();
    let address = collector.start(StatusCode::OK).await;
    let traces = traces(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &address)]).unwrap();
    pass(&traces);
    traces.end().await;
    let requests = collector.0.lock().unwrap();
    let [(path, kind, body)] = &requests[..] else {
        panic!("{} requests", requests.len());
    };
    assert_eq!((&**path, &**kind), ("/v1/traces", "application/x-protobuf"));
    for text in ["pass", "TaskRun team-a/build-1", "store", "oci", "windlass"] {
        assert!(has(body, text), "{text}");
    }
    for text in ["a-span-of-a-library", "the-reason-of-a-failure"] {
        assert!(!has(body, text), "{text}");
    }
}

#[tokio::test]
async fn a_collector_that_refuses_is_told_once() {
    let collector = Collector::default();
    let address = collector.start(StatusCode::SERVICE_UNAVAILABLE).await;
    let log = Log::default();
    let _recorded = log.record("warn");
    let url = format!("{address}/take");
    let traces = traces(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &url)]).unwrap();
    for _ in 0..3 {
        pass(&traces);
    }
    traces.end().await;
    assert!(
        collector
            .0
            .lock()
            .unwrap()
            .iter()
            .all(|(path, ..)| path == "/take")
    );
    let log = log.text();
    assert_eq!(
        log.matches("it responds with status 503").count(),
        1,
        "{log}"
    );
}

#[tokio::test]
async fn without_an_address_nothing_is_traced() {
    let off = ("OTEL_SDK_DISABLED", "true");
    let address = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    for variables in [
        &[][..],
        &[off, address],
        &[("OTEL_TRACES_EXPORTER", "none"), address],
    ] {
        let traces = traces(variables).unwrap();
        assert!(traces.0.is_none(), "{variables:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_spoken_to_is_refused_by_the_name_of_its_variable() {
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    for address in ["collector:4318", "ftp://collector", "nothing", "http:///"] {
        let refused = traces(&[(name, address)]).unwrap_err();
        assert_eq!(refused, TracesError::Endpoint(name), "{address}");
        assert!(!refused.to_string().contains(address), "{refused}");
    }
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let refused = traces(&[(name, "http://collector:4317"), grpc]).unwrap_err();
    assert_eq!(
        refused,
        TracesError::Protocol("OTEL_EXPORTER_OTLP_PROTOCOL")
    );
}
