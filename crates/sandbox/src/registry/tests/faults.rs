//! Faults, quirks and gates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::header::LOCATION;
use http_body_util::Full;

use super::{IMAGE, call, get, image, put, start};
use crate::body::Cut;
use crate::exchange::exchange;
use crate::registry::response::DIGEST;
use crate::registry::{Fault, FaultAnswer, Gate, Quirk, Registry, Reply};

const UPLOADS: &str = "/v2/a/blobs/uploads/";

fn once(registry: &Registry, answer: FaultAnswer) {
    registry.fail(Fault {
        answer,
        ..Fault::default()
    });
}

#[tokio::test]
async fn a_status_is_answered_so_often_and_then_no_more() {
    let registry = start().await;
    registry.put_manifest("a", "v1", IMAGE, "{}");
    registry.fail(Fault {
        method: Some("get".into()),
        path_contains: "/manifests/".into(),
        skip: 1,
        times: 2,
        answer: FaultAnswer::Status(Reply::from(429).retry_after("7")),
        ..Fault::default()
    });
    let mut seen = Vec::new();
    for _ in 0..4 {
        let got = get(&registry, "/v2/a/manifests/v1").await;
        seen.push((got.status, got.header("retry-after").to_owned()));
        assert_eq!(get(&registry, "/v2/").await.status, 200);
    }
    let late = (429, "7".to_owned());
    let fine = (200, String::new());
    assert_eq!(seen, [fine.clone(), late.clone(), late, fine]);
}

#[tokio::test]
async fn the_body_of_a_fault_is_the_tests_or_the_specifications() {
    let registry = start().await;
    once(&registry, FaultAnswer::Status(429.into()));
    assert_eq!(get(&registry, "/v2/").await.code(), "TOOMANYREQUESTS");
    let page = Reply::from(200).body("<html>").media_type("text/html");
    once(&registry, FaultAnswer::Status(page));
    let got = get(&registry, "/v2/").await;
    assert_eq!(
        (got.header("content-type"), &got.body[..]),
        ("text/html", &b"<html>"[..])
    );
}

#[tokio::test]
async fn a_write_takes_place_though_its_answer_is_an_error() {
    let registry = start().await;
    once(&registry, FaultAnswer::StatusAfterwards(503.into()));
    let got = put(&registry, "/v2/a/manifests/v1", &image(&registry, "a", "x")).await;
    assert_eq!((got.status, got.code()), (503, "UNKNOWN".into()));
    assert_eq!(registry.tags("a"), ["v1"]);
}

#[tokio::test]
async fn the_log_holds_what_was_answered() {
    let registry = start().await;
    once(&registry, FaultAnswer::Status(500.into()));
    get(&registry, "/v2/?x=1").await;
    let seen = registry.requests();
    assert_eq!(
        (&*seen[0].path, &*seen[0].query, seen[0].status),
        ("/v2/", "x=1", 500)
    );
    registry.clear_requests();
    assert!(registry.requests().is_empty());
}

#[tokio::test]
async fn headers_are_left_out_and_put_in() {
    let registry = start().await;
    registry.put_manifest("a", "v1", IMAGE, "{}");
    once(&registry, FaultAnswer::WithoutHeader(DIGEST));
    let got = get(&registry, "/v2/a/manifests/v1").await;
    assert_eq!((got.status, got.header("docker-content-digest")), (200, ""));
    once(&registry, FaultAnswer::Header(DIGEST, "sha256:0".into()));
    let got = get(&registry, "/v2/a/manifests/v1").await;
    assert_eq!(got.header("docker-content-digest"), "sha256:0");
    once(&registry, FaultAnswer::WithoutHeader(LOCATION));
    let got = call(&registry, "POST", UPLOADS, b"").await;
    assert_eq!((got.status, got.header("location")), (202, ""));
}

#[tokio::test]
async fn wrong_content_has_the_right_length_and_digest_header() {
    let registry = start().await;
    let digest = registry.put_blob("a", "content");
    once(&registry, FaultAnswer::WrongContent);
    let got = get(&registry, &format!("/v2/a/blobs/{digest}")).await;
    assert_eq!(got.header("docker-content-digest"), digest);
    assert_eq!(got.body.len(), 7);
    assert_ne!(got.body, "content");
}

