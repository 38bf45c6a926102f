//! The way from a controller to the cluster, as bad as chance makes it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
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
use tokio::time::{Instant, sleep};
use tower::{BoxError, Service};
use windlass_sandbox::Cluster;

/// A response on its way.
type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// What is common to all links of a world.
pub(super) struct Weather {
    seed: u64,
    /// How often each request was made.
    made: Mutex<HashMap<String, u64>>,
    /// Nothing goes wrong any more.
    is_calm: AtomicBool,
    begun: Instant,
    trace: Mutex<Vec<Noted>>,
}

/// When something happened, and what.
pub(super) type Noted = (Duration, String);

/// What happens to one request.
enum Fate {
    Arrives,
    Refused(StatusCode),
    /// Nobody sees it.
    Lost,
    /// It is carried out, and its answer does not come.
    Unanswered,
}

/// A way to the cluster.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) cluster: Arc<Cluster>,
    pub(super) weather: Arc<Weather>,
    /// Whose requests they are, for the trace.
    pub(super) whose: &'static str,
}

impl Weather {
    pub(super) fn of(seed: u64) -> Self {
        Self {
            seed,
            made: Mutex::default(),
            is_calm: AtomicBool::new(false),
            begun: Instant::now(),
            trace: Mutex::default(),
        }
    }

    pub(super) fn calm_down(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    pub(super) fn trace(&self) -> Vec<Noted> {
        self.trace.lock().unwrap().clone()
    }

    pub(super) fn note(&self, what: &str) {
        let at = self.begun.elapsed();
        self.trace.lock().unwrap().push((at, what.to_owned()));
    }

    fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// The chance of one request. It depends on the request and on how often it was made, not on what
    /// else is going on, so that the same seed plays the same world.
    fn chance_of(&self, request: &str) -> Rng {
        let mut made = self.made.lock().unwrap();
        let times = made.entry(request.to_owned()).or_default();
        *times += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, request, *times).hash(&mut hasher);
        Rng::with_seed(hasher.finish())
    }

    /// How long something takes: mostly little, at times so long that it is given up.
    fn delay(&self, chance: &mut Rng) -> Duration {
        if self.is_calm() {
            return Duration::from_millis(1);
        }
        let most = match chance.u8(..) {
            0..=1 => 90_000,
            2..=25 => 5_000,
            _ => 100,
        };
        Duration::from_micros(chance.u64(1..=most * 1_000))
    }

    fn fate(&self, method: &Method, chance: &mut Rng) -> Fate {
        if self.is_calm() {
            return Fate::Arrives;
        }
        match chance.u8(..) {
            0..=12 => Fate::Lost,
            13..=25 => Fate::Unanswered,
            26..=38 => Fate::Refused(refusal(method, chance)),
            _ => Fate::Arrives,
        }
    }
}

/// What an API server refuses such a request with when it is not well.
fn refusal(method: &Method, chance: &mut Rng) -> StatusCode {
    let common = [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    let own = match *method {
        Method::GET => StatusCode::GONE,
        _ => StatusCode::CONFLICT,
    };
    let all = [&common[..], &[own]].concat();
    all[chance.usize(..all.len())]
}

impl Link {
    async fn carry(self, mut request: Request<Body>) -> Result<Answer, BoxError> {
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let mut chance =
            self.weather
                .chance_of(&format!("{} {method} {}", self.whose, asked(&path)));
        let fate = self.weather.fate(&method, &mut chance);
        sleep(self.weather.delay(&mut chance)).await;
        let note = |end: &str| {
            let whose = self.whose;
            self.weather
                .note(&format!("{whose} {method} {path}: {end}"));
        };
        match fate {
            Fate::Lost => {
                note("lost");
                return Err("the connection was reset".into());
            }
            Fate::Refused(status) => {
                note(status.as_str());
                return Ok(refused(status));
            }
            Fate::Arrives | Fate::Unanswered => {}
        }
        let token = format!("Bearer {}", self.cluster.token());
        let token = HeaderValue::try_from(token)?;
        request.headers_mut().insert(AUTHORIZATION, token);
        let answer = self.cluster.respond(request).await;
        let answer = answer?;
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

/// A path without the version from which on it is asked for.
fn asked(path: &str) -> String {
    let parts = path
        .split('&')
        .filter(|part| !part.starts_with("resourceVersion="));
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
