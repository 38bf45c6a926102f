//! Watches: changes as lines of JSON, from a resource version on, until the client leaves, the
//! requested time is over, or the cluster stops. A watch is only a position in the log; one that
//! falls behind the log gets `410 Expired`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::body::{Body, Cut};
use crate::cluster::convert;
use crate::cluster::http::call::Call;
use crate::cluster::list::{matches, select};
use crate::cluster::route::Target;
use crate::cluster::selector::Selector;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::{Change, Store};
use crate::cluster::table::Form;

/// How long a watch lasts if the client sets no time (the real server picks 30 to 60 minutes).
const LONGEST: Duration = Duration::from_mins(45);
/// How often a quiet watch that asked for bookmarks gets one.
const BOOKMARK: Duration = Duration::from_mins(1);

struct Watch {
    state: Arc<State>,
    target: Target,
    selector: Selector,
    form: Form,
    bookmarks: bool,
    /// Everything up to this revision has been sent or passed over.
    revision: u64,
    newest: Receiver<u64>,
    ends: Instant,
    bookmark_at: Instant,
    lines: VecDeque<Bytes>,
    /// The last line has been queued.
    over: bool,
}

pub(crate) fn respond(call: &Call<'_>, target: &Target) -> Result<Response<Body>, Status> {
    let selector = Selector::from_query(&call.query, target.served.kind)?;
    let revision = call
        .query
        .get("resourceVersion")
        .filter(|text| *text != "0");
    let revision = revision.map(str::parse::<u64>).transpose().map_err(|_| {
        Status::bad_request("Invalid value for resourceVersion: it is not a number")
    })?;
    let lasts = call
        .query
        .number("timeoutSeconds")
        .map_or(LONGEST, Duration::from_secs);
    let store = call.state.store();
    let mut watch = Watch {
        state: Arc::clone(call.state),
        target: target.clone(),
        selector,
        form: Form::accepted(call.accept),
        bookmarks: call.query.flag("allowWatchBookmarks"),
        revision: revision.unwrap_or_else(|| store.revision()),
        newest: store.subscribe(),
        ends: Instant::now() + lasts.min(LONGEST),
        bookmark_at: Instant::now() + BOOKMARK,
        lines: VecDeque::new(),
        over: false,
    };
    watch.begin(call, &store, revision);
    drop(store);
    let frames = stream::unfold(watch, |mut watch| async move {
        let line = watch.next_line().await?;
        Some((Ok::<_, Cut>(Frame::data(line)), watch))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let media = HeaderValue::from_static("application/json;stream=watch");
    response.headers_mut().insert(CONTENT_TYPE, media);
    Ok(response)
}

impl Watch {
    /// Queues the state at the start: without a revision all objects, as added.
    fn begin(&mut self, call: &Call<'_>, store: &Store, revision: Option<u64>) {
        let initial = call.query.flag("sendInitialEvents");
        if revision.is_none() || initial {
            for (_, object) in select(store.objects(), &self.target, &self.selector) {
                self.push("ADDED", &object);
            }
            self.revision = store.revision();
        }
        if initial {
            let annotations = json!({"k8s.io/initial-events-end": "true"});
            self.push_bookmark(Some(annotations));
        }
        self.collect(store);
    }

    async fn next_line(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            if self.over {
                return None;
            }
            self.wait().await;
        }
    }

    async fn wait(&mut self) {
        let stop = self.state.traffic.stop.clone();
        tokio::select! {
            () = stop.cancelled() => self.over = true,
            () = sleep_until(self.ends) => self.end(),
            () = sleep_until(self.bookmark_at), if self.bookmarks => self.push_bookmark(None),
            changed = self.newest.changed() => {
                self.over |= changed.is_err();
                let state = Arc::clone(&self.state);
                self.collect(&state.store());
            }
        }
    }

    fn end(&mut self) {
        if self.bookmarks {
            self.push_bookmark(None);
        }
        self.over = true;
    }

    /// Queues what has happened since the last look.
    fn collect(&mut self, store: &Store) {
        let Ok(changes) = store.since(self.revision) else {
            let error = json!({"type": "ERROR", "object": Status::expired().to_value()});
            self.push_line(&error);
            self.over = true;
            return;
        };
        for change in changes {
            self.push_change(change);
        }
        self.revision = self.revision.max(store.revision());
    }

    fn push_change(&mut self, change: &Change) {
        let target = &self.target;
        let elsewhere = !target.namespace.is_empty() && change.key.namespace != target.namespace
            || target
                .name
                .as_ref()
                .is_some_and(|name| *name != change.key.name);
        if change.key.storage != target.served.kind.storage || elsewhere {
            return;
        }
        let fits = |object: &Value| matches(target.served, &self.selector, object);
        let before = change.before.as_deref().is_some_and(fits);
        let after = !change.deleted && fits(&change.after);
        let event = match (before, after) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return,
        };
        self.push(event, &change.after);
    }

    fn push(&mut self, event: &str, stored: &Value) {
        let shown = convert::from_stored(self.target.served, stored);
        let object = self.form.one(self.target.served, &shown);
        self.push_line(&json!({"type": event, "object": object}));
    }

    fn push_bookmark(&mut self, annotations: Option<Value>) {
        self.bookmark_at = Instant::now() + BOOKMARK;
        let served = self.target.served;
        let mut object = json!({
            "apiVersion": served.api_version(),
            "kind": served.kind.kind,
            "metadata": {"resourceVersion": self.revision.to_string(), "creationTimestamp": null},
        });
        if let Some(annotations) = annotations {
            object["metadata"]["annotations"] = annotations;
        }
        let object = self.form.bookmark(served, object);
        self.push_line(&json!({"type": "BOOKMARK", "object": object}));
    }

    fn push_line(&mut self, event: &Value) {
        let mut line = serde_json::to_vec(event).unwrap_or_default();
        line.push(b'\n');
        self.lines.push_back(line.into());
    }
}
