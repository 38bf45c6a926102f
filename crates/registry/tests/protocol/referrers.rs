//! Facts about referrers: pushed, listed, and kept under a tag where the registry keeps no list.

use std::collections::BTreeMap;

use windlass_registry::manifest::{Descriptor, EMPTY, INDEX, Manifest};
use windlass_registry::{Digest, ListedBy, Remote};
use windlass_sandbox::registry::{FaultAnswer, Options, Referrers};

use crate::at::{At, MANIFEST, anonymous, image, options, start};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Pushes a subject and what referrers are made of; gives the descriptor of the subject.
async fn subject(remote: &Remote) -> Descriptor {
    let (manifest, digest) = image(remote, b"layer").await;
    remote
        .put_manifest(&digest.into(), MANIFEST, manifest.clone())
        .await
        .unwrap();
    Descriptor::of(MANIFEST, &manifest)
}

async fn referrer(remote: &Remote, subject: &Descriptor, kind: &str, note: &str) -> Manifest {
    remote.push_blob(&"{}".into(), None).await.unwrap();
    remote
        .push_blob(&note.to_owned().into(), None)
        .await
        .unwrap();
    let mut manifest = Manifest::new(Descriptor::of(EMPTY, b"{}"));
    manifest.layers.push(Descriptor::of(kind, note.as_bytes()));
    manifest.artifact_type = Some(kind.to_owned());
    manifest.subject = Some(subject.clone());
    manifest.annotations = Some(BTreeMap::from([("note".to_owned(), note.to_owned())]));
    manifest
}

fn notes(found: &[Descriptor]) -> Vec<&str> {
    let note =
        |entry: &'_ Descriptor| entry.annotations.as_ref().unwrap()["note"].clone().leak() as &str;
    let mut notes: Vec<_> = found.iter().map(note).collect();
    notes.sort_unstable();
    notes
}

#[tokio::test]
async fn a_referrer_is_listed_with_its_type_and_annotations_wherever_the_list_is_kept() {
    let cases = [
        (Referrers::Served, ListedBy::Registry),
        (Referrers::NotFound, ListedBy::Tag),
        (Referrers::BadRequest, ListedBy::Tag),
    ];
    for (referrers, listed_by) in cases {
        let at = start(Options {
            referrers,
            ..Options::default()
        })
        .await;
        let remote = at.remote("team/app");
        let subject = subject(&remote).await;
        assert!(
            remote
                .referrers(&subject.digest, None)
                .await
                .unwrap()
                .0
                .is_empty()
        );
        for (kind, note) in [(BUNDLE, "one"), ("text/x", "two"), (BUNDLE, "three")] {
            let manifest = referrer(&remote, &subject, kind, note).await;
            let pushed = remote.push_referrer(&manifest).await.unwrap();
            assert_eq!(pushed.listed_by, listed_by);
            assert_eq!(pushed.descriptor.artifact_type.as_deref(), Some(kind));
        }
        let (all, by) = remote.referrers(&subject.digest, None).await.unwrap();
        assert_eq!((notes(&all), by), (vec!["one", "three", "two"], listed_by));
        let (some, _) = remote
            .referrers(&subject.digest, Some(BUNDLE))
            .await
            .unwrap();
        assert_eq!(notes(&some), ["one", "three"]);
        let tag = format!("sha256-{}", subject.digest.hex());
        let kept = at.registry.manifest("team/app", &tag);
        assert_eq!(kept.is_some(), listed_by == ListedBy::Tag);
        assert!(kept.is_none_or(|kept| kept.media_type == INDEX));
    }
}

#[tokio::test]
async fn pushing_a_referrer_again_adds_nothing_twice() {
    let at = start(Options {
        referrers: Referrers::NotFound,
        ..Options::default()
    })
    .await;
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    let manifest = referrer(&remote, &subject, BUNDLE, "one").await;
    for _ in 0..3 {
        remote.push_referrer(&manifest).await.unwrap();
    }
    assert_eq!(
        remote
            .referrers(&subject.digest, None)
            .await
            .unwrap()
            .0
            .len(),
        1
    );
}

#[tokio::test]
async fn entries_of_others_survive_with_members_that_are_not_known() {
    let at = start(Options {
        referrers: Referrers::NotFound,
        ..Options::default()
    })
    .await;
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    let digest = Digest::of(b"foreign");
    let foreign = serde_json::json!({
        "schemaVersion": 2, "mediaType": INDEX, "x-index": [1],
        "manifests": [{"mediaType": MANIFEST, "size": 7, "digest": digest, "x-entry": {"a": 1}}],
    });
    let tag = format!("sha256-{}", subject.digest.hex());
    let beside = serde_json::to_vec(&foreign).unwrap();
    at.registry
        .put_manifest("app", digest.as_str(), MANIFEST, "foreign");
    at.registry.put_manifest("app", &tag, INDEX, beside);
    let manifest = referrer(&remote, &subject, BUNDLE, "one").await;
    remote.push_referrer(&manifest).await.unwrap();
    let kept = at.registry.manifest("app", &tag).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept.bytes).unwrap();
    assert_eq!(kept["x-index"], serde_json::json!([1]));
    let entries = kept["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().any(|entry| entry["x-entry"]["a"] == 1));
}

