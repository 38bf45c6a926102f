//! One request with its body read, and what is remembered of it.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::cluster::author::Author;
use crate::cluster::http::protobuf;
use crate::cluster::managed::Operation;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::query::Query;

/// A request with its body read.
pub(crate) struct Call<'a> {
    pub state: &'a Arc<State>,
    pub method: &'a Method,
    pub query: Query,
    pub accept: &'a str,
    pub content_type: &'a str,
    pub user_agent: &'a str,
    pub body: Bytes,
}

impl Call<'_> {
    /// The body as one document, JSON or (where a client says so) YAML.
    pub(crate) fn document(&self) -> Result<Value, Status> {
        let media = self.media();
        match media {
            "" | "application/json" => self.json(),
            "application/yaml" => self.yaml(),
            protobuf::MEDIA => protobuf::read(&self.body),
            _ => Err(Status::unsupported_media(
                "application/json, application/yaml",
            )),
        }
    }

    pub(crate) fn json(&self) -> Result<Value, Status> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Status::bad_request(format!("the body is not valid JSON: {error}")))
    }

    pub(crate) fn yaml(&self) -> Result<Value, Status> {
        if let Ok(value) = serde_json::from_slice(&self.body) {
            return Ok(value);
        }
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| Status::bad_request("the body is not UTF-8"))?;
        serde_saphyr::from_str(text)
            .map_err(|error| Status::bad_request(format!("the body is not valid YAML: {error}")))
    }

    /// The content type without its parameters.
    pub(crate) fn media(&self) -> &str {
        self.content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
    }

    /// The field manager: as given, or the first part of the user agent.
    pub(crate) fn manager(&self) -> String {
        let agent = self.user_agent.split('/').next().unwrap_or_default();
        let manager = self.query.get("fieldManager").unwrap_or(agent);
        if manager.is_empty() {
            "unknown".to_owned()
        } else {
            manager.to_owned()
        }
    }

    pub(crate) fn author(&self) -> Author {
        Author {
            manager: self.manager(),
            dry_run: self.query.get("dryRun").is_some_and(|value| value == "All"),
            operation: Operation::Update,
        }
    }
}
