//! The way from a controller to the cluster, as bad as chance makes it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use kube::client::Body;
use tokio::time::sleep;
use tower::{BoxError, Service};
use windlass_sandbox::Cluster;

use super::weather::{Fate, Weather};

/// A response on its way.
type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// A way to the cluster.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) cluster: Arc<Cluster>,
    pub(super) weather: Arc<Weather>,
    /// Whose requests they are, for the trace.
    pub(super) whose: &'static str,
}

/// What an API server refuses such a request with when it is not well.
fn refusals(method: &Method) -> [StatusCode; 5] {
    [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::GATEWAY_TIMEOUT,
        match *method {
            Method::GET => StatusCode::GONE,
            _ => StatusCode::CONFLICT,
        },
    ]
}

impl Link {
    async fn carry(self, request: Request<Body>) -> Result<Answer, BoxError> {
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let asked = format!("{} {method} {}", self.whose, asked(&path));
        let mut chance = self.weather.chance_of(&asked);
        let fate = self.weather.fate(&refusals(&method), &mut chance);
        sleep(self.weather.delay(&mut chance)).await;
        let note = |end: &str| self.weather.note(&format!("{asked}: {end}"));
        match fate {
            Fate::Late(time) if method != Method::GET => {
                note("late");
                tokio::spawn(self.arrive_late(request, asked, time));
                return Err("the connection was reset".into());
            }
            Fate::Lost | Fate::Late(_) => {
                note("lost");
                return Err("the connection was reset".into());
            }
            Fate::Refused(status) => {
                note(status.as_str());
                return Ok(refused(status));
            }
            Fate::Arrives | Fate::Unanswered => {}
        }
        let answer = self.respond(request).await?;
        note(answer.status().as_str());
        if matches!(fate, Fate::Unanswered) {
            return Err("the connection was reset".into());
        }
        sleep(self.weather.delay(&mut chance)).await;
        let is_watch = path.contains("watch=1") || path.contains("watch=true");
        if is_watch {
            return Ok(answer.map(|body| self.flow(body, chance)));
        }
        Ok(answer)
    }

    async fn respond(&self, mut request: Request<Body>) -> Result<Answer, BoxError> {
        let token = format!("Bearer {}", self.cluster.token());
        let token = HeaderValue::try_from(token)?;
        request.headers_mut().insert(AUTHORIZATION, token);
        self.cluster.respond(request).await
    }

    /// A request arrives that was given up, whether or not the controller that made it still runs.
    async fn arrive_late(self, request: Request<Body>, asked: String, time: Duration) {
        sleep(time).await;
        let answer = self.respond(request).await.unwrap();
        let status = answer.status();
        self.weather.note(&format!("{asked}: late {status}"));
    }

    /// The events of a watch, each as late as chance makes it, until the watch ends.
    fn flow(
        self,
        body: UnsyncBoxBody<Bytes, BoxError>,
        mut chance: Rng,
    ) -> UnsyncBoxBody<Bytes, BoxError> {
        let end = Duration::from_micros(chance.u64(1_000_000..=60_000_000));
        let weather = Arc::clone(&self.weather);
        let frames = BodyStream::new(body).then(move |frame| {
            let delay = weather.delay(&mut chance);
            async move {
                sleep(delay).await;
                frame
            }
        });
        let weather = self.weather;
        let end = async move {
            sleep(end).await;
            if weather.is_calm() {
                std::future::pending::<()>().await;
            }
        };
        StreamBody::new(frames.take_until(end.boxed())).boxed_unsync()
    }
}

/// A path without what no seed decides: the version from which on it is asked for, since nobody can say
/// whether an event that comes when a watch ends counts, and the end of the name of an Event, which is made
/// of uids.
fn asked(path: &str) -> String {
    if let Some((before, name)) = path.split_once("/events/") {
        let run = name.split('.').next().unwrap_or_default();
        return format!("{before}/events/{run}");
    }
    let parts = path.split('&');
    let parts = parts.filter(|part| !part.starts_with("resourceVersion="));
    parts.collect::<Vec<_>>().join("&")
}

fn refused(status: StatusCode) -> Answer {
    let code = status.as_u16();
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not now","reason":"","code":{code}}}"#
    );
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response
}

impl Service<Request<Body>> for Link {
    type Response = Answer;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.clone().carry(request).boxed()
    }
}
