//! Mirrors that are right, and mirrors that lie.

use std::path::Path;

use serde_json::Value;
use windlass_sandbox::Reply;
use windlass_sandbox::tuf::{Fault, FaultAnswer, Role, TufMirror};

use super::origin::PUBLIC_ROOT;
use super::*;

const TRUSTED: &str = "trusted_root.json";

async fn mirror() -> TufMirror {
    TufMirror::start(&[(TRUSTED, "{}")]).await.unwrap()
}

fn origin(mirror: &TufMirror, folder: &Path) -> Origin {
    Origin {
        mirror: mirror.url(),
        root: mirror.root().into_bytes(),
        folder: folder.to_owned(),
    }
}

/// Asks the mirror, and gives its refusal.
async fn refused(origin: &Origin) -> String {
    let error = trusted_root(origin, Freshness::Now).await.unwrap_err();
    error.to_string()
}

#[test]
fn the_pinned_root_of_the_public_instance_is_signed_by_its_own_keys() {
    assert!(is_root(PUBLIC_ROOT));
    let changed = String::from_utf8(PUBLIC_ROOT.to_vec()).unwrap();
    assert!(!is_root(
        changed
            .replacen("\"threshold\": 3", "\"threshold\": 2", 1)
            .as_bytes()
    ));
    let root: Value = serde_json::from_slice(PUBLIC_ROOT).unwrap();
    assert_eq!(root["signed"]["version"], 16);
}

