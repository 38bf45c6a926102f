//! One request from its headers to its answer: faults, the credential, the body, the place.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderName, LOCATION};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::body::{Body, Cut};
use crate::query::Query;
use crate::serve::Service;

use super::answer::{self, Answer, Refusal};
use super::auth::actor::Actor;
use super::auth::{self, token};
use super::body;
use super::call::Call;
use super::fault::{self, FaultAnswer};
use super::route::{Place, Route};
use super::state::State;
use super::{blobs, lists, location, manifests, referrers, uploads};

/// Longest wait for a request's body.
const BODY_WAIT: Duration = Duration::from_secs(300);
/// Most bytes read of a request that is refused anyway.
const DRAINED: usize = 256 << 10;
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

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
    let query = parts.uri.query().unwrap_or_default();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let fault = fault::take(&mut state.faults(), method, path, query);
    if matches!(fault, Some(FaultAnswer::Hang)) {
        remember(&state, &parts, 0);
        state.stop.cancelled().await;
        return Err(Cut::Close);
    }
    let answer = decide(&state, &parts, body, fault.as_ref()).await;
    let status = answer.as_ref().map_or(0, |answer| answer.status.as_u16());
    remember(&state, &parts, status);
    let answer = answer?.with(VERSION, "registry/2.0");
    if parts.method == Method::HEAD {
        return Ok(body::send(answer.without_body(), None));
    }
    Ok(body::send(answer, fault.as_ref()))
}

fn remember(state: &State, parts: &Parts, status: u16) {
    state.remember(parts, auth::shown(state, &parts.headers), status);
}

/// The answer with what the fault does to it, before or after the request is carried out.
async fn decide<B>(
    state: &State,
    parts: &Parts,
    body: B,
    fault: Option<&FaultAnswer>,
) -> Result<Answer, Cut>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match fault {
        Some(FaultAnswer::Reset) => return Err(Cut::Reset),
        Some(FaultAnswer::Close) => return Err(Cut::Close),
        Some(FaultAnswer::Pause(gate)) => gate.pass(&state.stop).await,
        Some(FaultAnswer::ExpiredToken) => auth::expire(state, &parts.headers),
        _ => {}
    }
    if let Some(answer) = fault.and_then(|fault| instead(parts, fault)) {
        drain(body).await;
        return Ok(answer);
    }
    let immutable = match fault {
        Some(FaultAnswer::ImmutableTag(status)) => Some(*status),
        _ => state.options.immutable_tags,
    };
    let answer = carry_out(state, parts, body, immutable.map(answer::status)).await;
    let answer = answer.unwrap_or_else(Answer::from);
    match fault {
        Some(fault) => afterwards(state, answer, fault).await,
        None => Ok(answer),
    }
}

/// What a fault answers instead of the request being carried out.
fn instead(parts: &Parts, fault: &FaultAnswer) -> Option<Answer> {
    match fault {
        FaultAnswer::Status(reply) => Some(reply.clone().answer()),
        FaultAnswer::Redirect { status, to } => {
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            Some(redirect(*status, &format!("{to}{path}")))
        }
        FaultAnswer::RedirectTo(address) => Some(redirect(307, address)),
        _ => None,
    }
}

/// What a fault makes of the answer to a request that was carried out.
async fn afterwards(state: &State, mut answer: Answer, fault: &FaultAnswer) -> Result<Answer, Cut> {
    match fault {
        FaultAnswer::StatusAfterwards(reply) => return Ok(reply.clone().answer()),
        FaultAnswer::ResetAfterwards => return Err(Cut::Reset),
        FaultAnswer::PauseAfterwards(gate) => gate.pass(&state.stop).await,
        FaultAnswer::WithoutHeader(name) => drop(answer.headers.remove(name)),
        FaultAnswer::Header(name, value) => answer = answer.with(name.clone(), value),
        FaultAnswer::RelativeLocation => location::relative(&mut answer),
        FaultAnswer::LocationAt(base) => location::at(&mut answer, base),
        FaultAnswer::LocationWithQuery => location::with_query(&mut answer, state),
        _ => {}
    }
    Ok(answer)
}

fn redirect(status: u16, to: &str) -> Answer {
    Answer::empty(answer::status(status)).with(LOCATION, to)
}

async fn carry_out<B>(
    state: &State,
    parts: &Parts,
    body: B,
    immutable_tags: Option<StatusCode>,
) -> Result<Answer, Refusal>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let origin = origin(state, parts);
    let (route, actor) = match admit(state, parts, &query, &origin) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            drain(body).await;
            return Err(refusal);
        }
    };
    let body = read(body, limit(state, &route)).await?;
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

/// Takes the rest of a small request in, so that the connection stays usable.
async fn drain<B>(body: B)
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if let Err(refusal) = read(body, DRAINED).await {
        tracing::debug!(refusal.message, "a refused request was not read to its end");
    }
}

async fn read<B>(body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = Box::pin(Limited::new(body, limit).collect());
    let Ok(collected) = tokio::time::timeout(BODY_WAIT, body).await else {
        let message = "the body of the request did not arrive in time";
        return Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "UNKNOWN",
            message,
        ));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(uploads::too_large(limit)),
        Err(error) => Err(Refusal::bad(
            "SIZE_INVALID",
            format!("the body could not be read: {error}"),
        )),
    }
}
