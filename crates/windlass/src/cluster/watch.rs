//! A list in pages followed by a watch, as long as the controller runs.
//!
//! It stores nothing: it passes each object on as the bytes that the API server sent. After a lost,
//! refused or expired watch it lists again, with growing pauses, so that no change is missed and a
//! failing server is not overloaded. `kube::runtime::watcher` would decode every object and buffer
//! lists.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc};
use windlass_core::error::Chain;
use windlass_core::json::Flaw;

use self::lines::{Line, Lines};
use super::call::{CallError, OBJECT_LIMIT};
use super::list::{List, Listed, TooLarge};
pub(crate) use super::list::{ListError, Source};
use super::peek::Identity;

mod lines;
#[cfg(test)]
mod tests;

/// How long the API server is asked to keep a watch open.
const WATCH_SECONDS: u64 = 290;
/// How long a watch may stay silent, a little longer than it may stay open.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 40);
/// Largest watch event that is read: an object and what is around it.
const EVENT_LIMIT: usize = OBJECT_LIMIT + 1024;
/// Bytes of a list that are read before they are taken in, or one object.
const READ_AHEAD: usize = 4 << 20;
/// Events in a row that are passed over because they cannot be read. More than that is no watch.
const UNREADABLE: usize = 100;
/// Shortest and longest pause after a watch that was lost.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// A watch that lasted this long was well, and the next pause is a short one again.
const STEADY: Duration = Duration::from_secs(60);

/// Something that was learnt about the objects of a source.
#[derive(Debug)]
pub(crate) enum Change {
    /// The object exists and looks like this.
    Seen(Bytes),
    /// The object was deleted; this is its last state.
    Gone(Bytes),
    /// Everything that existed when the list began was handed on.
    Synced,
    /// An object was passed over, for this reason.
    Skipped(String),
    /// The list or watch failed, and another list has begun or soon begins.
    Lost(String),
}

/// Who is told.
pub(crate) trait Sink {
    /// Takes a change in; nothing more is read until it has.
    fn take(&mut self, change: Change) -> impl Future<Output = ()> + Send;

    /// Which objects the next watch has to show, as a `shardSelector` of Kubernetes; empty for all. It
    /// may be ignored.
    fn shard_selector(&self) -> String {
        String::new()
    }
}

/// Why a list or watch ended.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the watch of {what} sent something that is not an event")]
    Malformed { what: String, source: Flaw },
    #[error("the watch of {what} was interrupted")]
    Broken { what: String, source: kube::Error },
    #[error("the watch of {what} was silent for {} s", SILENCE.as_secs())]
    Silent { what: String },
    #[error("the API server ended the watch of {what}: {message} (code {code})")]
    Ended {
        what: String,
        code: u16,
        message: String,
    },
}

/// Follows a source until the future is dropped.
pub(crate) async fn follow(
    client: &Client,
    source: &Source,
    mut sink: impl Sink,
) -> std::convert::Infallible {
    let mut pauses = growing_pauses();
    loop {
        let started = tokio::time::Instant::now();
        let error = match once(client, source, &mut sink, &mut pauses).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        if started.elapsed() > STEADY {
            pauses = growing_pauses();
        }
        let pause = pauses.next().unwrap_or(PAUSE.1);
        let expired = matches!(error, WatchError::Ended { code: 410, .. });
        if expired {
            tracing::debug!(source = source.what, "the watch expired, listing again");
        } else {
            tracing::warn!(
                source = source.what,
                ?pause,
                "listing again after: {}",
                Chain(&error)
            );
        }
        let reason = Chain(&error).to_string();
        sink.take(Change::Lost(reason)).await;
        tokio::time::sleep(pause).await;
    }
}

fn growing_pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE.0)
        .with_max_delay(PAUSE.1)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Lists once, then watches on and on; ends only with an error.
async fn once(
    client: &Client,
    source: &Source,
    sink: &mut impl Sink,
    pauses: &mut impl Iterator<Item = Duration>,
) -> Result<std::convert::Infallible, WatchError> {
    let mut version = list(client, source, sink).await?;
    sink.take(Change::Synced).await;
    loop {
        let started = tokio::time::Instant::now();
        watch(client, source, &mut version, sink).await?;
        // a server that closes each watch at once must not be asked in a tight loop
        if started.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(pauses.next().unwrap_or(PAUSE.1)).await;
        }
    }
}

