//! Pods of task runs: the state of their containers, and what those write to their logs.
//!
//! What a step writes is its author's choice. A line is read up to [`LINE`]; the rest of a longer one
//! comes as further lines.

use std::pin::Pin;

use bytes::{Buf as _, Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use kube::Client;
use memchr::memchr;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::call::{CALL_TIMEOUT, Call, CallError};
use super::cause;
use super::path::{ApiPath, Resource};

/// Longest line that is read in one piece.
const LINE: usize = 256 << 10;

/// A pod, as far as logs are concerned.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pod {
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    containers: Option<Vec<Named>>,
    init_containers: Option<Vec<Named>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: Option<String>,
    container_statuses: Option<Vec<ContainerStatus>>,
    init_container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerStatus {
    name: String,
    state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<IgnoredAny>,
    terminated: Option<IgnoredAny>,
}

/// How far a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It has written nothing yet.
    Waiting,
    /// It runs, or has run.
    Started,
}

impl Pod {
    /// Reads a pod.
    pub(crate) async fn read(
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Self, CallError> {
        let action = format!("read pod {namespace}/{name}");
        let body = Call::get(action, path(namespace, name))
            .send(client)
            .await?;
        // what is no pod has no containers
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The containers that run the steps and sidecars, in order.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &str> {
        names(self.spec.containers.as_deref())
    }

    /// The containers that Tekton runs before those.
    pub(crate) fn init_containers(&self) -> impl Iterator<Item = &str> {
        names(self.spec.init_containers.as_deref())
    }

    /// Whether nothing of it runs any more.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed"))
    }

    /// How far one of its containers is.
    pub(crate) fn progress(&self, container: &str) -> Progress {
        let Status {
            container_statuses: steps,
            init_container_statuses: inits,
            ..
        } = &self.status;
        let mut all = steps.iter().chain(inits).flatten();
        let state = all.find(|status| status.name == container);
        match state.map(|status| &status.state) {
            Some(state) if state.running.is_some() || state.terminated.is_some() => {
                Progress::Started
            }
            _ => Progress::Waiting,
        }
    }
}

fn names(containers: Option<&[Named]>) -> impl Iterator<Item = &str> {
    let containers = containers.unwrap_or_default().iter();
    containers.map(|container| container.name.as_str())
}

fn path(namespace: &str, name: &str) -> ApiPath {
    ApiPath::within(namespace, Resource::PODS).object(name)
}

/// What is read of a container's log.
#[derive(Debug, Clone)]
pub(crate) struct LogRequest<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) pod: &'a str,
    pub(crate) container: &'a str,
    /// Whether the response goes on with what is written later: `true` or nothing.
    pub(crate) follow: &'static str,
    /// The time of the first line, in RFC 3339; empty for all lines.
    pub(crate) since: &'a str,
}

/// The lines of a log, each with its time in front of it.
pub(crate) struct Log {
    action: String,
    chunks: Pin<Box<dyn Stream<Item = Result<Bytes, kube::Error>> + Send>>,
    rest: BytesMut,
    has_ended: bool,
}

impl Log {
    /// Opens the log of a container.
    pub(crate) async fn open(client: &Client, wanted: &LogRequest<'_>) -> Result<Self, CallError> {
        let LogRequest {
            namespace,
            pod,
            container,
            follow,
            since,
        } = wanted;
        let action = format!("read the log of container {container} of pod {namespace}/{pod}");
        let path = path(namespace, pod).part("log").query(&[
            ("container", container),
            ("follow", follow),
            ("timestamps", "true"),
            ("sinceTime", since),
        ]);
        let call = Call::get(action.clone(), path).accept("text/plain, */*");
        let opened = tokio::time::timeout(CALL_TIMEOUT, call.open(client)).await;
        let opened = opened.map_err(|_| CallError::TimedOut { action });
        let (action, response) = opened??;
        Ok(Self {
            action,
            chunks: Box::pin(response.into_body().into_data_stream()),
            rest: BytesMut::new(),
            has_ended: false,
        })
    }

    /// The next line, without its end; none at the end of the log.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            if let Some(end) = memchr(b'\n', &self.rest) {
                let line = self.rest.split_to(end).freeze();
                self.rest.advance(1);
                return Ok(Some(line));
            }
            if self.rest.len() >= LINE {
                return Ok(Some(self.rest.split_to(LINE).freeze()));
            }
            if self.has_ended {
                let line = self.rest.split().freeze();
                return Ok((!line.is_empty()).then_some(line));
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) => self.rest.extend_from_slice(&chunk),
                None => self.has_ended = true,
                Some(Err(error)) => {
                    return Err(CallError::Broken {
                        action: self.action.clone(),
                        cause: cause::of(&error),
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    async fn lines(chunks: &[&str]) -> Vec<String> {
        let owned: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from((*chunk).to_owned())))
            .collect();
        let mut log = Log {
            action: String::new(),
            chunks: Box::pin(stream::iter(owned)),
            rest: BytesMut::new(),
            has_ended: false,
        };
        let mut lines = Vec::new();
        while let Ok(Some(line)) = log.next().await {
            lines.push(String::from_utf8_lossy(&line).into_owned());
        }
        lines
    }

    #[tokio::test]
    async fn the_last_line_of_a_log_needs_no_end_and_a_long_one_comes_in_pieces() {
        assert_eq!(
            lines(&["a\n\nb", "c\nla", "st"]).await,
            ["a", "", "bc", "last"]
        );
        assert_eq!(lines(&[]).await, Vec::<String>::new());
        let long = "x".repeat(LINE + 10);
        let found = lines(&[&long, "\nend\n"]).await;
        let sizes: Vec<usize> = found.iter().map(String::len).collect();
        assert_eq!(sizes, [LINE, 10, 3]);
    }

    #[test]
    fn a_container_has_started_once_it_runs_or_has_run() {
        let pod: Pod = serde_json::from_str(
            r#"{"spec":{"containers":[{"name":"step-a"},{"name":"step-b"}],"initContainers":null},
                "status":{"phase":"Running","containerStatuses":[
                    {"name":"step-a","state":{"terminated":{"exitCode":1}}},
                    {"name":"step-b","state":{"waiting":{"reason":"PodInitializing"}}}]}}"#,
        )
        .unwrap();
        assert_eq!(pod.progress("step-a"), Progress::Started);
        assert_eq!(pod.progress("step-b"), Progress::Waiting);
        assert_eq!(pod.progress("step-c"), Progress::Waiting);
        assert_eq!(pod.containers().count(), 2);
        assert_eq!(pod.init_containers().count(), 0);
        assert!(!pod.is_done());
    }
}
