//! One request from its headers to its answer: faults, the credential, the body, the place.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, LOCATION, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio_util::sync::CancellationToken;

use crate::query::Query;

use super::answer::{Answer, Refusal};
use super::auth::{Action, Actor};
use super::body::{self, Body};
use super::fault::{self, Fault, FaultAnswer};
use super::options::Options;
use super::route::{Place, Route};
use super::store::Store;
use super::{blobs, lists, location, manifests, referrers, uploads};

/// Longest wait for a request's body.
const BODY_WAIT: Duration = Duration::from_secs(300);
const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// A request the registry has answered. Holds no password and no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Method in capitals.
    pub method: String,
    /// Path as sent, without the query.
    pub path: String,
    /// Query as sent, without the question mark; empty if there was none.
    pub query: String,
    /// Whose credential came along: `Basic` and the user's name, or `Bearer` and the number of the
    /// token (see [`crate::registry::Registry::issue`]); empty if there was none.
    pub authorization: String,
    /// `Content-Type` header; empty if there was none.
    pub content_type: String,
    /// `User-Agent` header; empty if there was none.
    pub user_agent: String,
    /// Status code answered; 0 if a fault left the request without an answer.
    pub status: u16,
}

/// The connection is to be closed without the rest of the answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose, by a fault")]
pub(crate) struct Reset;

/// What requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub options: Options,
    pub address: SocketAddr,
    pub scheme: &'static str,
    pub stop: CancellationToken,
    store: Arc<Mutex<Store>>,
    requests: Mutex<VecDeque<SeenRequest>>,
    faults: Mutex<Vec<Fault>>,
}

impl State {
    pub(crate) fn new(
        options: Options,
        address: SocketAddr,
        scheme: &'static str,
        store: Arc<Mutex<Store>>,
    ) -> Self {
        Self {
            options,
            address,
            scheme,
            stop: CancellationToken::new(),
            store,
            requests: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shared_store(&self) -> Arc<Mutex<Store>> {
        Arc::clone(&self.store)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, VecDeque<SeenRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, parts: &Parts, status: u16) {
        let request = SeenRequest {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization: String::new(),
            content_type: header(&parts.headers, &CONTENT_TYPE).to_owned(),
            user_agent: header(&parts.headers, &USER_AGENT).to_owned(),
            status,
        };
        let mut requests = self.requests();
        while requests.len() >= self.options.request_log.max(1) {
            requests.pop_front();
        }
        requests.push_back(request);
    }
}

/// A request with its body read.
pub(crate) struct Call<'a> {
    pub state: &'a State,
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    pub query: Query,
    pub actor: Actor,
    /// Scheme and host as the client sees them.
    pub origin: String,
    /// The status that refuses to move a tag.
    pub immutable_tags: Option<StatusCode>,
    pub body: Bytes,
}

impl Call<'_> {
    pub(crate) fn header(&self, name: &HeaderName) -> &str {
        header(self.headers, name)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
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
    let query = parts.uri.query().unwrap_or_default();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let fault = fault::take(&mut state.faults(), method, path, query);
    if matches!(fault, Some(FaultAnswer::Hang)) {
        state.remember(&parts, 0);
        state.stop.cancelled().await;
        return Err(Reset);
    }
    let answer = decide(&state, &parts, body, fault.as_ref()).await;
    let status = answer.as_ref().map_or(0, |answer| answer.status.as_u16());
    state.remember(&parts, status);
    let answer = answer?.with(VERSION, "registry/2.0");
    if parts.method == Method::HEAD {
        return Ok(body::send(answer.without_body(), None));
    }
    Ok(body::send(answer, fault.as_ref()))
}

/// The answer with what the fault does to it, before or after the request is carried out.
async fn decide<B>(
    state: &State,
    parts: &Parts,
    body: B,
    fault: Option<&FaultAnswer>,
) -> Result<Answer, Reset>
where
    B: hyper::body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match fault {
        Some(FaultAnswer::Reset) => return Err(Reset),
        Some(FaultAnswer::Status(reply)) => return Ok(reply.clone().answer()),
        Some(FaultAnswer::Redirect { status, to }) => {
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            return Ok(redirect(*status, &format!("{to}{path}")));
        }
        Some(FaultAnswer::RedirectTo(address)) => return Ok(redirect(307, address)),
        Some(FaultAnswer::Pause(gate)) => gate.pass(&state.stop).await,
        _ => {}
    }
    let immutable = match fault {
        Some(FaultAnswer::ImmutableTag(status)) => Some(*status),
        _ => state.options.immutable_tags,
    };
    let answer = carry_out(state, parts, body, immutable.map(fault::status)).await;
    let mut answer = answer.unwrap_or_else(Answer::from);
    match fault {
        Some(FaultAnswer::StatusAfterwards(reply)) => return Ok(reply.clone().answer()),
        Some(FaultAnswer::ResetAfterwards) => return Err(Reset),
        Some(FaultAnswer::PauseAfterwards(gate)) => gate.pass(&state.stop).await,
        Some(FaultAnswer::WithoutHeader(name)) => drop(answer.headers.remove(name)),
        Some(FaultAnswer::Header(name, value)) => answer = answer.with(name.clone(), value),
        Some(FaultAnswer::RelativeLocation) => location::relative(&mut answer),
        Some(FaultAnswer::LocationAt(base)) => location::at(&mut answer, base),
        Some(FaultAnswer::LocationWithQuery) => location::with_query(&mut answer, state),
        _ => {}
    }
    Ok(answer)
}

fn redirect(status: u16, to: &str) -> Answer {
    Answer::empty(fault::status(status)).with(LOCATION, to)
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
    let route = Route::parse(parts.uri.path())?;
    let limit = limit(state, &route);
    let call = Call {
        state,
        method: &parts.method,
        headers: &parts.headers,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        actor: Actor,
        origin: origin(state, parts),
        immutable_tags,
        body: read(body, limit).await?,
    };
    match &route {
        Route::Base => lists::only_get(&call).map(|()| {
            Answer::json(
                StatusCode::OK,
                &serde_json::Value::Object(serde_json::Map::new()),
            )
        }),
        Route::Token => Err(Refusal::unknown(
            "UNSUPPORTED",
            "there is nothing at this path",
        )),
        Route::Catalog => lists::catalog(&call),
        Route::In(name, Place::Tags) => lists::tags(&call, name),
        Route::In(name, Place::Uploads) => uploads::start(&call, name),
        Route::In(name, Place::Upload(id)) => uploads::go_on(&call, name, id),
        Route::In(name, Place::Blob(digest)) => blobs::answer(&call, name, digest),
        Route::In(name, Place::Manifest(reference)) => manifests::answer(&call, name, reference),
        Route::In(name, Place::Referrers(digest)) => referrers::answer(&call, name, digest),
    }
}

/// What a request does, judged by its place and method.
#[expect(dead_code)]
fn action(place: &Place, method: &Method) -> Action {
    match (place, method) {
        // An upload is cancelled by those who may begin one.
        (Place::Uploads | Place::Upload(_), _) => Action::Push,
        (_, &Method::DELETE) => Action::Delete,
        (_, &Method::GET | &Method::HEAD) => Action::Pull,
        _ => Action::Push,
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
