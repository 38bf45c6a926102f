//! The protocol, request by request, without a socket.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{Options, Registry};
use crate::exchange::exchange;

mod auth;
mod faults;
mod manifests;
mod uploads;

pub(super) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// What came back.
#[derive(Debug)]
pub(super) struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl TestResponse {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn code(&self) -> String {
        self.json()["errors"][0]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Path and query of `Location`.
    pub(super) fn location(&self) -> &str {
        let location = self.header(LOCATION.as_str());
        let start = location.find("/v2/").unwrap();
        &location[start..]
    }
}

/// A request to be sent.
pub(super) struct TestRequest<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

pub(super) async fn send(registry: &Registry, ask: TestRequest<'_>) -> TestResponse {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(ask.path)
        .header("host", registry.host());
    for (name, value) in ask.headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::copy_from_slice(ask.body));
    let request = request.body(body).unwrap();
    let response = exchange(Arc::clone(&registry.state), request)
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    TestResponse {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

pub(super) async fn call(
    registry: &Registry,
    method: &str,
    path: &str,
    body: &[u8],
) -> TestResponse {
    let ask = TestRequest {
        method,
        path,
        headers: &[],
        body,
    };
    send(registry, ask).await
}

pub(super) async fn get(registry: &Registry, path: &str) -> TestResponse {
    call(registry, "GET", path, b"").await
}

pub(super) async fn put(registry: &Registry, path: &str, manifest: &Value) -> TestResponse {
    let body = manifest.to_string();
    let ask = TestRequest {
        method: "PUT",
        path,
        headers: &[(CONTENT_TYPE.as_str(), IMAGE)],
        body: body.as_bytes(),
    };
    send(registry, ask).await
}

pub(super) async fn start() -> Registry {
    Registry::start(Options::default()).await.unwrap()
}

/// A manifest of one layer whose blobs are in place.
pub(super) fn image(registry: &Registry, name: &str, layer: &str) -> Value {
    let config = registry.put_blob(name, "{}");
    let digest = registry.put_blob(name, layer.to_owned());
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": "text/plain", "digest": digest, "size": layer.len()}],
    })
}

#[tokio::test]
async fn the_base_says_that_this_is_a_registry() {
    let registry = start().await;
    let got = get(&registry, "/v2/").await;
    assert_eq!((got.status, got.json()), (200, json!({})));
    assert_eq!(
        got.header("docker-distribution-api-version"),
        "registry/2.0"
    );
}
