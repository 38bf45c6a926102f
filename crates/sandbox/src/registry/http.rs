//! The front door: the credential, the body, and who responds to the path.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, HeaderName};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::body::{Body, ReadError, RequestBody, drain, read};
use crate::exchange::Server;
use crate::fault::reply::status;
use crate::query::Query;
use crate::traffic::Traffic;

use super::auth::actor::Actor;
use super::auth::{self, token};
use super::call::Call;
use super::quirk::Quirk;
use super::response::{Refusal, Response, code_of};
use super::route::{Place, Route};
use super::state::State;
use super::{blobs, lists, location, manifests, referrers, uploads};

/// Longest wait for a request's body.
const BODY_WAIT: Duration = Duration::from_secs(300);
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

impl Server for State {
    type Quirk = Quirk;

    fn traffic(&self) -> &Traffic<Quirk> {
        &self.traffic
    }

    async fn respond(
        self: &Arc<Self>,
        parts: &Parts,
        body: RequestBody,
        quirk: Option<&Quirk>,
    ) -> http::Response<Body> {
        let mut immutable_tags = self.options.immutable_tags;
        match quirk {
            Some(Quirk::ImmutableTag(status)) => immutable_tags = Some(*status),
            Some(Quirk::ExpiredToken) => auth::expire(self, &parts.headers),
            _ => {}
        }
        let response = dispatch(self, parts, body, immutable_tags.map(status)).await;
        let mut response = response.unwrap_or_else(Response::from);
        if quirk == Some(&Quirk::LocationWithQuery) {
            location::with_query(&mut response, self);
        }
        response.with(VERSION, "registry/2.0").into()
    }

    fn refusal(&self, status: StatusCode, message: &str) -> http::Response<Body> {
        let refusal = Refusal::new(status, code_of(status), message);
        Response::from(refusal).with(VERSION, "registry/2.0").into()
    }

    fn credential(&self, headers: &HeaderMap) -> String {
        auth::describe(self, headers)
    }
}

async fn dispatch(
    state: &State,
    parts: &Parts,
    body: RequestBody,
    immutable_tags: Option<StatusCode>,
) -> Result<Response, Refusal> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let origin = origin(state, parts);
    let (route, actor) = match admit(state, parts, &query, &origin) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            drain(body).await;
            return Err(refusal);
        }
    };
    let limit = limit(state, &route);
    let body = read(body, limit, BODY_WAIT).await;
    let body = body.map_err(|why| refuse_unread(why, limit))?;
    let call = Call {
        state,
        method: &parts.method,
        headers: &parts.headers,
        query,
        actor,
        origin,
        immutable_tags,
        body,
    };
    respond(&call, &route)
}

fn admit(
    state: &State,
    parts: &Parts,
    query: &Query,
    origin: &str,
) -> Result<(Route, Actor), Refusal> {
    let route = Route::parse(parts.uri.path())?;
    if route == Route::Token {
        return Ok((route, Actor::Anyone));
    }
    let actor = auth::admit(state, &parts.headers, &route, &parts.method, query, origin)?;
    Ok((route, actor))
}

fn respond(call: &Call<'_>, route: &Route) -> Result<Response, Refusal> {
    match route {
        Route::Base => lists::only_get(call).map(|()| Response::json(StatusCode::OK, &json!({}))),
        Route::Token => token::respond(
            call.state,
            call.method,
            call.headers,
            &call.query,
            &call.body,
        ),
        Route::Catalog => lists::catalog(call),
        Route::In(name, Place::Tags) => lists::tags(call, name),
        Route::In(name, Place::Uploads) => uploads::start(call, name),
        Route::In(name, Place::Upload(id)) => uploads::resume(call, name, id),
        Route::In(name, Place::Blob(digest)) => blobs::respond(call, name, digest),
        Route::In(name, Place::Manifest(reference)) => manifests::respond(call, name, reference),
        Route::In(name, Place::Referrers(digest)) => referrers::respond(call, name, digest),
    }
}

/// Scheme and host by which the client knows the registry.
fn origin(state: &State, parts: &Parts) -> String {
    let scheme = state.scheme;
    if let Some(host) = parts.headers.get(HOST).and_then(|host| host.to_str().ok()) {
        return format!("{scheme}://{host}");
    }
    match parts.uri.authority() {
        Some(authority) => format!("{scheme}://{authority}"),
        None => format!("{scheme}://{}", state.address),
    }
}

fn limit(state: &State, route: &Route) -> usize {
    match route {
        Route::In(_, Place::Manifest(_)) => manifests::LIMIT,
        Route::In(_, Place::Uploads | Place::Upload(_)) => state.options.blob_limit,
        _ => 64 << 10,
    }
}

fn refuse_unread(why: ReadError, limit: usize) -> Refusal {
    match why {
        ReadError::Late => Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "UNKNOWN",
            "the body of the request did not arrive in time",
        ),
        ReadError::TooLarge => uploads::too_large(limit),
        ReadError::Broken(error) => Refusal::bad(
            "SIZE_INVALID",
            format!("the body could not be read: {error}"),
        ),
    }
}
