//! One request and its response, as every server of the sandbox has them: the log, the faults, and
//! between them the server's own work.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;

use crate::body::{
    Body, BoxBody, BoxError, Cut, RequestBody, drain, received, stating_length, whole,
};
use crate::fault::FaultAnswer;
use crate::names::Misdirected;
use crate::request_log::SeenRequest;
use crate::traffic::Traffic;

/// What is each server's own.
pub(crate) trait Server: Send + Sync + 'static {
    /// What only this kind of server does wrong.
    type Quirk: Clone + Send + Sync;

    fn traffic(&self) -> &Traffic<Self::Quirk>;

    /// The response to a request; a refusal is one.
    fn respond(
        self: &Arc<Self>,
        parts: &Parts,
        body: RequestBody,
        quirk: Option<&Self::Quirk>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// A refusal in the words of the server's protocol.
    fn refusal(&self, status: StatusCode, message: &str) -> Response<Body>;

    /// The owner of the request's credential, for the log: no password, no token.
    fn credential(&self, headers: &HeaderMap) -> String;
}

/// Responds to one request, or cuts its connection, and takes it into the log.
pub(crate) async fn exchange<S, B>(
    server: Arc<S>,
    request: Request<B>,
) -> Result<Response<Body>, Cut>
where
    S: Server,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let body = received(body);
    let traffic = server.traffic();
    let remember = |status| {
        let credential = server.credential(&parts.headers);
        traffic
            .log
            .push(SeenRequest::of(&parts, credential, status));
    };
    let fault = traffic.fault(&parts);
    if matches!(fault, Some(FaultAnswer::Hang)) {
        remember(0);
        traffic.stop.cancelled().await;
        return Err(Cut::Close);
    }
    let response = respond(&server, &parts, body, fault.as_ref()).await;
    remember(
        response
            .as_ref()
            .map_or(0, |response| response.status().as_u16()),
    );
    let response = response?;
    match fault {
        _ if parts.method == Method::HEAD => Ok(without_body(response)),
        Some(fault) => Ok(fault.distort(response).await),
        None => Ok(response),
    }
}

/// The same over no connection.
pub(crate) async fn exchange_unconnected<S, B>(
    server: Arc<S>,
    request: Request<B>,
) -> Result<Response<BoxBody>, BoxError>
where
    S: Server,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let response = exchange(server, request).await?;
    Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
}

/// Refuses a request that does not mean the server, and takes it into the log.
pub(crate) async fn turn_away<S, B>(
    server: &Arc<S>,
    parts: &Parts,
    body: B,
    why: &Misdirected,
) -> Response<Body>
where
    S: Server,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    drain(received(body)).await;
    let credential = server.credential(&parts.headers);
    let seen = SeenRequest::of(parts, credential, why.status.as_u16());
    server.traffic().log.push(seen);
    let response = server.refusal(why.status, &why.message);
    if parts.method == Method::HEAD {
        return without_body(response);
    }
    response
}

/// The response with what the fault does to it, before or after the request takes effect.
async fn respond<S: Server>(
    server: &Arc<S>,
    parts: &Parts,
    body: RequestBody,
    fault: Option<&FaultAnswer<S::Quirk>>,
) -> Result<Response<Body>, Cut> {
    let Some(fault) = fault else {
        return Ok(server.respond(parts, body, None).await);
    };
    let stop = &server.traffic().stop;
    let failure = |status| server.refusal(status, "the test asked for this failure");
    if let Some(response) = fault.before(parts, stop, failure).await? {
        drain(body).await;
        return Ok(response);
    }
    let response = server.respond(parts, body, fault.quirk()).await;
    fault.after(response, stop, failure).await
}

/// The same as a response to `HEAD`: the length stays, the body goes.
fn without_body(response: Response<Body>) -> Response<Body> {
    stating_length(response).map(|_| whole(""))
}
