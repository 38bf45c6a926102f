//! Deletion, finalizers and namespaces.

use serde_json::{Value, json};

use super::{Api, MAPS, MERGE, RUNS, map};

#[tokio::test]
async fn a_deletion_waits_for_the_last_finalizer() {
    let api = Api::start().await;
    api.make(
        RUNS,
        json!({"metadata": {"name": "r", "finalizers": ["a/b"]}}),
    )
    .await;
    let path = format!("{RUNS}/r");
    let (code, marked) = api.call("DELETE", &path, &Value::Null).await;
    assert_eq!(code, 200);
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    let more = json!({"metadata": {"finalizers": ["a/b", "c/d"]}});
    assert_eq!(api.typed("PATCH", &path, MERGE, &more).await.0, 422);
    let none = json!({"metadata": {"finalizers": null}});
    assert_eq!(api.typed("PATCH", &path, MERGE, &none).await.0, 200);
    assert_eq!(api.get(&path).await.0, 404);
}

#[tokio::test]
async fn a_deletion_of_another_uid_is_a_conflict() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    let options = json!({"preconditions": {"uid": "other"}});
    assert_eq!(
        api.call("DELETE", &format!("{MAPS}/m"), &options).await.0,
        409
    );
}

#[tokio::test]
async fn a_collection_is_deleted_by_label() {
    let api = Api::start().await;
    api.make(MAPS, map("a")).await;
    api.make(
        MAPS,
        json!({"metadata": {"name": "b", "labels": {"x": "y"}}}),
    )
    .await;
    let (code, _) = api
        .call(
            "DELETE",
            &format!("{MAPS}?labelSelector=x%3Dy"),
            &Value::Null,
        )
        .await;
    assert_eq!(code, 200);
    assert_eq!(api.get(&format!("{MAPS}/a")).await.0, 200);
    assert_eq!(api.get(&format!("{MAPS}/b")).await.0, 404);
}

#[tokio::test]
async fn a_namespace_ends_with_its_last_object() {
    let api = Api::start().await;
    let spaces = "/api/v1/namespaces";
    api.make(spaces, json!({"metadata": {"name": "n"}})).await;
    let runs = RUNS.replace("default", "n");
    api.make(
        &runs,
        json!({"metadata": {"name": "r", "finalizers": ["a/b"]}}),
    )
    .await;
    let space = format!("{spaces}/n");
    api.call("DELETE", &space, &Value::Null).await;
    assert_eq!(api.get(&space).await.1["status"]["phase"], "Terminating");
    let late = api
        .call("POST", &MAPS.replace("default", "n"), &map("m"))
        .await;
    assert_eq!(late.0, 403);
    let none = json!({"metadata": {"finalizers": null}});
    api.typed("PATCH", &format!("{runs}/r"), MERGE, &none).await;
    assert_eq!(api.get(&space).await.0, 404);
}