#[tokio::test]
async fn a_location_is_absolute_unless_a_fault_makes_it_relative_or_another_host() {
    let registry = start().await;
    let got = call(&registry, "POST", UPLOADS, b"").await;
    assert!(got.header("location").starts_with(&registry.url()));
    once(&registry, FaultAnswer::RelativeLocation);
    let got = call(&registry, "POST", UPLOADS, b"").await;
    assert!(got.header("location").starts_with("/v2/a/blobs/uploads/"));
    once(
        &registry,
        FaultAnswer::LocationAt("http://localhost:1".into()),
    );
    let got = call(&registry, "POST", UPLOADS, b"").await;
    assert!(
        got.header("location")
            .starts_with("http://localhost:1/v2/a/blobs/uploads/")
    );
}

#[tokio::test]
async fn the_query_of_a_location_has_to_come_back() {
    let registry = start().await;
    once(&registry, FaultAnswer::Quirk(Quirk::LocationWithQuery));
    let got = call(&registry, "POST", UPLOADS, b"").await;
    let (path, query) = got.location().split_once('?').unwrap();
    let refused = call(&registry, "PATCH", path, b"x").await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "BLOB_UPLOAD_INVALID".into())
    );
    let digest = crate::registry::digest::Digest::of(b"x");
    let path = format!("{path}?{query}&digest={digest}");
    assert_eq!(call(&registry, "PUT", &path, b"x").await.status, 201);
}

#[tokio::test]
async fn a_redirect_leads_to_the_registry_beside() {
    let registry = start().await;
    let beside = registry
        .start_beside(crate::registry::Options::default())
        .await
        .unwrap();
    let digest = registry.put_blob("a", "content");
    once(
        &registry,
        FaultAnswer::Redirect {
            status: 307,
            to: beside.url(),
        },
    );
    let got = get(&registry, &format!("/v2/a/blobs/{digest}?x=1")).await;
    assert_eq!(got.status, 307);
    let expected = format!("{}/v2/a/blobs/{digest}?x=1", beside.url());
    assert_eq!(got.header("location"), expected);
    assert_eq!(get(&beside, got.location()).await.body, "content");
    once(
        &registry,
        FaultAnswer::RedirectTo("http://localhost:1/x".into()),
    );
    let got = get(&registry, "/v2/").await;
    assert_eq!(
        (got.status, got.header("location")),
        (307, "http://localhost:1/x")
    );
}

#[tokio::test]
async fn an_upload_goes_on_at_the_registry_beside() {
    let registry = start().await;
    let beside = Registry::start_beside(&registry, crate::registry::Options::default());
    let beside = beside.await.unwrap();
    once(&registry, FaultAnswer::LocationAt(beside.url()));
    let got = call(&registry, "POST", UPLOADS, b"").await;
    assert!(got.header("location").starts_with(&beside.url()));
    let digest = crate::registry::digest::Digest::of(b"x");
    let path = format!("{}?digest={digest}", got.location());
    assert_eq!(call(&beside, "PUT", &path, b"x").await.status, 201);
    assert!(registry.blob("a", digest.as_str()).is_some());
}

#[tokio::test]
async fn a_tag_is_immutable_for_one_write() {
    let registry = start().await;
    put(&registry, "/v2/a/manifests/v1", &image(&registry, "a", "x")).await;
    once(&registry, FaultAnswer::Quirk(Quirk::ImmutableTag(400)));
    let later = image(&registry, "a", "y");
    assert_eq!(
        put(&registry, "/v2/a/manifests/v1", &later).await.status,
        400
    );
    assert_eq!(
        put(&registry, "/v2/a/manifests/v1", &later).await.status,
        201
    );
}

