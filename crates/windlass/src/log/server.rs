//! A server of the settings: its address, and requests to it.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Url};
use windlass_core::config::Endpoint;

use super::address;
use crate::service::error::ServiceError;
use crate::service::http::{Answer, Http, Patience};

/// A log responds once the entry is in its tree, which takes seconds.
const PATIENCE: Patience = Patience {
    call: Duration::from_secs(40),
    request: Duration::from_secs(30),
};

/// A server.
#[derive(Debug)]
pub(super) struct Server {
    http: Http,
    url: Url,
    /// The address without the slash at its end.
    base: String,
    host: String,
}

/// What is sent to a server, and what is expected.
pub(super) struct Content<'a> {
    pub(super) body: &'a [u8],
    pub(super) media_type: &'static str,
    pub(super) accept: &'static str,
}

impl Server {
    /// The one of a setting.
    pub(super) fn new(setting: &str, address: &Endpoint) -> Result<Self, ServiceError> {
        let url = address::check(address)
            .map_err(|why| ServiceError::new(format!("use the server of {setting}"), why))?;
        Ok(Self {
            http: Http::new(Vec::new(), PATIENCE)?,
            base: address::base(&url),
            host: address::host(&url),
            url,
        })
    }

    /// Its host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Its address.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The address of a path on it.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) async fn get(&self, doing: &str, path: &str) -> Result<Answer, ServiceError> {
        let url = self.at(path);
        self.http
            .send(doing, |client: &Client| client.get(&url))
            .await
    }

    pub(super) async fn post(
        &self,
        doing: &str,
        path: &str,
        content: Content<'_>,
    ) -> Result<Answer, ServiceError> {
        let url = self.at(path);
        let Content {
            body,
            media_type,
            accept,
        } = content;
        let request = |client: &Client| {
            let request = client.post(&url).body(body.to_vec());
            request
                .header(CONTENT_TYPE, media_type)
                .header(ACCEPT, accept)
        };
        self.http.send(doing, request).await
    }
}
