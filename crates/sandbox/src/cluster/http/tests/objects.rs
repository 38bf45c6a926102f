//! Creation, replacement, subresources, validation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Api, MAPS, MERGE, RUNS, map};

#[tokio::test]
async fn a_creation_gets_name_uid_time_and_version() {
    let api = Api::start().await;
    let run = api
        .make(
            RUNS,
            json!({"metadata": {"generateName": "build-"}, "spec": {}}),
        )
        .await;
    let name = run["metadata"]["name"].as_str().unwrap();
    assert_eq!(name.len(), "build-".len() + 5);
    assert_eq!(run["metadata"]["generation"], 1);
    for field in ["uid", "creationTimestamp", "resourceVersion"] {
        assert!(run["metadata"][field].is_string(), "{field}");
    }
}

#[tokio::test]
async fn a_second_creation_of_a_name_already_exists() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    let (code, body) = api.call("POST", MAPS, &map("m")).await;
    assert_eq!((code, &body["reason"]), (409, &json!("AlreadyExists")));
}

#[tokio::test]
async fn a_creation_in_a_missing_namespace_is_not_found() {
    let api = Api::start().await;
    let (code, body) = api
        .call("POST", "/api/v1/namespaces/no/configmaps", &map("m"))
        .await;
    assert_eq!(code, 404);
    assert_eq!(body["message"], "namespaces \"no\" not found");
}

#[tokio::test]
async fn a_replacement_with_an_old_version_is_a_conflict() {
    let api = Api::start().await;
    let old = api.make(MAPS, map("m")).await;
    let path = format!("{MAPS}/m");
    api.typed("PATCH", &path, MERGE, &json!({"data": {"a": "2"}}))
        .await;
    let (code, body) = api.call("PUT", &path, &old).await;
    assert_eq!((code, &body["reason"]), (409, &json!("Conflict")));
}

#[tokio::test]
async fn a_write_that_changes_nothing_keeps_the_version() {
    let api = Api::start().await;
    let old = api.make(MAPS, map("m")).await;
    let (code, new) = api.call("PUT", &format!("{MAPS}/m"), &old).await;
    assert_eq!(code, 200);
    assert_eq!(old, new);
}

#[tokio::test]
async fn a_run_is_created_without_the_status_it_was_given() {
    let api = Api::start().await;
    let body = json!({"metadata": {"name": "r"}, "spec": {}, "status": {"podName": "p"}});
    assert!(api.make(RUNS, body).await.get("status").is_none());
}

#[tokio::test]
async fn each_part_of_a_run_is_written_only_through_its_own_path() {
    let api = Api::start().await;
    api.make(RUNS, json!({"metadata": {"name": "r"}, "spec": {"a": 1}}))
        .await;
    let change = json!({
        "metadata": {"labels": {"l": "m"}}, "spec": {"a": 2}, "status": {"podName": "p"}
    });
    let (_, run) = api
        .typed("PATCH", &format!("{RUNS}/r/status"), MERGE, &change)
        .await;
    assert_eq!(run["spec"]["a"], 1);
    assert_eq!(run["status"]["podName"], "p");
    assert!(run["metadata"]["labels"].is_null());
    assert_eq!(run["metadata"]["generation"], 1);
    let change = json!({"spec": {"a": 3}, "status": {"podName": "q"}});
    let (_, run) = api
        .typed("PATCH", &format!("{RUNS}/r"), MERGE, &change)
        .await;
    assert_eq!(run["spec"]["a"], 3);
    assert_eq!(run["status"]["podName"], "p");
    assert_eq!(run["metadata"]["generation"], 2);
}

#[tokio::test]
async fn a_v1beta1_run_is_served_in_both_versions() {
    let api = Api::start().await;
    let steps = json!([{"name": "s", "resources": {"limits": {}}}]);
    let body = json!({"apiVersion": "tekton.dev/v1beta1", "kind": "TaskRun",
        "metadata": {"name": "r"}, "spec": {"taskSpec": {"steps": steps}}});
    let beta = RUNS.replace("/v1/", "/v1beta1/");
    api.make(&beta, body).await;
    let change = json!({"status": {"results": [{"name": "x", "value": "y"}]}});
    api.typed("PATCH", &format!("{RUNS}/r/status"), MERGE, &change)
        .await;
    let (_, new) = api.get(&format!("{RUNS}/r")).await;
    assert_eq!(new["apiVersion"], "tekton.dev/v1");
    assert!(new["spec"]["taskSpec"]["steps"][0]["computeResources"].is_object());
    let (_, old) = api.get(&format!("{beta}/r")).await;
    assert_eq!(old["spec"]["taskSpec"]["steps"], steps);
    assert_eq!(old["status"]["taskResults"][0]["name"], "x");
}

