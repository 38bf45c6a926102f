//! The four patch languages.

use serde_json::{Value, json};

use super::{Api, MAPS, MERGE, RUNS, map};

const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const ACCOUNT: &str = "/api/v1/namespaces/default/serviceaccounts/default";

#[tokio::test]
async fn a_merge_patch_removes_what_is_null() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    let change = json!({"data": {"a": null, "b": "2"}});
    let (_, new) = api
        .typed("PATCH", &format!("{MAPS}/m"), MERGE, &change)
        .await;
    assert_eq!(new["data"], json!({"b": "2"}));
}

#[tokio::test]
async fn a_patch_with_an_old_version_or_another_uid_is_a_conflict() {
    let api = Api::start().await;
    api.make(RUNS, json!({"metadata": {"name": "r"}})).await;
    for change in [
        json!({"metadata": {"resourceVersion": "1"}}),
        json!({"metadata": {"uid": "other"}}),
    ] {
        let (code, body) = api
            .typed("PATCH", &format!("{RUNS}/r"), MERGE, &change)
            .await;
        assert_eq!(code, 409, "{body}");
    }
}

#[tokio::test]
async fn a_json_patch_whose_test_fails_changes_nothing() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    let steps = json!([
        {"op": "add", "path": "/data/b", "value": "2"},
        {"op": "test", "path": "/data/a", "value": "other"},
    ]);
    let path = format!("{MAPS}/m");
    assert_eq!(api.typed("PATCH", &path, JSON, &steps).await.0, 422);
    assert_eq!(api.get(&path).await.1["data"], json!({"a": "1"}));
}

#[tokio::test]
async fn a_json_patch_reads_escaped_pointers() {
    let api = Api::start().await;
    let run = json!({"metadata": {"name": "r", "annotations": {"a/b": "x", "c": "d"}}});
    api.make(RUNS, run).await;
    let steps = json!([{"op": "remove", "path": "/metadata/annotations/a~1b"}]);
    let (_, new) = api.typed("PATCH", &format!("{RUNS}/r"), JSON, &steps).await;
    assert_eq!(new["metadata"]["annotations"], json!({"c": "d"}));
}

#[tokio::test]
async fn a_strategic_patch_merges_pull_secrets_by_name() {
    let api = Api::start().await;
    for name in ["a", "b", "a"] {
        let change = json!({"imagePullSecrets": [{"name": name}]});
        assert_eq!(api.typed("PATCH", ACCOUNT, STRATEGIC, &change).await.0, 200);
    }
    let change = json!({"imagePullSecrets": [{"name": "a", "$patch": "delete"}]});
    let (_, new) = api.typed("PATCH", ACCOUNT, STRATEGIC, &change).await;
    assert_eq!(new["imagePullSecrets"], json!([{"name": "b"}]));
}

#[tokio::test]
async fn a_custom_resource_takes_no_strategic_patch() {
    let api = Api::start().await;
    api.make(RUNS, json!({"metadata": {"name": "r"}})).await;
    assert_eq!(
        api.typed("PATCH", &format!("{RUNS}/r"), STRATEGIC, &json!({}))
            .await
            .0,
        415
    );
}

async fn apply(api: &Api, manager: &str, force: bool, metadata: Value) -> (u16, Value) {
    let mut metadata = metadata;
    metadata["name"] = "r".into();
    let config = json!({"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": metadata});
    let path = format!("{RUNS}/r?fieldManager={manager}&force={force}");
    api.typed("PATCH", &path, APPLY, &config).await
}

#[tokio::test]
async fn an_apply_makes_an_object_that_was_not_there() {
    let api = Api::start().await;
    let (code, run) = apply(&api, "a", false, json!({"annotations": {"k": "1"}})).await;
    assert_eq!(code, 201);
    assert_eq!(run["metadata"]["managedFields"][0]["operation"], "Apply");
}

#[tokio::test]
async fn an_apply_with_a_uid_makes_no_object() {
    let api = Api::start().await;
    let (code, body) = apply(&api, "a", false, json!({"uid": "gone"})).await;
    assert_eq!(code, 409, "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("no existing object was found"), "{body}");
    let (_, runs) = api.get(RUNS).await;
    assert_eq!(runs["items"], json!([]));
}

#[tokio::test]
async fn an_apply_conflicts_with_another_owner_until_forced() {
    let api = Api::start().await;
    apply(&api, "a", false, json!({"annotations": {"k": "1"}})).await;
    assert_eq!(
        apply(&api, "b", false, json!({"annotations": {"k": "1"}}))
            .await
            .0,
        200
    );
    let (code, body) = apply(&api, "b", false, json!({"annotations": {"k": "2"}})).await;
    assert_eq!((code, &body["reason"]), (409, &json!("Conflict")));
    assert_eq!(
        body["details"]["causes"][0]["field"],
        ".metadata.annotations.k"
    );
    let (code, run) = apply(&api, "b", true, json!({"annotations": {"k": "2"}})).await;
    assert_eq!(
        (code, &run["metadata"]["annotations"]["k"]),
        (200, &json!("2"))
    );
}

#[tokio::test]
async fn an_apply_conflicts_with_a_value_somebody_patched() {
    let api = Api::start().await;
    api.make(RUNS, json!({"metadata": {"name": "r"}})).await;
    let change = json!({"metadata": {"annotations": {"k": "1"}}});
    api.typed("PATCH", &format!("{RUNS}/r"), MERGE, &change)
        .await;
    assert_eq!(
        apply(&api, "b", false, json!({"annotations": {"k": "2"}}))
            .await
            .0,
        409
    );
}

#[tokio::test]
async fn an_apply_removes_what_it_no_longer_names_and_nobody_else_owns() {
    let api = Api::start().await;
    let both = json!({"annotations": {"k": "1", "l": "1"}, "finalizers": ["x/a"]});
    apply(&api, "a", false, both).await;
    apply(
        &api,
        "b",
        false,
        json!({"annotations": {"l": "1"}, "finalizers": ["x/b"]}),
    )
    .await;
    let (code, run) = apply(&api, "a", false, json!({})).await;
    assert_eq!(code, 200);
    assert_eq!(run["metadata"]["annotations"], json!({"l": "1"}));
    assert_eq!(run["metadata"]["finalizers"], json!(["x/b"]));
}

#[tokio::test]
async fn a_json_patch_may_replace_a_field_that_is_not_there() {
    let api = Api::start().await;
    api.make(RUNS, json!({"metadata": {"name": "r"}, "spec": {}}))
        .await;
    let steps = json!([{"op": "replace", "path": "/spec/status", "value": "TaskRunCancelled"}]);
    let (code, run) = api.typed("PATCH", &format!("{RUNS}/r"), JSON, &steps).await;
    assert_eq!(
        (code, &run["spec"]["status"]),
        (200, &json!("TaskRunCancelled"))
    );
}