#[tokio::test]
async fn a_slow_body_takes_its_time_and_is_whole() {
    let registry = start().await;
    let digest = registry.put_blob("a", "0123456789");
    once(
        &registry,
        FaultAnswer::SlowBody {
            chunk: 4,
            delay: Duration::from_millis(20),
        },
    );
    let begun = Instant::now();
    let got = get(&registry, &format!("/v2/a/blobs/{digest}")).await;
    assert_eq!(
        (got.header("content-length"), &got.body[..]),
        ("10", &b"0123456789"[..])
    );
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn a_race_is_played_out_in_the_order_of_its_gates() {
    let registry = start().await;
    let gate = Gate::new();
    once(&registry, FaultAnswer::Pause(gate.clone()));
    let (slow, fast) = (image(&registry, "a", "slow"), image(&registry, "a", "fast"));
    let held = put(&registry, "/v2/a/manifests/v1", &slow);
    let between = async {
        gate.reached(1).await;
        let got = put(&registry, "/v2/a/manifests/v1", &fast).await;
        let stored = registry.manifest("a", "v1").unwrap();
        assert_eq!((got.status, stored.bytes), (201, fast.to_string().into()));
        gate.release();
    };
    let (held, ()) = tokio::join!(held, between);
    assert_eq!(held.status, 201);
    let stored = registry.manifest("a", "v1").unwrap();
    assert_eq!(stored.bytes, slow.to_string(), "the last write has the tag");
}

#[tokio::test]
async fn an_answer_waits_after_its_write() {
    let registry = start().await;
    let gate = Gate::new();
    once(&registry, FaultAnswer::PauseAfterwards(gate.clone()));
    let manifest = image(&registry, "a", "x");
    let held = put(&registry, "/v2/a/manifests/v1", &manifest);
    let between = async {
        gate.reached(1).await;
        assert_eq!(registry.tags("a"), ["v1"]);
        assert!(registry.requests().is_empty());
        gate.release();
    };
    let (held, ()) = tokio::join!(held, between);
    assert_eq!((held.status, registry.requests().len()), (201, 1));
}

#[tokio::test]
async fn requests_are_counted_by_method_and_path() {
    let registry = start().await;
    registry.put_manifest("a", "v1", IMAGE, "{}");
    for path in ["/v2/", "/v2/a/manifests/v1", "/v2/a/manifests/v2"] {
        get(&registry, path).await;
    }
    call(&registry, "POST", UPLOADS, b"").await;
    assert_eq!(registry.count("GET", "/manifests/"), 2);
    assert_eq!(registry.count("", "/v2/a/"), 3);
    assert_eq!(registry.count("PUT", ""), 0);
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let registry = start().await;
    for (tag, answer, effect) in [
        ("before", FaultAnswer::Reset, false),
        ("after", FaultAnswer::ResetAfterwards, true),
    ] {
        registry.fail(Fault::new("PUT", "/manifests/", answer));
        let manifest = image(&registry, "a", tag).to_string();
        let request = Request::builder()
            .method("PUT")
            .uri(format!("/v2/a/manifests/{tag}"))
            .header("content-type", IMAGE)
            .body(Full::new(Bytes::from(manifest)))
            .unwrap();
        let lost = exchange(Arc::clone(&registry.state), request).await;
        assert_eq!(lost.unwrap_err(), Cut::Reset);
        assert_eq!(registry.manifest("a", tag).is_some(), effect, "{tag}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_effect_or_after_it() {
    let registry = start().await;
    let hour = Duration::from_hours(1);
    for (tag, answer, effect) in [
        ("before", FaultAnswer::Delay(hour), false),
        ("after", FaultAnswer::DelayAfterwards(hour), true),
    ] {
        registry.fail(Fault::new("PUT", "/manifests/", answer));
        let (path, manifest) = (format!("/v2/a/manifests/{tag}"), image(&registry, "a", tag));
        let late = put(&registry, &path, &manifest);
        let meanwhile = async {
            tokio::time::sleep(hour / 2).await;
            assert_eq!(registry.manifest("a", tag).is_some(), effect, "{tag}");
        };
        let (late, ()) = tokio::join!(late, meanwhile);
        assert_eq!(late.status, 201);
    }
}
