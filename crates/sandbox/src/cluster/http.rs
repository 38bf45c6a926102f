//! The front door: the token, the body, and who responds to the path.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};

use crate::body::{Body, ReadError, RequestBody, read};
use crate::cluster::discovery;
use crate::cluster::route::Target;
use crate::cluster::state::{State, USER};
use crate::cluster::status::Status;
use crate::exchange::Server;
use crate::query::Query;
use crate::traffic::Traffic;

pub(crate) mod call;
mod collection;
mod item;
mod log;
mod protobuf;
pub(crate) mod response;
mod review;
#[cfg(test)]
mod tests;

use call::Call;
use response::{plain, refuse};

/// Most bytes of a request's body, as in the real API server.
const BODY: usize = 3 << 20;
/// Longest wait for a request's body.
const BODY_WAIT: Duration = Duration::from_secs(30);

impl Server for State {
    type Quirk = Infallible;

    fn traffic(&self) -> &Traffic<Infallible> {
        &self.traffic
    }

    async fn respond(
        self: &Arc<Self>,
        parts: &Parts,
        body: RequestBody,
        _: Option<&Infallible>,
    ) -> Response<Body> {
        let response = dispatch(self, parts, body).await;
        response.unwrap_or_else(|status| refuse(&status))
    }

    fn refusal(&self, status: StatusCode, message: &str) -> Response<Body> {
        refuse(&Status::of_code(status.as_u16(), message))
    }

    fn credential(&self, headers: &HeaderMap) -> String {
        match header(headers, &AUTHORIZATION) {
            "" => String::new(),
            sent if self.is_user(sent) => format!("Bearer {USER}"),
            _ => "Bearer unknown".to_owned(),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

async fn dispatch(
    state: &Arc<State>,
    parts: &Parts,
    body: RequestBody,
) -> Result<Response<Body>, Status> {
    let path = parts.uri.path();
    if matches!(path, "/healthz" | "/readyz" | "/livez") {
        return Ok(plain("ok"));
    }
    if !state.is_user(header(&parts.headers, &AUTHORIZATION)) {
        return Err(Status::unauthorized());
    }
    let call = Call {
        state,
        method: &parts.method,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        accept: header(&parts.headers, &ACCEPT),
        content_type: header(&parts.headers, &CONTENT_TYPE),
        user_agent: header(&parts.headers, &USER_AGENT),
        body: read(body, BODY, BODY_WAIT).await.map_err(refuse_unread)?,
    };
    if let Some(response) = discovery::respond(path, &call) {
        return response;
    }
    if let Some(response) = log::respond(path, &call) {
        return response;
    }
    let target = Target::parse(path).ok_or_else(Status::no_such_path)?;
    match target.name.clone() {
        None => collection::respond(&call, &target),
        Some(name) => item::respond(&call, &target, &name),
    }
}

fn refuse_unread(why: ReadError) -> Status {
    match why {
        ReadError::Late => Status::new(
            408,
            "Timeout",
            "the body of the request did not arrive in time",
        ),
        ReadError::TooLarge => Status::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {BODY}"),
        ),
        ReadError::Broken(error) => {
            Status::bad_request(format!("the body could not be read: {error}"))
        }
    }
}
