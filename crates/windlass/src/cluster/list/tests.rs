use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::*;

/// What was asked for: path, query and `Accept`.
type Requests = Arc<Mutex<Vec<String>>>;

/// An API server on loopback, and the requests that it saw. `respond` gets the number of the request
/// and its query.
async fn server(
    respond: impl Fn(usize, &BTreeMap<String, String>) -> Response + Clone + Send + Sync + 'static,
) -> (Client, Requests) {
    let seen = Requests::default();
    let log = Arc::clone(&seen);
    let handle = async move |uri: Uri, headers: HeaderMap| {
        let number = {
            let mut seen = log.lock().unwrap();
            let accept = headers["accept"].to_str().unwrap();
            seen.push(format!("{uri} {accept}"));
            seen.len() - 1
        };
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        respond(number, &query.into_owned().collect())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handle)).await });
    let config = kube::Config::new(format!("http://{address}").parse().unwrap());
    (Client::try_from(config).unwrap(), seen)
}

/// One that sends these bodies, one after the other, and goes on sending the last.
async fn bodies(bodies: &'static [&'static str]) -> (Client, Requests) {
    server(|number, _| bodies[number.min(bodies.len() - 1)].into_response()).await
}

fn source() -> Source {
    Source {
        what: "things".to_owned(),
        path: "/things".to_owned().into(),
        name: None,
        labels: Some("a=b".to_owned()),
    }
}

/// A response in pieces that are made when their turn comes.
fn streamed(pieces: impl Iterator<Item = String> + Send + 'static) -> Response {
    let pieces = pieces.map(Ok::<_, std::io::Error>);
    Body::from_stream(stream::iter(pieces)).into_response()
}

