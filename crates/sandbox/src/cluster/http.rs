//! One request from its headers to its answer: faults, the token, the body, the verb.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde_json::Value;

use crate::cluster::State;
use crate::cluster::discovery;
use crate::cluster::managed::Operation;
use crate::cluster::route::Target;
use crate::cluster::status::Status;
use crate::fault::{self, FaultAnswer};
use crate::query::Query;

mod collection;
mod item;
mod protobuf;
mod review;
#[cfg(test)]
mod tests;

/// Most bytes of a request's body, as in the real API server.
const BODY: usize = 3 << 20;
/// Longest wait for a request's body.
const BODY_WAIT: Duration = Duration::from_secs(30);

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A request the cluster has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Method in capitals.
    pub method: String,
    /// Path as sent, without the query.
    pub path: String,
    /// Query as sent, without the question mark; empty if there was none.
    pub query: String,
    /// `Content-Type` header; empty if there was none.
    pub content_type: String,
    /// `User-Agent` header; empty if there was none.
    pub user_agent: String,
    /// Status code answered; 0 if a fault left the request without an answer.
    pub status: u16,
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose, by a fault")]
pub(crate) struct Reset;

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

/// Answers one request and remembers it.
pub(crate) async fn answer<B>(
    state: Arc<State>,
    request: Request<B>,
) -> Result<Response<Body>, Reset>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let fault = fault::take(&mut state.faults(), method, path, query);
    let response = match fault {
        Some(FaultAnswer::Reset) => Err(Reset),
        Some(FaultAnswer::Hang) => {
            remember(&state, &parts, 0);
            state.stop.cancelled().await;
            return Err(Reset);
        }
        Some(FaultAnswer::Status(code)) => Ok(refuse(&faulty(code))),
        Some(FaultAnswer::StatusAfterwards(code)) => {
            drop(carry_out(&state, &parts, body).await);
            Ok(refuse(&faulty(code)))
        }
        Some(FaultAnswer::PauseAfterwards(gate)) => {
            let response = carry_out(&state, &parts, body).await;
            gate.pass(&state.stop).await;
            Ok(response.unwrap_or_else(|status| refuse(&status)))
        }
        None => Ok(carry_out(&state, &parts, body)
            .await
            .unwrap_or_else(|status| refuse(&status))),
    };
    remember(
        &state,
        &parts,
        response
            .as_ref()
            .map_or(0, |response| response.status().as_u16()),
    );
    response
}

fn faulty(code: u16) -> Status {
    Status::new(code, fault::reason(code), "the test asked for this failure")
}

fn remember(state: &State, parts: &Parts, status: u16) {
    state.remember(SeenRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type: header(parts, &CONTENT_TYPE).to_owned(),
        user_agent: header(parts, &USER_AGENT).to_owned(),
        status,
    });
}

fn header<'a>(parts: &'a Parts, name: &HeaderName) -> &'a str {
    parts
        .headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

async fn carry_out<B>(state: &Arc<State>, parts: &Parts, body: B) -> Result<Response<Body>, Status>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = parts.uri.path();
    if matches!(path, "/healthz" | "/readyz" | "/livez") {
        return Ok(plain("ok"));
    }
    let sent = header(parts, &AUTHORIZATION).strip_prefix("Bearer ");
    if sent != Some(state.token.as_str()) {
        return Err(Status::unauthorized());
    }
    let call = Call {
        state,
        method: &parts.method,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        accept: header(parts, &ACCEPT),
        content_type: header(parts, &CONTENT_TYPE),
        user_agent: header(parts, &USER_AGENT),
        body: read(body).await?,
    };
    if let Some(response) = discovery::answer(path, &call) {
        return response;
    }
    let target = Target::parse(path).ok_or_else(Status::no_such_path)?;
    match target.name.clone() {
        None => collection::answer(&call, &target),
        Some(name) => item::answer(&call, &target, &name),
    }
}

async fn read<B>(body: B) -> Result<Bytes, Status>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = Box::pin(Limited::new(body, BODY).collect());
    let Ok(collected) = tokio::time::timeout(BODY_WAIT, body).await else {
        return Err(Status::new(
            408,
            "Timeout",
            "the body of the request did not arrive in time",
        ));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {BODY}"),
        )),
        Err(error) => Err(Status::bad_request(format!(
            "the body could not be read: {error}"
        ))),
    }
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

    pub(crate) fn author(&self) -> crate::cluster::verbs::Author {
        crate::cluster::verbs::Author {
            manager: self.manager(),
            dry_run: self.query.get("dryRun").is_some_and(|value| value == "All"),
            operation: Operation::Update,
        }
    }
}

/// An answer with a JSON body.
pub(crate) fn json(code: u16, value: &Value) -> Response<Body> {
    typed(
        code,
        "application/json",
        serde_json::to_vec(value).unwrap_or_default(),
    )
}

pub(crate) fn typed(code: u16, media: &str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body.into()));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    if let Ok(media) = media.parse() {
        response.headers_mut().insert(CONTENT_TYPE, media);
    }
    response
}

pub(crate) fn refuse(status: &Status) -> Response<Body> {
    json(status.code, &status.to_value())
}

fn plain(text: &'static str) -> Response<Body> {
    typed(200, "text/plain; charset=utf-8", text)
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).boxed_unsync()
}
