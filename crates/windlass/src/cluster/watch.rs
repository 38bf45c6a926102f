//! A list in pages followed by a watch, as long as the controller runs.
//!
//! It stores nothing: it passes each object on as the bytes that the API server sent. After a lost,
//! refused or expired watch it lists again, with growing pauses, so that no change is missed and a
//! failing server is not overloaded. `kube::runtime::watcher` would decode every object and buffer
//! lists.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use futures::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, TryStreamExt};
use http_body_util::BodyExt;
use kube::Client;
use serde::Deserialize;
use serde_json::value::RawValue;
use windlass_core::error::Chain;

use super::call::{Call, CallError};
use super::list::Pages;
pub(crate) use super::list::{ListError, Source};

/// How long the API server is asked to keep a watch open.
const WATCH_SECONDS: u64 = 290;
/// How long a watch may stay silent, a little longer than it may stay open.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 40);
/// Largest watch event that is read; Kubernetes objects end at about 3 MiB.
const EVENT_LIMIT: u64 = 16 * 1024 * 1024;
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
}

/// Who is told.
pub(crate) trait Sink {
    /// Takes a change in; nothing more is read until it has.
    fn take(&mut self, change: Change) -> impl Future<Output = ()> + Send;
}

/// Why a list or watch ended.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the watch of {what} sent something that is not an event")]
    Malformed {
        what: String,
        source: serde_json::Error,
    },
    #[error("the watch of {what} was interrupted")]
    Broken {
        what: String,
        source: std::io::Error,
    },
    #[error("the watch of {what} sent an event larger than {EVENT_LIMIT} bytes")]
    TooLarge { what: String },
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

/// Hands on everything there is, page by page, and gives the version at which the list began.
async fn list(client: &Client, source: &Source, sink: &mut impl Sink) -> Result<String, ListError> {
    let mut pages = Pages::new(client, source);
    let mut version = String::new();
    while let Some(page) = pages.next().await? {
        for object in page.objects {
            // a copy, so that the page is gone before the last of its objects
            sink.take(Change::Seen(Bytes::copy_from_slice(&object)))
                .await;
        }
        version = page.version;
    }
    Ok(version)
}

/// Watches from `version` on until the server ends the watch in the agreed way.
async fn watch(
    client: &Client,
    source: &Source,
    version: &mut String,
    sink: &mut impl Sink,
) -> Result<(), WatchError> {
    let uri = source.uri(&[
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", version),
        ("timeoutSeconds", &WATCH_SECONDS.to_string()),
    ]);
    let (_, response) = Call::get(format!("watch {}", source.what), uri)
        .open(client)
        .await?;
    let lines = response
        .into_body()
        .into_data_stream()
        .map_err(std::io::Error::other);
    let mut lines = pin!(lines.into_async_read());
    let mut line = Vec::new();
    while next_line(source, &mut lines, &mut line).await? {
        event(source, &line, version, sink).await?;
    }
    Ok(())
}

async fn next_line(
    source: &Source,
    lines: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> Result<bool, WatchError> {
    line.clear();
    let what = || source.what.clone();
    let mut bounded = lines.take(EVENT_LIMIT);
    let read = tokio::time::timeout(SILENCE, bounded.read_until(b'\n', line)).await;
    match read {
        Err(_) => Err(WatchError::Silent { what: what() }),
        Ok(Err(source)) => Err(WatchError::Broken {
            what: what(),
            source,
        }),
        Ok(Ok(_)) if line.len() as u64 >= EVENT_LIMIT => Err(WatchError::TooLarge { what: what() }),
        Ok(Ok(_)) => Ok(!line.is_empty()),
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Versioned<'a> {
    #[serde(borrow)]
    metadata: Version<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version<'a> {
    #[serde(borrow, default)]
    resource_version: Option<Cow<'a, str>>,
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
    let malformed = |error| WatchError::Malformed {
        what: source.what.clone(),
        source: error,
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
    let seen: Versioned<'_> = serde_json::from_str(object).map_err(malformed)?;
    if let Some(seen) = seen.metadata.resource_version {
        *version = seen.into_owned();
    }
    Ok(())
}
