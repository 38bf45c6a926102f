//! The logs of pods: `GET /api/v1/namespaces/NAMESPACE/pods/POD/log`, as text, once or as it comes.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch::Receiver;

use super::call::Call;
use super::response::typed;
use crate::body::{Body, Cut};
use crate::cluster::kind::KINDS;
use crate::cluster::pod_log::{ContainerKey, Excerpt, Line};
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::Key;

const MEDIA: &str = "text/plain; charset=utf-8";

/// How lines are chosen and shown.
#[derive(Debug, Clone)]
struct Wanted {
    timestamps: bool,
    since: Option<Timestamp>,
    last: Option<usize>,
    bytes: usize,
}

/// Responds if the path is that of a log.
pub(super) fn respond(path: &str, call: &Call<'_>) -> Option<Result<Response<Body>, Status>> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["api", "v1", "namespaces", namespace, "pods", pod, "log"] => {
            Some(log(call, namespace, pod))
        }
        _ => None,
    }
}

fn log(call: &Call<'_>, namespace: &str, pod: &str) -> Result<Response<Body>, Status> {
    if *call.method != Method::GET {
        return Err(Status::method_not_allowed());
    }
    let found = call.state.store().get(&Key::new("pods", namespace, pod));
    let Some(found) = found else {
        let pods = KINDS.iter().find(|kind| kind.storage == "pods");
        return Err(pods.map_or_else(Status::no_such_path, |kind| Status::not_found(kind, pod)));
    };
    let container = container(&found, pod, call.query.get("container"))?;
    if call.query.flag("previous") {
        return Err(Status::bad_request(format!(
            "previous terminated container \"{container}\" in pod \"{pod}\" not found"
        )));
    }
    let key = ContainerKey {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container,
    };
    let wanted = Wanted::of(call)?;
    let newest = call.state.logs.subscribe();
    let found = call.state.logs.read(&key, 0);
    if call.query.flag("follow") {
        return Ok(follow(call.state, key, wanted, found, newest));
    }
    let mut text = wanted.show(wanted.chosen(found.lines));
    text.truncate(wanted.bytes);
    Ok(typed(200, MEDIA, text))
}

/// The container that is meant: the only one unless one is named.
fn container(pod: &Value, name: &str, asked: Option<&str>) -> Result<String, Status> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let names: Vec<&str> = containers.filter_map(|one| one["name"].as_str()).collect();
    match (asked, names.as_slice()) {
        (Some(asked), _) if names.contains(&asked) => Ok(asked.to_owned()),
        (Some(asked), _) => Err(Status::bad_request(format!(
            "container {asked} is not valid for pod {name}"
        ))),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Err(Status::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            names.join(" ")
        ))),
    }
}

impl Wanted {
    fn of(call: &Call<'_>) -> Result<Self, Status> {
        let since = call.query.get("sinceTime").map(str::parse::<Timestamp>);
        let since = since
            .transpose()
            .map_err(|_| Status::bad_request("Invalid value for sinceTime: it is not a time"))?;
        let seconds = call.query.number("sinceSeconds");
        let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
        let ago = seconds.and_then(|seconds| {
            let ago = SignedDuration::from_secs(seconds);
            Timestamp::now().checked_sub(ago).ok()
        });
        let size = |name| {
            call.query
                .number(name)
                .and_then(|size| usize::try_from(size).ok())
        };
        Ok(Self {
            timestamps: call.query.flag("timestamps"),
            since: since.or(ago),
            last: size("tailLines"),
            bytes: size("limitBytes").unwrap_or(usize::MAX),
        })
    }

    /// The lines that are asked for.
    fn chosen(&self, mut lines: Vec<Line>) -> Vec<Line> {
        if let Some(since) = self.since {
            lines.retain(|line| line.time >= since);
        }
        let cut = self.last.map_or(0, |last| lines.len().saturating_sub(last));
        lines.split_off(cut)
    }

    fn show(&self, lines: Vec<Line>) -> Vec<u8> {
        let mut text = Vec::new();
        for line in lines {
            if self.timestamps {
                text.extend_from_slice(line.time.to_string().as_bytes());
                text.push(b' ');
            }
            text.extend_from_slice(line.text.as_bytes());
            text.push(b'\n');
        }
        text
    }
}

/// A log that is sent as it is written.
struct Following {
    state: Arc<State>,
    key: ContainerKey,
    wanted: Wanted,
    newest: Receiver<()>,
    next: u64,
    queued: Option<Bytes>,
    ended: bool,
}

fn follow(
    state: &Arc<State>,
    key: ContainerKey,
    wanted: Wanted,
    found: Excerpt,
    newest: Receiver<()>,
) -> Response<Body> {
    let first = wanted.show(wanted.chosen(found.lines));
    let following = Following {
        state: Arc::clone(state),
        key,
        wanted,
        newest,
        next: found.next,
        queued: Some(first.into()),
        ended: found.ended,
    };
    let frames = stream::unfold(following, |mut following| async move {
        let chunk = following.next_chunk().await?;
        Some((Ok::<_, Cut>(Frame::data(chunk)), following))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let media = HeaderValue::from_static(MEDIA);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

impl Following {
    /// Whether the pod is done or gone, so that nothing more can come.
    fn is_over(&self) -> bool {
        let key = Key::new("pods", &self.key.namespace, &self.key.pod);
        let pod = self.state.store().get(&key);
        pod.is_none_or(|pod| {
            let phase = pod["status"]["phase"].as_str();
            matches!(phase, Some("Succeeded" | "Failed"))
        })
    }

    async fn next_chunk(&mut self) -> Option<Bytes> {
        loop {
            let queued = self.queued.take().filter(|chunk| !chunk.is_empty());
            if let Some(mut chunk) = queued {
                chunk.truncate(self.wanted.bytes);
                self.wanted.bytes -= chunk.len();
                return Some(chunk).filter(|chunk| !chunk.is_empty());
            }
            if self.ended {
                return None;
            }
            let stop = self.state.traffic.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return None,
                changed = self.newest.changed() => changed.ok()?,
            }
            let found = self.state.logs.read(&self.key, self.next);
            self.next = found.next;
            self.ended = found.ended || self.is_over();
            self.queued = Some(self.wanted.show(found.lines).into());
        }
    }
}