/// Hands on everything there is, and gives the version at which the list began. Changes of objects
/// that were shown early are in the watch from there, however long the list takes.
///
/// The list is read ahead of who takes it in, so that the API server makes the next page meanwhile.
async fn list(client: &Client, source: &Source, sink: &mut impl Sink) -> Result<String, ListError> {
    let room = Arc::new(Semaphore::new(READ_AHEAD));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let read = async move {
        let mut list = List::new(client, source);
        while let Some(listed) = list.next().await? {
            let (change, bytes) = match listed {
                Listed::Object(object) => {
                    let bytes = object.len();
                    (Change::Seen(object), bytes)
                }
                Listed::TooLarge(object) => (Change::Skipped(object.to_string()), 0),
            };
            let bytes = u32::try_from(bytes.min(READ_AHEAD)).unwrap_or(u32::MAX);
            // the semaphore is never closed, and the other half reads as long as this one sends
            let taken = Arc::clone(&room).acquire_many_owned(bytes).await;
            let _ = sender.send((change, taken));
        }
        Ok(list.version().to_owned())
    };
    let show = async {
        while let Some((change, _room)) = receiver.recv().await {
            sink.take(change).await;
        }
    };
    let (version, ()) = tokio::join!(read, show);
    version
}

/// Watches from `version` on until the server ends the watch in the agreed way; secrets until the
/// next event.
async fn watch(
    client: &Client,
    source: &Source,
    version: &mut String,
    sink: &mut impl Sink,
) -> Result<(), WatchError> {
    let seconds = WATCH_SECONDS.to_string();
    let parameters = [
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", version.as_str()),
        ("timeoutSeconds", seconds.as_str()),
    ];
    let (_, response) = open(client, source, &parameters, &sink.shard_selector()).await?;
    let chunks = response.into_body().into_data_stream();
    let mut lines = Lines::new(chunks, EVENT_LIMIT);
    let mut unreadable = 0;
    loop {
        let what = || source.what.clone();
        let line = match tokio::time::timeout(SILENCE, lines.next()).await {
            Err(_) => return Err(WatchError::Silent { what: what() }),
            Ok(Err(source)) => {
                let what = what();
                return Err(WatchError::Broken { what, source });
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(line))) => line,
        };
        let read = match line {
            Line::Whole(line) => event(source, line, version, sink).await,
            Line::TooLong(head) => {
                let object = TooLarge::new(object_in(head), &source.what);
                sink.take(Change::Skipped(object.to_string())).await;
                Ok(())
            }
        };
        match read {
            // another connection, so that the buffers of this one are wiped
            Ok(()) if source.is_secret() => return Ok(()),
            Ok(()) => unreadable = 0,
            Err(error @ WatchError::Malformed { .. }) if unreadable < UNREADABLE => {
                unreadable += 1;
                let why = Chain(&error).to_string();
                sink.take(Change::Skipped(why)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Opens a watch of what the selector selects; of everything where that is refused.
async fn open(
    client: &Client,
    source: &Source,
    parameters: &[(&str, &str)],
    selector: &str,
) -> Result<(String, Response<Body>), CallError> {
    let call = |selector| {
        let parameters = [parameters, &[("shardSelector", selector)]].concat();
        source.get(format!("watch {}", source.what), &parameters)
    };
    let opened = call(selector).open(client).await;
    match opened {
        Err(error) if !selector.is_empty() && matches!(error.status(), Some(400..=599)) => {
            let error = Chain(&error).to_string();
            tracing::debug!(error, "watching without a shard selector");
            call("").open(client).await
        }
        opened => opened,
    }
}

/// The object in an event, from the beginning of the event.
fn object_in(head: &[u8]) -> &[u8] {
    const MEMBER: &[u8] = br#""object":"#;
    let at = head.windows(MEMBER.len()).position(|part| part == MEMBER);
    at.map_or(&[], |at| &head[at + MEMBER.len()..])
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Ended {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    message: String,
}

async fn event(
    source: &Source,
    line: &[u8],
    version: &mut String,
    sink: &mut impl Sink,
) -> Result<(), WatchError> {
    let malformed = |error: serde_json::Error| WatchError::Malformed {
        what: source.what.clone(),
        source: error.into(),
    };
    let event: Event<'_> = serde_json::from_slice(line).map_err(malformed)?;
    let object = event.object.get();
    if event.kind == "ERROR" {
        let Ended { code, message } = serde_json::from_str(object).map_err(malformed)?;
        return Err(WatchError::Ended {
            what: source.what.clone(),
            code,
            message,
        });
    }
    let bytes = || Bytes::copy_from_slice(object.as_bytes());
    match &*event.kind {
        "ADDED" | "MODIFIED" => sink.take(Change::Seen(bytes())).await,
        "DELETED" => sink.take(Change::Gone(bytes())).await,
        _ => {}
    }
    let seen = Identity::peek(object.as_bytes()).resource_version;
    if !seen.is_empty() {
        *version = seen;
    }
    Ok(())
}
