use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Uri};

use super::*;

/// An API server on loopback that responds with these bodies, one after the other, and the requests
/// that it saw. After the last body it goes on sending that one.
async fn server(bodies: &'static [&'static str]) -> (Client, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let respond = async move |uri: Uri, headers: HeaderMap| {
        let mut seen = log.lock().unwrap();
        let body = bodies[seen.len().min(bodies.len() - 1)];
        let accept = headers["accept"].to_str().unwrap();
        seen.push(format!("{uri} {accept}"));
        body
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
    let config = kube::Config::new(format!("http://{address}").parse().unwrap());
    (Client::try_from(config).unwrap(), seen)
}

fn source() -> Source {
    Source {
        what: "things".to_owned(),
        path: "/things".to_owned().into(),
        name: None,
        labels: Some("a=b".to_owned()),
    }
}

#[tokio::test]
async fn objects_come_page_by_page_as_they_were_sent() {
    let (client, seen) = server(&[
        r#"{"metadata":{"resourceVersion":"7","continue":"n&xt"},"items":[{"a": 1},{"b":[ ]}]}"#,
        r#"{"metadata":{"resourceVersion":"7"},"items":null}"#,
    ])
    .await;
    let source = source();
    let mut pages = Pages::new(&client, &source).of(2).accept("a/b");
    let first = pages.next().await.unwrap().unwrap();
    assert_eq!(first.objects, [r#"{"a": 1}"#, r#"{"b":[ ]}"#]);
    let last = pages.next().await.unwrap().unwrap();
    assert_eq!((last.objects.len(), last.version.as_str()), (0, "7"));
    assert!(pages.next().await.unwrap().is_none());
    let expected = [
        "/things?limit=2&labelSelector=a%3Db a/b",
        "/things?limit=2&continue=n%26xt&labelSelector=a%3Db a/b",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_server_that_repeats_a_page_is_refused() {
    const PAGE: &str = r#"{"metadata":{"continue":"again"},"items":[{}]}"#;
    let (client, seen) = server(&[PAGE]).await;
    let source = source();
    let mut pages = Pages::new(&client, &source);
    assert!(pages.next().await.unwrap().is_some());
    let error = pages.next().await.err().unwrap().to_string();
    assert!(
        error.contains("list things: the API server repeats"),
        "{error}"
    );
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_response_that_is_no_list_is_named() {
    let (client, _) = server(&["[]"]).await;
    let source = source();
    let error = Pages::new(&client, &source).next().await.err().unwrap();
    assert!(matches!(error, ListError::Malformed { .. }), "{error}");
}
