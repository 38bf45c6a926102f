//! The front door: the credential, the body, and who responds to the path.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, HeaderName};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use serde_json::json;

use crate::body::{Body, RequestBody, Unread, drain, read};
use crate::exchange::Server;
use crate::fault::reply::status;
use crate::query::Query;
use crate::traffic::Traffic;

use super::answer::{Answer, Refusal, code_of};
use super::auth::actor::Actor;
use super::auth::{self, token};
use super::call::Call;
use super::quirk::Quirk;
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
    ) -> Response<Body> {
        let mut immutable_tags = self.options.immutable_tags;
        match quirk {
            Some(Quirk::ImmutableTag(status)) => immutable_tags = Some(*status),
            Some(Quirk::ExpiredToken) => auth::expire(self, &parts.headers),
            _ => {}
        }
        let answer = dispatch(self, parts, body, immutable_tags.map(status)).await;
        let mut answer = answer.unwrap_or_else(Answer::from);
        if quirk == Some(&Quirk::LocationWithQuery) {
            location::with_query(&mut answer, self);
        }
        answer.with(VERSION, "registry/2.0").into()
    }

    fn failure(&self, status: StatusCode) -> Response<Body> {
        let message = "the test asked for this failure";
        let refusal = Refusal::new(status, code_of(status), message);
        Answer::from(refusal).with(VERSION, "registry/2.0").into()
    }

    fn credential(&self, headers: &HeaderMap) -> String {
        auth::shown(self, headers)
    }
}

async fn dispatch(
    state: &State,
    parts: &Parts,
    body: RequestBody,
    immutable_tags: Option<StatusCode>,
) -> Result<Answer, Refusal> {
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
    let body = body.map_err(|why| unread(why, limit))?;
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

fn respond(call: &Call<'_>, route: &Route) -> Result<Answer, Refusal> {
    match route {
        Route::Base => lists::only_get(call).map(|()| Answer::json(StatusCode::OK, &json!({}))),
        Route::Token => token::answer(
            call.state,
            call.method,
            call.headers,
            &call.query,
            &call.body,
        ),
        Route::Catalog => lists::catalog(call),
        Route::In(name, Place::Tags) => lists::tags(call, name),
        Route::In(name, Place::Uploads) => uploads::start(call, name),
        Route::In(name, Place::Upload(id)) => uploads::go_on(call, name, id),
        Route::In(name, Place::Blob(digest)) => blobs::answer(call, name, digest),
        Route::In(name, Place::Manifest(reference)) => manifests::answer(call, name, reference),
        Route::In(name, Place::Referrers(digest)) => referrers::answer(call, name, digest),
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

fn unread(why: Unread, limit: usize) -> Refusal {
    match why {
        Unread::Late => Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "UNKNOWN",
            "the body of the request did not arrive in time",
        ),
        Unread::TooLarge => uploads::too_large(limit),
        Unread::Broken(error) => Refusal::bad(
            "SIZE_INVALID",
            format!("the body could not be read: {error}"),
        ),
    }
}