#[tokio::test]
async fn referrers_come_in_pages() {
    let at = start(Options {
        page: Some(2),
        ..Options::default()
    })
    .await;
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    for note in ["a", "b", "c", "d", "e"] {
        let manifest = referrer(&remote, &subject, BUNDLE, note).await;
        remote.push_referrer(&manifest).await.unwrap();
    }
    let (found, _) = remote
        .referrers(&subject.digest, Some(BUNDLE))
        .await
        .unwrap();
    assert_eq!(notes(&found), ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_registry_that_lists_without_saying_so_gets_no_tag() {
    let at = start(Options::default()).await;
    at.always(
        "/manifests/",
        FaultAnswer::WithoutHeader("oci-subject".parse().unwrap()),
    );
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    let manifest = referrer(&remote, &subject, BUNDLE, "one").await;
    let pushed = remote.push_referrer(&manifest).await.unwrap();
    assert_eq!(pushed.listed_by, ListedBy::Registry);
    assert!(at.registry.tags("app").is_empty());
}

#[tokio::test]
async fn an_outage_of_the_list_is_no_reason_to_keep_another() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    at.always("/referrers/", FaultAnswer::Status(503.into()));
    assert!(remote.referrers(&subject.digest, None).await.is_err());
    at.registry.clear_faults();
    let outside = "http://192.0.2.1/next".to_owned();
    let link = FaultAnswer::Header(
        "link".parse().unwrap(),
        format!("<{outside}>; rel=\"next\""),
    );
    let manifest = referrer(&remote, &subject, BUNDLE, "one").await;
    remote.push_referrer(&manifest).await.unwrap();
    at.always("/referrers/", link);
    let error = remote.referrers(&subject.digest, None).await.unwrap_err();
    assert!(error.to_string().contains("not followed"), "{error}");
}

#[tokio::test]
async fn something_else_under_the_tag_is_left_alone() {
    let at = start(Options {
        referrers: Referrers::NotFound,
        ..Options::default()
    })
    .await;
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    let tag = format!("sha256-{}", subject.digest.hex());
    at.registry
        .put_manifest("app", &tag, "text/plain", "no index");
    let manifest = referrer(&remote, &subject, BUNDLE, "one").await;
    let error = remote.push_referrer(&manifest).await.unwrap_err();
    assert!(error.to_string().contains("is no index"), "{error}");
    assert_eq!(at.registry.manifest("app", &tag).unwrap().bytes, "no index");
}

#[tokio::test]
async fn a_list_of_referrers_ends_at_its_bounds_however_its_pages_go_on() {
    let at = start(Options {
        page: Some(1),
        ..Options::default()
    })
    .await;
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    for note in ["a", "b", "c", "d", "e"] {
        let manifest = referrer(&remote, &subject, BUNDLE, note).await;
        remote.push_referrer(&manifest).await.unwrap();
    }
    let bounded = |change: fn(&mut windlass_registry::Limits)| {
        let mut options = options();
        change(&mut options.limits);
        At::client(options).repository(at.repository("app"), anonymous())
    };
    let remote = bounded(|limits| limits.entries = 4);
    let error = remote.referrers(&subject.digest, None).await.unwrap_err();
    assert!(error.to_string().contains("limit of 4 entries"), "{error}");
    let remote = bounded(|limits| limits.list = 1000);
    let error = remote.referrers(&subject.digest, None).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("limit of 1000 bytes"), "{error}");
}

#[tokio::test]
async fn an_index_of_referrers_under_a_tag_has_the_same_bounds() {
    let at = start(Options {
        referrers: Referrers::NotFound,
        ..Options::default()
    })
    .await;
    let remote = at.remote("app");
    let subject = subject(&remote).await;
    for note in ["a", "b", "c"] {
        let manifest = referrer(&remote, &subject, BUNDLE, note).await;
        remote.push_referrer(&manifest).await.unwrap();
    }
    let mut options = options();
    options.limits.entries = 2;
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    let error = remote.referrers(&subject.digest, None).await.unwrap_err();
    assert!(error.to_string().contains("limit of 2 entries"), "{error}");
}
