//! The protocol, request by request, without a socket.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::body::{Body, Cut};
use crate::cluster::{Cluster, Options};
use crate::exchange::exchange;

mod deletes;
mod faults;
mod lists;
mod objects;
mod patches;
mod watches;

pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const MAPS: &str = "/api/v1/namespaces/default/configmaps";
pub(super) const RUNS: &str = "/apis/tekton.dev/v1/namespaces/default/taskruns";

/// A cluster, spoken to as by an HTTP client.
pub(super) struct Api(pub Cluster);

impl Api {
    pub(super) async fn start() -> Self {
        Self(Cluster::start(Options::default()).await.unwrap())
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        media: &str,
        accept: &str,
        body: Vec<u8>,
    ) -> Response<Body> {
        let request = self.request(method, path, media, accept, body);
        self.exchange(request).await.unwrap()
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Body>, Cut> {
        exchange(Arc::clone(self.0.state()), request).await
    }

    /// The end of a connection whose request gets no response.
    pub(super) async fn lost(&self, method: &str, path: &str, body: &Value) -> Cut {
        let body = body.to_string().into_bytes();
        let request = self.request(method, path, "application/json", "", body);
        self.exchange(request).await.unwrap_err()
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        media: &str,
        accept: &str,
        body: Vec<u8>,
    ) -> Request<Full<Bytes>> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.0.token()))
            .header("content-type", media)
            .header("accept", accept)
            .header("user-agent", "facts/1.0")
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.typed(method, path, "application/json", body).await
    }

    pub(super) async fn typed(
        &self,
        method: &str,
        path: &str,
        media: &str,
        body: &Value,
    ) -> (u16, Value) {
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        read(
            self.send(method, path, media, "application/json", bytes)
                .await,
        )
        .await
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, &Value::Null).await
    }

    pub(super) async fn get_as(&self, path: &str, accept: &str) -> Value {
        read(self.send("GET", path, "", accept, Vec::new()).await)
            .await
            .1
    }

    /// Creates an object that must be accepted.
    pub(super) async fn make(&self, path: &str, body: Value) -> Value {
        let (code, made) = self.call("POST", path, &body).await;
        assert_eq!(code, 201, "{made}");
        made
    }
}

async fn read(response: Response<Body>) -> (u16, Value) {
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (code, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

pub(super) fn map(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"a": "1"}})
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized() {
    let api = Api::start().await;
    let request = Request::builder()
        .uri("/api")
        .header("authorization", "Bearer x")
        .body(Full::default());
    let response = exchange(Arc::clone(api.0.state()), request.unwrap())
        .await
        .unwrap();
    let (code, body) = read(response).await;
    assert_eq!((code, &body["reason"]), (401, &json!("Unauthorized")));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let api = Api::start().await;
    let body = vec![b' '; super::BODY + 1];
    let response = api.send("POST", MAPS, "application/json", "", body).await;
    assert_eq!(read(response).await.0, 413);
}

#[tokio::test]
async fn discovery_is_aggregated_only_if_asked() {
    let api = Api::start().await;
    assert_eq!(api.get("/apis").await.1["kind"], "APIGroupList");
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let groups = api.get_as("/apis", accept).await;
    assert_eq!(groups["kind"], "APIGroupDiscoveryList");
    let tekton = groups["items"].as_array().unwrap().iter();
    let tekton = tekton
        .clone()
        .find(|group| group["metadata"]["name"] == "tekton.dev")
        .unwrap();
    assert_eq!(tekton["versions"][0]["version"], "v1");
}

/// `kubectl` asks for it to check a kind `List`, and refuses the file when it cannot read it.
#[tokio::test]
async fn openapi_v2_is_a_protobuf_document_that_defines_nothing() {
    let api = Api::start().await;
    let media = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    let response = api.send("GET", "/openapi/v2", "", media, Vec::new()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], media);
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let info = b"\x0a\x10windlass sandbox\x12\x02v1";
    assert_eq!(info.len(), 0x16);
    assert_eq!(bytes, [b"\x0a\x032.0\x12\x16".as_slice(), info].concat());
}
