//! Requests to the API server itself: for thousands of them, kubectl would take most of the time.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use futures::io::AsyncBufReadExt as _;
use futures::{Stream, StreamExt as _};
use http::Request;
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::Value;

/// Objects of one page of a list.
const PAGE: usize = 500;
/// The metadata of objects alone, which is what marks are in.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// A connection to the API server of a cluster.
#[derive(Clone)]
pub struct Api(Client);

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    /// Connects as the user of a kubeconfig.
    pub async fn connect(kubeconfig: &Path) -> Result<Self> {
        // fails where it was called before, which is as good
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let document = Kubeconfig::read_from(kubeconfig)?;
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(document, &options).await?;
        Ok(Self(Client::try_from(config)?))
    }

    /// Whatever is at a path.
    pub async fn text(&self, path: &str) -> Result<String> {
        let text = self.0.request_text(Request::get(path).body(Vec::new())?);
        text.await.with_context(|| format!("cannot get {path}"))
    }

    /// The object at a path.
    pub async fn get(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.text(path).await?)?)
    }

    /// Creates an object in the collection at a path.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value, kube::Error> {
        let request = Request::post(path).header("Content-Type", "application/json");
        self.send(request, object).await
    }

    /// Changes the object at a path by a merge patch.
    pub async fn merge(&self, path: &str, change: &Value) -> Result<Value, kube::Error> {
        let request = Request::patch(path).header("Content-Type", "application/merge-patch+json");
        self.send(request, change).await
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: &Value,
    ) -> Result<Value, kube::Error> {
        let request = request.body(body.to_string().into_bytes());
        self.0
            .request(request.map_err(kube::Error::HttpError)?)
            .await
    }

    /// Every object of the collection at a path without a query, page by page.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut from = String::new();
        loop {
            let mut page = self.get(&format!("{path}?limit={PAGE}{from}")).await?;
            if let Some(objects) = page["items"].as_array_mut() {
                items.append(objects);
            }
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => from = format!("&continue={token}"),
                _ => return Ok(items),
            }
        }
    }

    /// The metadata of each object of the collection at a path, which may have a query.
    pub async fn metadata(&self, path: &str) -> Result<Vec<Value>> {
        let request = Request::get(path).header("Accept", METADATA_LIST);
        let text = self.0.request_text(request.body(Vec::new())?).await;
        let text = text.with_context(|| format!("cannot list {path}"))?;
        let mut list: Value = serde_json::from_str(&text)?;
        let items = list["items"]
            .as_array_mut()
            .context("a list without items")?;
        Ok(items
            .iter_mut()
            .map(|item| item["metadata"].take())
            .collect())
    }

    /// The version of the collection at a path, from which on it can be watched.
    pub async fn version(&self, path: &str) -> Result<String> {
        let page = self.get(&format!("{path}?limit=1")).await?;
        let version = page["metadata"]["resourceVersion"].as_str();
        Ok(version.context("a list without a version")?.to_owned())
    }

    /// The metadata of each object of the collection at a path that changes after a version.
    pub async fn watch(
        &self,
        path: &str,
        version: &str,
        labels: &str,
    ) -> Result<impl Stream<Item = Result<Value>> + use<>> {
        let query = format!("watch=1&resourceVersion={version}&labelSelector={labels}");
        let request = Request::get(format!("{path}?{query}")).header("Accept", METADATA);
        let lines = self.0.request_stream(request.body(Vec::new())?).await?;
        Ok(lines.lines().map(|line| {
            let mut event: Value = serde_json::from_str(&line?)?;
            Ok(event["object"]["metadata"].take())
        }))
    }
}
