//! Facts about pushing and pulling.

use crate::at::{At, MANIFEST, anonymous, image, options, start};
use bytes::Bytes;
use windlass_registry::{Blob, Digest, Error, Name, Repository, Tag};
use windlass_sandbox::registry::{FaultAnswer, Options, Quirk, Transport};

#[tokio::test]
async fn what_was_pushed_is_pulled_again() {
    let at = start(Options::default()).await;
    let remote = at.remote("team/app");
    let (manifest, digest) = image(&remote, b"layer").await;
    let tag = Name::Tag(Tag::parse("v1").unwrap());
    let pushed = remote
        .put_manifest(&tag, MANIFEST, manifest.clone())
        .await
        .unwrap();
    assert_eq!(pushed.digest, digest);
    for name in [tag.clone(), Name::Digest(digest.clone())] {
        let stored = remote.get_manifest(&name).await.unwrap().unwrap();
        assert_eq!((&stored.bytes, &stored.digest), (&manifest, &digest));
        assert_eq!(stored.media_type, MANIFEST);
        let known = remote.head_manifest(&name).await.unwrap().unwrap();
        assert_eq!(known, stored.descriptor());
    }
    let blob = Digest::of(b"layer");
    assert_eq!(remote.head_blob(&blob).await.unwrap(), Some(5));
    assert_eq!(remote.get_blob(&blob, 5).await.unwrap().unwrap(), "layer");
    assert_eq!(remote.tags().await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn what_is_not_there_is_none() {
    let at = start(Options::default()).await;
    let remote = at.remote("team/app");
    let digest = Digest::of(b"x");
    assert_eq!(
        remote.get_manifest(&digest.clone().into()).await.unwrap(),
        None
    );
    assert_eq!(
        remote.head_manifest(&digest.clone().into()).await.unwrap(),
        None
    );
    assert_eq!(remote.head_blob(&digest).await.unwrap(), None);
    assert_eq!(remote.get_blob(&digest, 10).await.unwrap(), None);
    assert!(remote.tags().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_manifest_that_was_found_is_known_for_a_minute_and_one_that_was_not_is_looked_for_again()
{
    let at = start(Options::default()).await;
    let remote = at.remote("team/app");
    let (manifest, digest) = image(&remote, b"layer").await;
    at.registry.clear_requests();
    assert_eq!(remote.known_manifest(&digest).await.unwrap(), None);
    let name = Name::Digest(digest.clone());
    remote
        .put_manifest(&name, MANIFEST, manifest)
        .await
        .unwrap();
    assert_eq!(at.seen(), ["HEAD 404", "PUT 201"]);
    let looks = (0..8).map(|_| remote.known_manifest(&digest));
    for found in futures::future::try_join_all(looks).await.unwrap() {
        assert_eq!(found.unwrap().digest, digest);
    }
    assert_eq!(at.seen(), ["HEAD 200"]);
    at.clock.advance(std::time::Duration::from_secs(60));
    assert!(remote.known_manifest(&digest).await.unwrap().is_some());
    assert_eq!(at.seen(), ["HEAD 200"]);
}

#[tokio::test]
async fn a_common_blob_is_sent_once_for_those_who_want_it_and_is_looked_for_once_it_is_forgotten() {
    let at = start(Options::default()).await;
    let remote = at.remote("team/app");
    let content = Blob::of("{}");
    let pushes = (0..8).map(|_| remote.push_common_blob(&content));
    let answers = futures::future::try_join_all(pushes).await.unwrap();
    assert_eq!(answers.iter().filter(|is_checked| **is_checked).count(), 1);
    assert_eq!(at.seen(), ["HEAD 404", "POST 202", "PUT 201"]);
    assert!(!remote.push_common_blob(&content).await.unwrap());
    // another repository may not have it
    let other = at.remote("team/other");
    assert!(other.push_common_blob(&content).await.unwrap());
    at.registry.clear_requests();
    remote.forget_common_blob(&content);
    assert!(remote.push_common_blob(&content).await.unwrap());
    assert_eq!(at.seen(), ["HEAD 200"]);
    at.clock.advance(std::time::Duration::from_secs(60));
    assert!(remote.push_common_blob(&content).await.unwrap());
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_sent_again() {
    let at = start(Options::default()).await;
    let remote = at.remote("team/app");
    let content = Bytes::from_static(b"layer");
    remote.push_blob(&content, None).await.unwrap();
    at.registry.clear_requests();
    remote.push_blob(&content, None).await.unwrap();
    assert_eq!(at.seen(), ["HEAD 200"]);
}

#[tokio::test]
async fn a_blob_is_mounted_from_another_repository() {
    let at = start(Options::default()).await;
    at.registry.put_blob("team/base", "layer");
    let remote = at.remote("team/app");
    let from = Repository::parse(&format!("{}/team/base", at.registry.host())).unwrap();
    remote
        .push_blob(&"layer".into(), Some(&from))
        .await
        .unwrap();
    assert_eq!(at.seen(), ["HEAD 404", "POST 201"]);
    // A repository that does not have it is no hindrance.
    let remote = at.remote("team/other");
    remote
        .push_blob(&"other".into(), Some(&from))
        .await
        .unwrap();
    assert!(
        at.registry
            .blob("team/other", Digest::of(b"other").as_str())
            .is_some()
    );
}

#[tokio::test]
async fn locations_may_be_relative_have_a_query_or_be_missing() {
    let missing = FaultAnswer::WithoutHeader("location".parse().unwrap());
    let quirks = [
        FaultAnswer::RelativeLocation,
        FaultAnswer::Quirk(Quirk::LocationWithQuery),
        missing,
    ];
    for quirk in quirks {
        let at = start(Options::default()).await;
        at.always("/blobs/uploads/", quirk.clone());
        let remote = at.remote("team/app");
        remote.push_blob(&"layer".into(), None).await.unwrap();
        let digest = Digest::of(b"layer");
        assert!(
            at.registry.blob("team/app", digest.as_str()).is_some(),
            "{quirk:?}"
        );
    }
}

#[tokio::test]
async fn a_blob_is_sent_in_chunks_where_it_is_not_taken_at_once() {
    let at = start(Options::default()).await;
    at.fail("PUT", "/blobs/uploads/", 1, FaultAnswer::Status(413.into()));
    let remote = at.remote("team/app");
    let content = Bytes::from(vec![7; 1_300_000]);
    let digest = remote.push_blob(&content, None).await.unwrap();
    assert_eq!(
        at.registry.blob("team/app", digest.as_str()).unwrap(),
        content
    );
    let patches = at.seen().iter().filter(|seen| *seen == "PATCH 202").count();
    assert_eq!(patches, 3);
}

#[tokio::test]
async fn a_registry_need_not_state_digests() {
    let at = start(Options::default()).await;
    at.always(
        "/v2/",
        FaultAnswer::WithoutHeader("docker-content-digest".parse().unwrap()),
    );
    let remote = at.remote("team/app");
    let (manifest, digest) = image(&remote, b"layer").await;
    let tag = Name::Tag(Tag::parse("v1").unwrap());
    remote.put_manifest(&tag, MANIFEST, manifest).await.unwrap();
    let known = remote.head_manifest(&tag).await.unwrap().unwrap();
    assert_eq!(known.digest, digest);
}

#[tokio::test]
async fn tags_come_in_pages() {
    let at = start(Options {
        page: Some(2),
        ..Options::default()
    })
    .await;
    for tag in ["a", "b", "c", "d", "e"] {
        at.registry
            .put_manifest("app", tag, MANIFEST, format!("{{\"x\":\"{tag}\"}}"));
    }
    assert_eq!(
        at.remote("app").tags().await.unwrap(),
        ["a", "b", "c", "d", "e"]
    );
}

#[tokio::test]
async fn a_list_longer_than_allowed_is_an_error() {
    let at = start(Options {
        page: Some(2),
        ..Options::default()
    })
    .await;
    for number in 0..5 {
        let tag = format!("v{number}");
        at.registry.put_manifest("app", &tag, MANIFEST, "{}");
    }
    let mut options = options();
    options.limits.entries = 4;
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    let error = remote.tags().await.unwrap_err();
    assert!(
        matches!(error, Error::TooMany { limit: 4, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_upload_that_is_begun_to_see_whether_it_may_be_is_given_up() {
    let at = start(Options::default()).await;
    at.remote("team/app").can_push().await.unwrap();
    assert_eq!(at.registry.open_uploads(), 0);
    at.fail(
        "DELETE",
        "/blobs/uploads/",
        1,
        FaultAnswer::Status(405.into()),
    );
    at.remote("team/app").can_push().await.unwrap();
}

#[tokio::test]
async fn https_needs_an_authority_that_is_trusted() {
    let at = start(Options {
        transport: Transport::Tls,
        ..Options::default()
    })
    .await;
    let error = at.remote("app").tags().await.unwrap_err();
    assert!(error.to_string().contains("is not trusted"), "{error}");
    let options = at.trusting();
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    remote.push_blob(&"layer".into(), None).await.unwrap();
}

#[tokio::test]
async fn a_listed_registry_may_show_any_certificate() {
    let at = start(Options {
        transport: Transport::Tls,
        ..Options::default()
    })
    .await;
    let mut options = options();
    options.unchecked_certificates = vec![at.registry.host()];
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    remote.push_blob(&"layer".into(), None).await.unwrap();
}

#[tokio::test]
async fn where_plain_http_is_allowed_certificates_are_still_checked() {
    let at = start(Options {
        transport: Transport::Tls,
        ..Options::default()
    })
    .await;
    let mut options = options();
    options.plain_http = vec![at.registry.host()];
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    let error = remote.tags().await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert!(at.seen().is_empty());
}

#[tokio::test]
async fn where_certificates_are_unchecked_tls_is_still_required() {
    let proxy = start(Options::default()).await;
    let mut options = options();
    options.unchecked_certificates = vec!["registry.test".to_owned()];
    options.proxies.http = Some(proxy.registry.url());
    options.retry.attempts = 1;
    let repository = Repository::parse("registry.test/team/app").unwrap();
    let remote = At::client(options).repository(repository, anonymous());
    assert!(remote.tags().await.is_err());
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_one_is_asked_for() {
    let at = start(Options {
        transport: Transport::MutualTls,
        ..Options::default()
    })
    .await;
    let mut options = at.trusting();
    let bare = At::client(options.clone()).repository(at.repository("app"), anonymous());
    let error = bare.tags().await.unwrap_err();
    assert!(
        matches!(error, Error::ClientCertificate { .. }),
        "{error:?}"
    );
    assert!(at.clock.slept().is_empty(), "it was tried again in vain");
    let shown = at.registry.client_certificate().unwrap();
    options.client_certificate = Some(windlass_registry::ClientCertificate {
        certificate_pem: shown.certificate_pem.clone().into(),
        key_pem: shown.key_pem.clone().into_bytes().into(),
    });
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    remote.push_blob(&"layer".into(), None).await.unwrap();
}

/// In TLS 1.3 the refusal comes after the handshake of the client: before its first request or after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_client_certificate_is_named_whenever_the_refusal_arrives() {
    let at = start(Options {
        transport: Transport::MutualTls,
        ..Options::default()
    })
    .await;
    let mut options = at.trusting();
    options.retry.attempts = 1;
    let bare = At::client(options).repository(at.repository("app"), anonymous());
    for round in 0..200 {
        let error = bare.tags().await.unwrap_err();
        let named = matches!(error, Error::ClientCertificate { .. });
        assert!(named, "round {round}: {error:?}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let at = start(Options::default()).await;
    let remote = at.remote("team/app");
    image(&remote, b"layer").await;
    let before = at.registry.connections();
    for _ in 0..10 {
        remote.tags().await.unwrap();
    }
    assert_eq!(at.registry.connections(), before);
}

#[tokio::test]
async fn requests_go_through_the_proxy_except_where_they_should_not() {
    let proxy = start(Options {
        names: vec!["registry.test".to_owned(), "direct.test".to_owned()],
        ..Options::default()
    });
    let proxy = proxy.await;
    let mut options = options();
    options.plain_http = vec!["registry.test:80".to_owned(), "direct.test".to_owned()];
    options.proxies.http = Some(proxy.registry.url());
    options.proxies.except = Some("direct.test".to_owned());
    options.retry.attempts = 1;
    let client = At::client(options);
    let push = async |name: &str| {
        let repository = Repository::parse(name).unwrap();
        let remote = client.repository(repository, anonymous());
        remote.push_blob(&"layer".into(), None).await
    };
    // There is no such host: only the proxy can have answered.
    push("registry.test/team/app").await.unwrap();
    let digest = Digest::of(b"layer");
    assert!(proxy.registry.blob("team/app", digest.as_str()).is_some());
    proxy.registry.clear_requests();
    assert!(push("direct.test/team/app").await.is_err());
    assert!(proxy.seen().is_empty());
}