/// Object `number` of many, of about this many bytes.
fn object(number: usize, bytes: usize) -> String {
    let name = format!(r#""name":"o{number:04}","namespace":"ns","uid":"u{number}""#);
    format!(r#"{{"metadata":{{{name}}},"x":"{}"}}"#, "x".repeat(bytes))
}

/// A page of a list of `count` objects, as an API server cuts it: metadata last, as for custom
/// resources.
fn page(
    query: &BTreeMap<String, String>,
    count: usize,
    bytes: impl Fn(usize) -> usize + Send + 'static,
) -> Response {
    let limit: usize = query["limit"].parse().unwrap();
    let start: usize = query
        .get("continue")
        .map_or(0, |token| token.parse().unwrap());
    let end = (start + limit).min(count);
    let next = if end < count {
        end.to_string()
    } else {
        String::new()
    };
    let objects = (start..end).map(move |number| {
        let comma = if number == start { "" } else { "," };
        format!("{comma}{}", object(number, bytes(number)))
    });
    let first = std::iter::once(r#"{"apiVersion":"v1","items":["#.to_owned());
    let last = format!(r#"],"metadata":{{"resourceVersion":"7","continue":"{next}"}}}}"#);
    streamed(first.chain(objects).chain(std::iter::once(last)))
}

/// Names of all objects, in order; those that are too large in brackets.
async fn names(list: &mut List<'_>) -> Result<Vec<String>, ListError> {
    let mut names = Vec::new();
    while let Some(listed) = list.next().await? {
        names.push(match listed {
            Listed::Object(object) => Identity::peek(&object).name,
            Listed::TooLarge(object) => format!("[{}]", object.name),
        });
    }
    Ok(names)
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("o{number:04}")).collect()
}

fn limits(seen: &Requests) -> Vec<usize> {
    let seen = seen.lock().unwrap();
    let limit = |uri: &String| {
        let from = uri.split("limit=").nth(1)?;
        from.split(['&', ' ']).next()?.parse().ok()
    };
    seen.iter().filter_map(limit).collect()
}

#[tokio::test]
async fn objects_come_one_by_one_as_they_were_sent() {
    let (client, seen) = bodies(&[
        r#"{"metadata":{"resourceVersion":"7","continue":"n&xt"},"items":[{"a": 1},{"b":[ ]}]}"#,
        r#"{"metadata":{"resourceVersion":"8"},"items":null}"#,
    ])
    .await;
    let source = source();
    let mut list = List::new(&client, &source).in_pages_of(2).accept("a/b");
    for expected in [r#"{"a": 1}"#, r#"{"b":[ ]}"#] {
        let Some(Listed::Object(object)) = list.next().await.unwrap() else {
            panic!("no object")
        };
        assert_eq!(object, expected);
    }
    assert!(list.next().await.unwrap().is_none());
    assert_eq!(list.version(), "7");
    let expected = [
        "/things?limit=2&labelSelector=a%3Db a/b",
        "/things?limit=2&continue=n%26xt&labelSelector=a%3Db a/b",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_server_that_repeats_a_page_is_refused() {
    let (client, seen) = bodies(&[r#"{"metadata":{"continue":"again"},"items":[{}]}"#]).await;
    let source = source();
    let mut list = List::new(&client, &source);
    let error = names(&mut list).await.unwrap_err().to_string();
    assert!(
        error.contains("list things: the API server repeats"),
        "{error}"
    );
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_response_that_is_no_list_is_named() {
    let (client, _) = bodies(&["[]"]).await;
    let source = source();
    let error = List::new(&client, &source).next().await.unwrap_err();
    assert!(matches!(error, ListError::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn a_page_that_is_too_large_is_halved_and_everything_is_listed_once() {
    let (client, seen) = server(|_, query| page(query, 250, |_| 1_150_000)).await;
    let source = source();
    let mut list = List::new(&client, &source);
    assert_eq!(names(&mut list).await.unwrap(), numbered(250));
    let limits = limits(&seen);
    assert_eq!(limits[0], 250);
    assert!(limits[1..].iter().all(|limit| *limit < 60), "{limits:?}");
    assert!(limits.len() < 15, "{limits:?}");
}

#[tokio::test]
async fn pages_grow_again_behind_large_objects() {
    let large = |number| if number < 60 { 1_200_000 } else { 10 };
    let (client, seen) = server(move |_, query| page(query, 2_000, large)).await;
    let source = source();
    let mut list = List::new(&client, &source);
    assert_eq!(names(&mut list).await.unwrap(), numbered(2_000));
    let limits = limits(&seen);
    assert_eq!(limits.last(), Some(&PAGE), "{limits:?}");
}

#[tokio::test]
async fn an_object_over_the_limit_is_named_and_ends_only_itself() {
    let sizes = |number| if number == 3 { OBJECT_LIMIT + 1 } else { 10 };
    let (client, _) = server(move |_, query| page(query, 6, sizes)).await;
    let source = source();
    let mut list = List::new(&client, &source);
    let mut expected = numbered(6);
    expected[3] = "[o0003]".to_owned();
    assert_eq!(names(&mut list).await.unwrap(), expected);
}

#[tokio::test]
async fn a_page_that_breaks_off_or_is_refused_for_its_size_is_asked_for_again_from_the_same_place()
{
    let (client, seen) = server(|number, query| match number {
        0 => page(query, 8, |_| 10),
        1 => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        // closed in order, but within an object
        2 => streamed(
            [
                r#"{"items":["#.to_owned(),
                object(4, 10),
                r#",{"met"#.to_owned(),
            ]
            .into_iter(),
        ),
        _ => page(query, 8, |_| 10),
    })
    .await;
    let source = source();
    let mut list = List::new(&client, &source).in_pages_of(4);
    assert_eq!(names(&mut list).await.unwrap(), numbered(8));
    assert_eq!(limits(&seen)[..4], [4, 4, 2, 1]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_one_by_one_ends_with_the_error() {
    let (client, seen) = server(|_, _| StatusCode::PAYLOAD_TOO_LARGE.into_response()).await;
    let source = source();
    let error = List::new(&client, &source).next().await.unwrap_err();
    assert!(error.to_string().contains("HTTP 413"), "{error}");
    assert_eq!(limits(&seen), [250, 125, 62, 31, 15, 7, 3, 1]);
}

/// The response to a token that is too old.
fn expired(offered: &str) -> Response {
    let status = format!(r#"{{"message":"too old","metadata":{{"continue":"{offered}"}}}}"#);
    (StatusCode::GONE, status).into_response()
}

#[tokio::test]
async fn a_list_that_became_too_old_goes_on_where_the_server_offers_and_keeps_its_first_version() {
    let (client, _) = server(|number, query| match number {
        1 => expired("2"),
        _ => page(query, 6, |_| 10),
    })
    .await;
    let source = source();
    let mut list = List::new(&client, &source).in_pages_of(2);
    assert_eq!(names(&mut list).await.unwrap(), numbered(6));
    assert_eq!(list.version(), "7");
}

#[tokio::test]
async fn a_list_that_became_too_old_ends_where_nothing_is_offered_or_nothing_comes_of_it() {
    for offered in ["", "2"] {
        let (client, seen) = server(move |number, query| match number {
            0 => page(query, 6, |_| 10),
            number => expired(&format!(
                "{offered}{}",
                if offered.is_empty() {
                    String::new()
                } else {
                    number.to_string()
                }
            )),
        })
        .await;
        let source = source();
        let mut list = List::new(&client, &source).in_pages_of(2);
        let error = names(&mut list).await.unwrap_err();
        assert!(error.to_string().contains("HTTP 410"), "{error}");
        assert!(seen.lock().unwrap().len() <= 3);
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_asked_for_a_page_and_for_one_object_and_then_given_up() {
    let hang = || Body::from_stream(stream::pending::<std::io::Result<Bytes>>()).into_response();
    let (client, seen) = server(move |_, _| hang()).await;
    let asked = tokio::spawn(async move {
        let source = source();
        let listed = List::new(&client, &source).next().await;
        listed.unwrap_err().to_string()
    });
    for requests in 1..=2 {
        while seen.lock().unwrap().len() < requests {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        tokio::time::pause();
        tokio::time::advance(crate::cluster::call::CALL_TIMEOUT).await;
        tokio::time::resume();
    }
    let told = "cannot list things: no response within 60 s";
    assert_eq!(asked.await.unwrap(), told);
    assert_eq!(limits(&seen), [250, 1]);
}
