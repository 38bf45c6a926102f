//! One request from its headers to its answer: faults, the token, the body, the verb.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use crate::body::{Body, Cut};
use crate::cluster::discovery;
use crate::cluster::route::Target;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::fault::{self, FaultAnswer};
use crate::query::Query;
use crate::serve::Service;

pub(crate) mod call;
mod collection;
mod item;
mod protobuf;
pub(crate) mod response;
mod review;
pub(crate) mod seen;
#[cfg(test)]
mod tests;

use call::Call;
use response::{plain, refuse};
use seen::SeenRequest;

/// Most bytes of a request's body, as in the real API server.
const BODY: usize = 3 << 20;
/// Longest wait for a request's body.
const BODY_WAIT: Duration = Duration::from_secs(30);

impl Service for State {
    fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        answer(self, request).await
    }
}

/// Answers one request and remembers it.
pub(crate) async fn answer<B>(state: Arc<State>, request: Request<B>) -> Result<Response<Body>, Cut>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let fault = fault::take(&mut state.faults(), method, path, query);
    let response = match fault {
        Some(FaultAnswer::Reset) => Err(Cut::Reset),
        Some(FaultAnswer::Hang) => {
            remember(&state, &parts, 0);
            state.stop.cancelled().await;
            return Err(Cut::Close);
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
