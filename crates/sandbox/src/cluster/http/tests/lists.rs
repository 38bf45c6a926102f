//! Lists, chunks, selectors and forms.

use serde_json::{Value, json};

use super::{Api, MAPS, RUNS, map};

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn chunks_show_the_state_the_list_began_with() {
    let api = Api::start().await;
    for name in ["a", "b", "c"] {
        api.make(MAPS, map(name)).await;
    }
    let (_, first) = api.get(&format!("{MAPS}?limit=2")).await;
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    api.make(MAPS, map("d")).await;
    api.call("DELETE", &format!("{MAPS}/c"), &Value::Null).await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, rest) = api.get(&format!("{MAPS}?limit=2&continue={token}")).await;
    assert_eq!(names(&rest), ["c"]);
    assert_eq!(
        rest["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn a_chunk_whose_history_is_gone_has_expired() {
    let api = Api::start().await;
    for name in ["a", "b"] {
        api.make(MAPS, map(name)).await;
    }
    let (_, first) = api.get(&format!("{MAPS}?limit=1")).await;
    api.make(MAPS, map("c")).await;
    api.0.compact();
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (code, body) = api.get(&format!("{MAPS}?limit=1&continue={token}")).await;
    assert_eq!((code, &body["reason"]), (410, &json!("Expired")));
}

#[tokio::test]
async fn label_selectors_choose() {
    let api = Api::start().await;
    for (name, labels) in [
        ("a", json!({"x": "1"})),
        ("b", json!({"x": "2", "y": ""})),
        ("c", json!({})),
    ] {
        api.make(MAPS, json!({"metadata": {"name": name, "labels": labels}}))
            .await;
    }
    for (selector, expected) in [
        ("x=1", vec!["a"]),
        ("x!=1", vec!["b", "c"]),
        ("x", vec!["a", "b"]),
        ("!x", vec!["c"]),
        ("x%20in%20(1,2),y", vec!["b"]),
        ("x%20notin%20(1)", vec!["b", "c"]),
        ("x%3E1", vec!["b"]),
    ] {
        let (_, list) = api.get(&format!("{MAPS}?labelSelector={selector}")).await;
        assert_eq!(names(&list), expected, "{selector}");
    }
    assert_eq!(
        api.get(&format!("{MAPS}?labelSelector=x%20in%20y")).await.0,
        400
    );
}

#[tokio::test]
async fn a_field_selector_chooses_by_name() {
    let api = Api::start().await;
    api.make(MAPS, map("a")).await;
    api.make(MAPS, map("b")).await;
    let (_, list) = api
        .get(&format!("{MAPS}?fieldSelector=metadata.name%3Db"))
        .await;
    assert_eq!(names(&list), ["b"]);
}

#[tokio::test]
async fn a_table_of_runs_has_the_columns_of_the_crd() {
    let api = Api::start().await;
    api.make(RUNS, json!({"metadata": {"name": "r"}})).await;
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let table = api.get_as(RUNS, accept).await;
    let columns = table["columnDefinitions"].as_array().unwrap().iter();
    let columns: Vec<&str> = columns
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        columns,
        ["Name", "Succeeded", "Reason", "StartTime", "CompletionTime"]
    );
    assert_eq!(table["rows"][0]["cells"][0], "r");
}

#[tokio::test]
async fn metadata_alone_is_given_if_asked() {
    let api = Api::start().await;
    api.make(MAPS, map("a")).await;
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let list = api.get_as(MAPS, accept).await;
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert!(list["items"][0].get("data").is_none());
}