#[tokio::test]
async fn nothing_is_asked_of_a_mirror_offline() {
    let mirror = TufMirror::start(&[(TRUSTED, "{\"a\":1}")]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let origin = origin(&mirror, folder.path());

    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(
        error.to_string().contains("windlass trust update"),
        "{error}"
    );
    assert_eq!(mirror.connections(), 0);

    let fetched = trusted_root(&origin, Freshness::Now).await.unwrap();
    assert_eq!(fetched.content, b"{\"a\":1}");
    let asked = mirror.connections();
    assert!(asked > 0);

    for freshness in [Freshness::Offline, Freshness::Today] {
        let kept = trusted_root(&origin, freshness).await.unwrap();
        assert_eq!(kept.content, b"{\"a\":1}");
        assert_eq!((kept.at, kept.root_version), (fetched.at, 1));
    }
    // whatever would have been asked has been asked by now: one more question is counted at once
    assert_eq!(mirror.connections(), asked);
    trusted_root(&origin, Freshness::Now).await.unwrap();
    assert!(mirror.connections() > asked);
}

#[tokio::test]
async fn a_mirror_is_believed_by_its_pinned_root_only() {
    let (right, wrong) = (mirror().await, mirror().await);
    let folder = tempfile::tempdir().unwrap();
    let theirs = Origin {
        root: right.root().into_bytes(),
        ..origin(&wrong, folder.path())
    };
    let why = "not signed by enough of the keys";
    let refusal = refused(&theirs).await;
    assert!(refusal.contains(why), "{refusal}");
    assert!(refusal.contains("the one given for it; get"), "{refusal}");
    assert!(refusal.contains("with --root to"), "{refusal}");
    let public = Origin {
        root: PUBLIC_ROOT.to_vec(),
        ..origin(&wrong, folder.path())
    };
    let refusal = refused(&public).await;
    assert!(refusal.contains("if no other is given; get"), "{refusal}");

    // nor is a root that only the mirror vouches for
    right.usurp_root().unwrap();
    let origin = origin(&right, folder.path());
    let refusal = refused(&origin).await;
    assert!(refusal.contains(why), "{refusal}");
    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(matches!(error, TrustError::NeverFetched { .. }), "{error}");

    // what is kept for one root is not used for another
    let own = super::tests::origin(&wrong, folder.path());
    trusted_root(&own, Freshness::Now).await.unwrap();
    let error = trusted_root(&theirs, Freshness::Offline).await.unwrap_err();
    assert!(matches!(error, TrustError::NeverFetched { .. }), "{error}");
}

#[tokio::test]
async fn a_root_that_the_one_before_it_signed_is_followed_and_kept() {
    let mirror = mirror().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = origin(&mirror, folder.path());
    let first = trusted_root(&origin, Freshness::Now).await.unwrap();
    assert_eq!(first.root_version, 1);
    mirror.replace_root_key().unwrap();
    mirror.replace_root_key().unwrap();
    mirror.put(TRUSTED, "{\"a\":2}").unwrap();
    let newest = trusted_root(&origin, Freshness::Now).await.unwrap();
    assert_eq!(newest.root_version, 3);
    assert_eq!(newest.content, b"{\"a\":2}");
    let kept = trusted_root(&origin, Freshness::Offline).await.unwrap();
    assert_eq!((kept.root_version, kept.content), (3, newest.content));
    // whoever starts anew at the first root gets there too
    let elsewhere = tempfile::tempdir().unwrap();
    let anew = super::tests::origin(&mirror, elsewhere.path());
    let anew = trusted_root(&anew, Freshness::Now).await.unwrap();
    assert_eq!(anew.root_version, 3);
    mirror.usurp_root().unwrap();
    let refusal = refused(&origin).await;
    assert!(
        refusal.contains("not signed by enough of the keys"),
        "{refusal}"
    );
}

#[tokio::test]
async fn metadata_that_is_older_or_expired_is_refused() {
    let mirror = mirror().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = origin(&mirror, folder.path());
    mirror.publish_as(2).unwrap();
    trusted_root(&origin, Freshness::Now).await.unwrap();
    mirror.publish_as(1).unwrap();
    let refusal = refused(&origin).await;
    assert!(
        refusal.contains("older than what was fetched before"),
        "{refusal}"
    );
    for (number, role) in [
        (3, Role::Targets),
        (4, Role::Snapshot),
        (5, Role::Timestamp),
    ] {
        mirror.publish_as(number).unwrap();
        mirror.expire(role).unwrap();
        let refusal = refused(&origin).await;
        let name = format!("{role:?}").to_lowercase();
        let why = format!("its {name} metadata has expired at 2020");
        assert!(refusal.contains(&why), "{refusal}");
    }
}

#[tokio::test]
async fn a_file_that_is_changed_missing_or_too_long_is_refused() {
    let mirror = mirror().await;
    let long = Reply::from(200).body("x".repeat(1 << 20));
    let elsewhere = FaultAnswer::RedirectTo("http://127.0.0.1:1/".to_owned());
    for (path, answer, why) in [
        (
            "/targets/",
            FaultAnswer::WrongContent,
            "not the one that its metadata names",
        ),
        (
            "/targets/",
            FaultAnswer::Status(404.into()),
            "a file of its metadata is missing",
        ),
        (
            "/timestamp.json",
            FaultAnswer::Status(long),
            "it sends a file of more than 16384 bytes",
        ),
        (
            "/timestamp.json",
            FaultAnswer::Status(503.into()),
            "HTTP 503",
        ),
        ("/timestamp.json", elsewhere, "it redirects"),
        (
            "/timestamp.json",
            FaultAnswer::Reset,
            "the connection broke",
        ),
        (
            ".snapshot.json",
            FaultAnswer::WrongContent,
            "not the one that its metadata names",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let origin = origin(&mirror, folder.path());
        mirror.fail(Fault::new("GET", path, answer));
        let refusal = refused(&origin).await;
        assert!(refusal.contains(why), "{path}: {refusal}");
        trusted_root(&origin, Freshness::Now).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_kept_is_verified_again_each_time() {
    let mirror = mirror().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = origin(&mirror, folder.path());
    trusted_root(&origin, Freshness::Now).await.unwrap();
    let kept = Cache::of(&origin)
        .folder()
        .join("targets/trusted_root.json");
    std::fs::write(&kept, "[]").unwrap();
    let why = "is damaged or has expired";
    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    let huge = std::fs::File::create(&kept).unwrap();
    huge.set_len(1 << 40).unwrap();
    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    // and fetched again where the network may be asked
    trusted_root(&origin, Freshness::Today).await.unwrap();
}

#[test]
fn an_address_of_a_mirror_has_no_secret_and_none_is_repeated() {
    for (address, expected) in [
        ("ftp://h.example.com", "use https://"),
        ("https://user:secret@h.example.com", "a name or a password"),
        (
            "https://h.example.com?token=secret",
            "a query or a fragment",
        ),
        ("nonsense", "no URL"),
    ] {
        let error = mirror::parse(address).unwrap_err().to_string();
        assert!(error.contains(expected), "{address}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
