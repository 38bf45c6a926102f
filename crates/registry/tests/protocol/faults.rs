//! Facts about failures: what is tried again, for how long, and what is said in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use windlass_registry::{Digest, Error, Limits, Name, Repository, Retry, Tag, Timeouts};
use windlass_sandbox::registry::{FaultAnswer, Options, Reply};

use crate::at::{At, MANIFEST, anonymous, image, options, start};

fn tag() -> Name {
    Name::Tag(Tag::parse("v1").unwrap())
}

fn status(status: u16) -> FaultAnswer {
    FaultAnswer::Status(status.into())
}

/// A client with short limits, and real time only where requests take it.
fn impatient() -> windlass_registry::Options {
    let mut options = options();
    options.timeouts = Timeouts {
        connect: Duration::from_secs(1),
        first_byte: Duration::from_millis(300),
        idle: Duration::from_millis(200),
        request: Duration::from_millis(400),
    };
    options.retry.attempts = 2;
    options
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_with_growing_waits() {
    for code in [408, 429, 500, 502, 503, 504] {
        let at = start(Options::default()).await;
        at.registry.put_manifest("app", "v1", MANIFEST, "{}");
        at.fail("GET", "/manifests/", 3, status(code));
        assert!(
            at.remote("app")
                .get_manifest(&tag())
                .await
                .unwrap()
                .is_some(),
            "{code}"
        );
        let slept = at.clock.slept();
        assert_eq!(slept.len(), 3);
        let least = [1, 3, 9].map(Duration::from_secs);
        assert!(
            slept
                .iter()
                .zip(least)
                .all(|(slept, least)| *slept >= least),
            "{slept:?}"
        );
    }
}

#[tokio::test]
async fn what_cannot_pass_is_not_tried_again() {
    for code in [400, 405, 409, 413, 415, 422, 451, 501, 505] {
        let at = start(Options::default()).await;
        at.fail("GET", "/manifests/", 9, status(code));
        let error = at.remote("app").get_manifest(&tag()).await.unwrap_err();
        assert_eq!((error.status(), error.retry()), (Some(code), Retry::Never));
        assert_eq!(at.seen().len(), 1, "{code}");
        assert!(
            error.to_string().contains(&format!("HTTP {code}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_said_with_registry_repository_and_what_to_do() {
    let at = start(Options::default()).await;
    let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#;
    at.fail(
        "POST",
        "/blobs/",
        1,
        FaultAnswer::Status(Reply::from(404).body(body)),
    );
    let error = at
        .remote("team/app")
        .push_blob(&"x".into(), None)
        .await
        .unwrap_err();
    let digest = Digest::of(b"x");
    let expected = format!(
        "could not push blob {digest} in {}/team/app: HTTP 404, NAME_UNKNOWN: no such repository; \
         create the repository, or check its name",
        at.registry.host()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let at = start(Options::default()).await;
    at.registry.put_manifest("app", "v1", MANIFEST, "{}");
    let busy = Reply::from(429).retry_after("7");
    at.fail("GET", "/manifests/", 1, FaultAnswer::Status(busy));
    at.remote("app")
        .get_manifest(&tag())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(at.clock.slept(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn a_long_retry_after_is_handed_to_the_caller() {
    let at = start(Options::default()).await;
    let busy = Reply::from(503).retry_after("600");
    at.fail("GET", "/manifests/", 9, FaultAnswer::Status(busy));
    let error = at.remote("app").get_manifest(&tag()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(600)));
    assert_eq!(at.seen().len(), 1);
    assert!(at.clock.slept().is_empty());
}

#[tokio::test]
async fn retry_after_may_be_a_date_and_one_that_is_over_means_now() {
    let at = start(Options::default()).await;
    at.registry.put_manifest("app", "v1", MANIFEST, "{}");
    let busy = Reply::from(503).retry_after("Wed, 21 Oct 2015 07:28:00 GMT");
    at.fail("GET", "/manifests/", 1, FaultAnswer::Status(busy));
    at.remote("app")
        .get_manifest(&tag())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(at.clock.slept(), [Duration::ZERO]);
}

#[tokio::test]
async fn ten_minutes_of_503_end_in_an_error_that_can_be_tried_later() {
    let at = start(Options::default()).await;
    at.registry.put_manifest("app", "v1", MANIFEST, "{}");
    at.always("/v2/app/", status(503));
    let remote = at.remote("app");
    let error = remote.get_manifest(&tag()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Backoff);
    assert_eq!(at.seen().len(), 4);
    at.clock.advance(Duration::from_secs(600));
    at.registry.clear_faults();
    assert!(remote.get_manifest(&tag()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_not_a_refusal() {
    use windlass_sandbox::registry::{Accounts, Authentication, Grant, Tokens, User};
    let accounts = Accounts::of([User::new("u", "word", [Grant::push("")])]);
    let at = start(Options {
        authentication: Authentication::Bearer(accounts, Tokens::default()),
        ..Options::default()
    })
    .await;
    at.always("/token", status(503));
    let remote = at.remote_as("app", [crate::at::password("a", "u", "word")]);
    let error = remote.can_push().await.unwrap_err();
    assert_eq!((error.status(), error.retry()), (Some(503), Retry::Backoff));
    at.registry.clear_faults();
    remote.can_push().await.unwrap();
}

#[tokio::test]
async fn a_reset_or_closed_connection_is_tried_again() {
    for answer in [
        FaultAnswer::Reset,
        FaultAnswer::Close,
        FaultAnswer::CutBody(1),
    ] {
        let at = start(Options::default()).await;
        at.registry.put_manifest("app", "v1", MANIFEST, "{}");
        at.fail("GET", "/manifests/", 2, answer.clone());
        assert!(
            at.remote("app")
                .get_manifest(&tag())
                .await
                .unwrap()
                .is_some(),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_done_again_from_the_start() {
    for (method, path) in [
        ("POST", "/blobs/uploads/"),
        ("PUT", "/blobs/uploads/"),
        ("HEAD", "/blobs/"),
    ] {
        for answer in [
            FaultAnswer::ResetAfterwards,
            FaultAnswer::StatusAfterwards(502.into()),
        ] {
            let at = start(Options::default()).await;
            at.fail(method, path, 1, answer.clone());
            let remote = at.remote("app");
            let digest = remote.push_blob(&"layer".into(), None).await.unwrap();
            let stored = at.registry.blob("app", digest.as_str());
            assert!(stored.is_some(), "{method} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_manifest_whose_answer_was_lost_is_written_again() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    let (manifest, digest) = image(&remote, b"layer").await;
    at.fail("PUT", "/manifests/", 1, FaultAnswer::ResetAfterwards);
    let pushed = remote
        .put_manifest(&tag(), MANIFEST, manifest)
        .await
        .unwrap();
    assert_eq!(pushed.digest, digest);
}

#[tokio::test]
async fn a_slow_body_ends_with_the_time_for_the_request() {
    let at = start(Options::default()).await;
    let digest = at.registry.put_blob("app", vec![7; 1000]);
    let slow = FaultAnswer::SlowBody {
        chunk: 1,
        delay: Duration::from_millis(50),
    };
    at.always("/blobs/", slow);
    let remote = At::client(impatient()).repository(at.repository("app"), anonymous());
    let began = Instant::now();
    let digest = Digest::parse(&digest).unwrap();
    let error = remote.get_blob(&digest, 1000).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Backoff);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_given_up_in_time() {
    let at = start(Options::default()).await;
    at.always("/manifests/", FaultAnswer::Hang);
    let remote = At::client(impatient()).repository(at.repository("app"), anonymous());
    let error = remote.get_manifest(&tag()).await.unwrap_err();
    assert!(
        error.to_string().contains("no complete response"),
        "{error}"
    );
}

/// A server that takes connections and says nothing.
async fn silent() -> (tokio::net::TcpListener, Repository) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    let repository = Repository::parse(&format!("{host}/app")).unwrap();
    (listener, repository)
}

#[tokio::test]
async fn a_response_that_does_not_begin_in_time_is_not_asked_for_again_at_once() {
    let (listener, repository) = silent().await;
    let mut options = options();
    options.timeouts.connect = Duration::from_millis(100);
    options.timeouts.first_byte = Duration::from_millis(100);
    let clock = options.clock.clone();
    let remote = At::client(options).repository(repository, anonymous());
    let serve = async {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
        }
    };
    let tag = tag();
    let error = tokio::select! {
        result = remote.get_manifest(&tag) => result.unwrap_err(),
        () = serve => unreachable!(),
    };
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.retry(), Retry::Backoff);
    assert!(clock.slept().is_empty(), "it was sent once");
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_limit() {
    let at = start(Options::default()).await;
    let digest = at.registry.put_blob("app", "layer");
    at.registry.put_manifest("app", "v1", MANIFEST, "{}");
    at.always("/v2/app/", FaultAnswer::EndlessBody);
    let mut options = options();
    options.limits = Limits {
        manifest: 10_000,
        ..Limits::default()
    };
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    let digest = Digest::parse(&digest).unwrap();
    let error = remote.get_blob(&digest, 5000).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: 5000, .. }),
        "{error:?}"
    );
    let error = remote.get_manifest(&tag()).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: 10_000, .. }),
        "{error:?}"
    );
    assert_eq!(error.retry(), Retry::Never);
    assert!(matches!(remote.tags().await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn a_blob_larger_than_allowed_is_not_read_at_all() {
    let at = start(Options::default()).await;
    let digest = Digest::parse(&at.registry.put_blob("app", vec![7; 1000])).unwrap();
    let error = at.remote("app").get_blob(&digest, 999).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: 999, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn content_with_another_digest_is_not_taken() {
    let at = start(Options::default()).await;
    let blob = Digest::parse(&at.registry.put_blob("app", "layer")).unwrap();
    let manifest = at
        .registry
        .put_manifest("app", "v1", MANIFEST, r#"{"a":1}"#);
    at.always("/v2/app/", FaultAnswer::WrongContent);
    let remote = at.remote("app");
    let errors = [
        remote.get_blob(&blob, 100).await.unwrap_err(),
        remote
            .get_manifest(&Digest::parse(&manifest).unwrap().into())
            .await
            .unwrap_err(),
        // By tag it is the header that gives it away.
        remote.get_manifest(&tag()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::Digest { .. }), "{error:?}");
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn a_registry_that_stores_something_else_is_found_out() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    let (manifest, _) = image(&remote, b"layer").await;
    let other = Digest::of(b"other").to_string();
    let header = "docker-content-digest".parse().unwrap();
    at.fail("PUT", "/manifests/", 1, FaultAnswer::Header(header, other));
    let error = remote
        .put_manifest(&tag(), MANIFEST, manifest)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error:?}");
}

#[tokio::test]
async fn a_manifest_is_not_sent_under_another_digest() {
    let at = start(Options::default()).await;
    let name = Name::Digest(Digest::of(b"other"));
    let error = at
        .remote("app")
        .put_manifest(&name, MANIFEST, "{}".into())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(at.seen().is_empty());
}

#[tokio::test]
async fn a_tag_that_may_not_be_moved_is_said_so_whatever_the_status() {
    for code in [400, 403, 409, 412] {
        let at = start(Options {
            immutable_tags: Some(code),
            ..Options::default()
        })
        .await;
        let remote = at.remote("app");
        let (first, _) = image(&remote, b"one").await;
        remote
            .put_manifest(&tag(), MANIFEST, first.clone())
            .await
            .unwrap();
        remote.put_manifest(&tag(), MANIFEST, first).await.unwrap();
        let (second, _) = image(&remote, b"two").await;
        let error = remote
            .put_manifest(&tag(), MANIFEST, second)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::ImmutableTag { status, .. } if status == code),
            "{error:?}"
        );
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let at = start(Options::default()).await;
    let to = at.registry.url();
    at.always("/manifests/", FaultAnswer::Redirect { status: 302, to });
    let error = at.remote("app").get_manifest(&tag()).await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_can_be_tried_later() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    at.registry.shutdown().await;
    let error = remote.get_manifest(&tag()).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Backoff);
}

#[tokio::test]
async fn where_nothing_listens_a_request_is_sent_as_often_as_the_policy_says() {
    for (connections, expected) in [(1, 1), (2, 2), (4, 4)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let mut options = options();
        options.retry.connections = connections;
        // a port that was free a moment ago
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = closed.local_addr().unwrap().port();
        drop(closed);
        options.lookup = windlass_registry::Lookup::scripted(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            vec!["127.0.0.1".parse().unwrap()]
        });
        let client = At::client(options);
        let repository = Repository::parse(&format!("closed.example:{port}/app")).unwrap();
        let error = client.repository(repository, anonymous()).tags().await;
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{error}");
        assert_eq!(asked.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn a_page_in_place_of_a_response_is_told_as_one_and_not_repeated() {
    for media_type in ["text/html; charset=utf-8", "application/json"] {
        let page = Reply::from(200)
            .body("\n<!DOCTYPE html><title>s3cret</title>")
            .media_type(media_type);
        for path in ["/manifests/", "/tags/list"] {
            let at = start(Options::default()).await;
            at.registry.put_manifest("app", "v1", MANIFEST, "{}");
            at.fail("GET", path, usize::MAX, FaultAnswer::Status(page.clone()));
            let remote = at.remote("app");
            let error = match path {
                "/tags/list" => remote.tags().await.unwrap_err(),
                _ => remote.get_manifest(&tag()).await.unwrap_err(),
            };
            let told = error.to_string();
            assert!(told.contains("it is a web page"), "{told}");
            assert!(told.contains("check the name of the registry"), "{told}");
            for no in ["s3cret", "DOCTYPE"] {
                assert!(!told.contains(no), "{told}");
            }
            assert_eq!(error.retry(), Retry::Never);
        }
    }
}