#[tokio::test]
async fn string_data_of_a_secret_is_folded_into_its_data() {
    let api = Api::start().await;
    let path = MAPS.replace("configmaps", "secrets");
    let secret = api
        .make(
            &path,
            json!({"metadata": {"name": "s"}, "stringData": {"k": "v"}}),
        )
        .await;
    assert_eq!(secret["data"]["k"], STANDARD.encode("v"));
    assert!(secret.get("stringData").is_none());
    assert_eq!(secret["type"], "Opaque");
}

#[tokio::test]
async fn an_immutable_secret_cannot_change() {
    let api = Api::start().await;
    let path = MAPS.replace("configmaps", "secrets");
    api.make(
        &path,
        json!({"metadata": {"name": "s"}, "immutable": true, "data": {"k": "dg=="}}),
    )
    .await;
    for change in [json!({"data": {"k": "eA=="}}), json!({"immutable": false})] {
        let (code, body) = api
            .typed("PATCH", &format!("{path}/s"), MERGE, &change)
            .await;
        assert_eq!(code, 422, "{body}");
    }
    let change = json!({"metadata": {"labels": {"a": "b"}}});
    assert_eq!(
        api.typed("PATCH", &format!("{path}/s"), MERGE, &change)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn annotations_have_a_limit_on_their_sum() {
    let api = Api::start().await;
    api.make(RUNS, json!({"metadata": {"name": "r"}})).await;
    let sized = |bytes: usize| json!({"metadata": {"annotations": {"k": "x".repeat(bytes - 1)}}});
    let path = format!("{RUNS}/r");
    assert_eq!(
        api.typed("PATCH", &path, MERGE, &sized(262_144)).await.0,
        200
    );
    let (code, body) = api.typed("PATCH", &path, MERGE, &sized(262_145)).await;
    assert_eq!((code, &body["reason"]), (422, &json!("Invalid")));
    assert_eq!(
        body["details"]["causes"][0]["field"],
        "metadata.annotations"
    );
    assert!(body["message"].as_str().unwrap().contains("Too long"));
}

#[tokio::test]
async fn an_object_above_the_limit_of_etcd_is_refused() {
    let api = Api::start().await;
    let body = json!({"metadata": {"name": "r"}, "spec": {"x": "y".repeat(1_600_000)}});
    let (code, body) = api.call("POST", RUNS, &body).await;
    assert_eq!(
        (code, &body["message"]),
        (500, &json!("etcdserver: request is too large"))
    );
}

#[tokio::test]
async fn a_name_that_is_not_one_is_invalid() {
    let api = Api::start().await;
    assert_eq!(api.call("POST", MAPS, &map("Not_a_name")).await.0, 422);
}

#[tokio::test]
async fn a_number_in_a_config_map_is_refused() {
    let api = Api::start().await;
    let body = json!({"metadata": {"name": "m"}, "data": {"a": 1}});
    assert_eq!(api.call("POST", MAPS, &body).await.0, 400);
}

#[tokio::test]
async fn a_seeded_run_keeps_its_status_and_uid() {
    let api = Api::start().await;
    let seed = json!({"apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": {"name": "r", "uid": "u"}, "status": {"podName": "p"}});
    api.0.create(seed).unwrap();
    let run = api.0.get("taskruns.tekton.dev", "default", "r").unwrap();
    assert_eq!(run["status"]["podName"], "p");
    assert_eq!(run["metadata"]["uid"], "u");
}

#[tokio::test]
async fn an_event_is_the_same_in_both_of_its_groups() {
    let api = Api::start().await;
    let event = json!({"metadata": {"name": "e"}, "regarding": {"name": "r"}, "note": "n"});
    api.make("/apis/events.k8s.io/v1/namespaces/default/events", event)
        .await;
    let path = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dr";
    let (_, list) = api.get(path).await;
    assert_eq!(list["items"][0]["message"], "n");
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let api = Api::start().await;
    assert_eq!(
        api.call("POST", &format!("{MAPS}?dryRun=All"), &map("m"))
            .await
            .0,
        201
    );
    assert_eq!(api.get(&format!("{MAPS}/m")).await.0, 404);
}

#[tokio::test]
async fn the_only_user_may_do_everything() {
    let api = Api::start().await;
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(
        api.make(path, json!({"spec": {}})).await["status"]["allowed"],
        true
    );
}

#[tokio::test]
async fn a_protobuf_body_is_read() {
    let api = Api::start().await;
    let part = |tag: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).unwrap();
        [&[tag, length], bytes].concat()
    };
    let entry = [part(10, b"k"), part(18, b"v")].concat();
    let secret = [part(10, &part(10, b"s")), part(18, &entry)].concat();
    let kind = [part(10, b"v1"), part(18, b"Secret")].concat();
    let body = [b"k8s\0".to_vec(), part(10, &kind), part(18, &secret)].concat();
    let path = MAPS.replace("configmaps", "secrets");
    let media = "application/vnd.kubernetes.protobuf";
    let response = api
        .send("POST", &path, media, "application/json", body)
        .await;
    assert_eq!(response.status(), 201);
    let stored = api.0.get("secrets", "default", "s").unwrap();
    assert_eq!(stored["data"]["k"], STANDARD.encode("v"));
}
