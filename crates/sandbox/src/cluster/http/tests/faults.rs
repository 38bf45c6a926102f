//! The log of requests, faults and gates.

use std::time::Duration;

use http_body_util::BodyExt;
use serde_json::json;

use super::{Api, MAPS, MERGE, map};
use crate::body::Cut;
use crate::{Fault, FaultAnswer, Gate};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn requests_are_remembered_with_their_answers() {
    let api = Api::start().await;
    api.typed(
        "PATCH",
        &format!("{MAPS}/none?fieldManager=x"),
        MERGE,
        &json!({}),
    )
    .await;
    let seen = api.0.requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].method, "PATCH");
    assert_eq!(seen[0].path, format!("{MAPS}/none"));
    assert_eq!(seen[0].query, "fieldManager=x");
    assert_eq!(seen[0].content_type, MERGE);
    assert_eq!(seen[0].user_agent, "facts/1.0");
    assert_eq!(seen[0].status, 404);
    api.0.clear_requests();
    assert!(api.0.requests().is_empty());
}

#[tokio::test]
async fn a_fault_answers_as_often_as_asked_and_then_no_more() {
    let api = Api::start().await;
    api.0.fail(Fault {
        method: Some("GET".into()),
        path_contains: "configmaps".into(),
        times: 2,
        answer: FaultAnswer::Status(503.into()),
        ..Fault::default()
    });
    let codes = [
        api.get(MAPS).await.0,
        api.get(MAPS).await.0,
        api.get(MAPS).await.0,
    ];
    assert_eq!(codes, [503, 503, 200]);
}

#[tokio::test]
async fn a_fault_afterwards_hides_a_write_that_took_place() {
    let api = Api::start().await;
    let answer = FaultAnswer::StatusAfterwards(500.into());
    api.0.fail(Fault {
        answer,
        ..Fault::default()
    });
    assert_eq!(api.call("POST", MAPS, &map("m")).await.0, 500);
    assert!(api.0.get("configmaps", "default", "m").is_some());
}

#[tokio::test]
async fn requests_are_counted_by_method_and_path() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    api.get(MAPS).await;
    api.get(&format!("{MAPS}/m")).await;
    api.get("/apis").await;
    assert_eq!(api.0.count("GET", "/configmaps"), 2);
    assert_eq!(api.0.count("", "/configmaps"), 3);
    assert_eq!(api.0.count("DELETE", ""), 0);
}

#[tokio::test]
async fn a_wait_for_requests_ends_with_the_last_of_them() {
    let api = Api::start().await;
    let requests = async {
        for _ in 0..3 {
            api.get(MAPS).await;
        }
    };
    tokio::join!(api.0.reached("GET", "/configmaps", 3), requests);
    assert_eq!(api.0.count("GET", "/configmaps"), 3);
}

#[tokio::test]
async fn the_log_names_whose_token_came_along() {
    let api = Api::start().await;
    api.get(MAPS).await;
    assert_eq!(api.0.requests()[0].authorization, "Bearer windlass");
    assert!(!format!("{:?}", api.0.requests()).contains(api.0.token()));
}

#[tokio::test]
async fn the_nth_request_fails_and_has_no_effect() {
    let api = Api::start().await;
    let failure = FaultAnswer::Status(500.into());
    api.0
        .fail(Fault::new("POST", "/configmaps", failure).from_nth(2));
    let mut codes = Vec::new();
    for name in ["a", "b", "c"] {
        codes.push(api.call("POST", MAPS, &map(name)).await.0);
    }
    assert_eq!(codes, [201, 500, 201]);
    assert!(api.0.get("configmaps", "default", "b").is_none());
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let api = Api::start().await;
    for (name, answer, effect) in [
        ("before", FaultAnswer::Reset, false),
        ("after", FaultAnswer::ResetAfterwards, true),
    ] {
        api.0.fail(Fault::new("POST", "/configmaps", answer));
        assert_eq!(api.lost("POST", MAPS, &map(name)).await, Cut::Reset);
        let stored = api.0.get("configmaps", "default", name);
        assert_eq!(stored.is_some(), effect, "{name}");
    }
    let statuses: Vec<u16> = api.0.requests().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_effect_or_after_it() {
    let api = Api::start().await;
    for (name, answer, effect) in [
        ("before", FaultAnswer::Delay(HOUR), false),
        ("after", FaultAnswer::DelayAfterwards(HOUR), true),
    ] {
        api.0.fail(Fault::new("POST", "/configmaps", answer));
        let new = map(name);
        let late = api.call("POST", MAPS, &new);
        let meanwhile = async {
            tokio::time::sleep(HOUR / 2).await;
            let stored = api.0.get("configmaps", "default", name);
            assert_eq!(stored.is_some(), effect, "{name}");
        };
        let ((code, _), ()) = tokio::join!(late, meanwhile);
        assert_eq!(code, 201);
    }
}

#[tokio::test]
async fn a_gate_holds_a_request_before_its_effect_or_after_it() {
    let api = Api::start().await;
    let (before, after) = (Gate::new(), Gate::new());
    for (name, gate, answer, effect) in [
        ("before", &before, FaultAnswer::Pause(before.clone()), false),
        (
            "after",
            &after,
            FaultAnswer::PauseAfterwards(after.clone()),
            true,
        ),
    ] {
        api.0.fail(Fault::new("POST", "/configmaps", answer));
        let new = map(name);
        let held = api.call("POST", MAPS, &new);
        let meanwhile = async {
            gate.reached(1).await;
            let stored = api.0.get("configmaps", "default", name);
            assert_eq!(stored.is_some(), effect, "{name}");
            gate.release();
        };
        let ((code, _), ()) = tokio::join!(held, meanwhile);
        assert_eq!(code, 201);
    }
}

#[tokio::test]
async fn a_watch_is_cut_in_the_middle() {
    let api = Api::start().await;
    api.make(MAPS, map("m")).await;
    api.0.fail(Fault {
        query_contains: "watch=true".into(),
        answer: FaultAnswer::CutBody(10),
        ..Fault::default()
    });
    let path = format!("{MAPS}?watch=true");
    let response = api.send("GET", &path, "", "", Vec::new()).await;
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, br#"{"object":"#[..]);
    assert_eq!(body.frame().await.unwrap().unwrap_err(), Cut::Close);
}
