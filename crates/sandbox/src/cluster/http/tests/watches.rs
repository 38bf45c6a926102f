//! Watches, read to their end (`timeoutSeconds` or the cluster's).

use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{Api, MAPS, MERGE, map};

async fn events(api: &Api, query: &str) -> Vec<Value> {
    let path = format!("{MAPS}?watch=true&timeoutSeconds=0&{query}");
    let response = api
        .send("GET", &path, "", "application/json", Vec::new())
        .await;
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_watch_replays_what_came_after_a_version() {
    let api = Api::start().await;
    let first = api.make(MAPS, map("m")).await;
    let path = format!("{MAPS}/m");
    api.typed("PATCH", &path, MERGE, &json!({"data": {"a": "2"}}))
        .await;
    api.call("DELETE", &path, &Value::Null).await;
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let seen = events(&api, &format!("resourceVersion={version}")).await;
    assert_eq!(kinds(&seen), ["MODIFIED", "DELETED"]);
}

#[tokio::test]
async fn a_watch_without_a_version_begins_with_what_is_there() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    assert_eq!(kinds(&events(&api, "").await), ["ADDED"]);
}

#[tokio::test]
async fn a_watch_from_a_version_that_is_gone_has_expired() {
    let api = Api::start().await;
    let first = api.make(MAPS, map("m")).await;
    api.make(MAPS, map("n")).await;
    api.0.compact();
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let seen = events(&api, &format!("resourceVersion={version}")).await;
    assert_eq!(kinds(&seen), ["ERROR"]);
    assert_eq!(seen[0]["object"]["code"], 410);
}

#[tokio::test]
async fn an_object_that_stops_matching_is_deleted_for_the_watch() {
    let api = Api::start().await;
    let labelled = json!({"metadata": {"name": "m", "labels": {"x": "y"}}});
    let first = api.make(MAPS, labelled).await;
    let path = format!("{MAPS}/m");
    api.typed(
        "PATCH",
        &path,
        MERGE,
        &json!({"metadata": {"labels": {"x": "z"}}}),
    )
    .await;
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let seen = events(
        &api,
        &format!("resourceVersion={version}&labelSelector=x%3Dy"),
    )
    .await;
    assert_eq!(kinds(&seen), ["DELETED"]);
}

#[tokio::test]
async fn a_bookmark_ends_a_watch_that_asked_for_them() {
    let api = Api::start().await;
    let seen = events(&api, "resourceVersion=0&allowWatchBookmarks=true").await;
    assert_eq!(kinds(&seen), ["BOOKMARK"]);
}

#[tokio::test]
async fn initial_events_end_with_a_marked_bookmark() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    let seen = events(&api, "sendInitialEvents=true&allowWatchBookmarks=true").await;
    assert_eq!(kinds(&seen)[..2], ["ADDED", "BOOKMARK"]);
    let marks = &seen[1]["object"]["metadata"]["annotations"];
    assert_eq!(marks["k8s.io/initial-events-end"], "true");
}

#[tokio::test]
async fn a_watch_sees_a_change_that_happens_while_it_is_open() {
    let api = Api::start().await;
    let path = format!("{MAPS}?watch=true");
    let response = api
        .send("GET", &path, "", "application/json", Vec::new())
        .await;
    let mut body = response.into_body();
    api.make(MAPS, map("m")).await;
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let event: Value = serde_json::from_slice(&frame).unwrap();
    assert_eq!(event["type"], "ADDED");
    api.0.shutdown().await;
    assert!(body.frame().await.is_none());
}
