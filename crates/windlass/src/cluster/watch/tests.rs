use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use tokio::sync::Notify;

use super::*;

/// What a sink was told, as text.
#[derive(Clone, Default)]
struct Told {
    changes: Arc<Mutex<Vec<String>>>,
    news: Arc<Notify>,
}

impl Sink for Told {
    async fn take(&mut self, change: Change) {
        let named = |object: &[u8]| Identity::peek(object).name;
        let text = match change {
            Change::Seen(object) => format!("seen {}", named(&object)),
            Change::Gone(object) => format!("gone {}", named(&object)),
            Change::Synced => "synced".to_owned(),
            Change::Skipped(why) => format!("skipped {why}"),
            Change::Lost(_) => "lost".to_owned(),
        };
        self.changes.lock().unwrap().push(text);
        self.news.notify_one();
    }
}

impl Told {
    /// What it was told once it is this much.
    async fn first(&self, count: usize) -> Vec<String> {
        let waiting = async {
            loop {
                let told = self.changes.lock().unwrap().clone();
                if told.len() >= count {
                    return told;
                }
                self.news.notified().await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        told.unwrap_or_else(|_| panic!("{:?}", self.changes.lock().unwrap()))
    }
}

fn event(kind: &str, name: &str, version: u32, padding: usize) -> String {
    let metadata = format!(r#"{{"name":"{name}","namespace":"ns","resourceVersion":"{version}"}}"#);
    let padding = "x".repeat(padding);
    format!(r#"{{"type":"{kind}","object":{{"metadata":{metadata},"x":"{padding}"}}}}"#) + "\n"
}

/// Follows a server on loopback; `respond` gets the query of each request and its number.
async fn followed(
    respond: impl Fn(usize, &str) -> Response + Clone + Send + Sync + 'static,
) -> (Told, Arc<Mutex<Vec<String>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&requests);
    let handle = async move |uri: Uri| {
        let query = uri.query().unwrap_or_default().to_owned();
        let number = {
            let mut log = log.lock().unwrap();
            log.push(query.clone());
            log.len() - 1
        };
        respond(number, &query)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handle)).await });
    let config = kube::Config::new(format!("http://{address}").parse().unwrap());
    let client = Client::try_from(config).unwrap();
    let told = Told::default();
    let sink = told.clone();
    tokio::spawn(async move {
        let source = Source {
            what: "things".to_owned(),
            path: "/things".to_owned().into(),
            name: None,
            labels: None,
        };
        follow(&client, &source, sink).await
    });
    (told, requests)
}

fn list() -> Response {
    r#"{"items":[],"metadata":{"resourceVersion":"7"}}"#.into_response()
}

/// These events, and then nothing for as long as the connection lasts.
fn open(events: Vec<String>) -> Response {
    let events = stream::iter(events.into_iter().map(Ok::<_, std::io::Error>));
    Body::from_stream(events.chain(stream::pending())).into_response()
}

#[tokio::test]
async fn an_event_that_is_too_large_or_no_json_ends_only_itself() {
    let (told, requests) = followed(|_, query| {
        if !query.contains("watch=true") {
            return list();
        }
        open(vec![
            event("ADDED", "a", 8, 10),
            event("ADDED", "large", 9, OBJECT_LIMIT + 2048),
            "{\"type\":\"ADDED\",\"object\":{\"metadata\":\n".to_owned(),
            event("MODIFIED", "b", 10, 10),
        ])
    })
    .await;
    let told = told.first(5).await;
    assert_eq!(told[..2], ["synced", "seen a"]);
    assert!(
        told[2].starts_with("skipped ns/large among the things"),
        "{told:?}"
    );
    assert!(
        told[3].starts_with("skipped the watch of things sent something"),
        "{told:?}"
    );
    assert_eq!(told[4], "seen b");
    assert_eq!(requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_watch_that_is_cut_within_an_event_goes_on_from_the_last_whole_one() {
    let (told, requests) = followed(|number, query| {
        if !query.contains("watch=true") {
            return list();
        }
        let next = event("MODIFIED", "b", 9, 10);
        match number {
            1 => (event("ADDED", "a", 8, 10) + &next[..30]).into_response(),
            _ => open(vec![next]),
        }
    })
    .await;
    assert_eq!(told.first(3).await, ["synced", "seen a", "seen b"]);
    let requests = requests.lock().unwrap();
    assert!(requests[1].contains("resourceVersion=7"), "{requests:?}");
    assert!(requests[2].contains("resourceVersion=8"), "{requests:?}");
}

#[tokio::test]
async fn what_sends_nothing_but_garbage_is_no_watch() {
    let (told, _) = followed(|_, query| {
        if !query.contains("watch=true") {
            return list();
        }
        open(vec!["?\n".repeat(UNREADABLE + 1)])
    })
    .await;
    let told = told.first(UNREADABLE + 2).await;
    assert_eq!(told[UNREADABLE + 1], "lost");
}

#[tokio::test]
async fn a_list_that_fails_is_told_before_another_one_begins() {
    let (told, _) = followed(|number, query| match number {
        0 => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ if query.contains("watch=true") => open(Vec::new()),
        _ => list(),
    })
    .await;
    assert_eq!(told.first(2).await, ["lost", "synced"]);
}
