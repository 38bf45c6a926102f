//! Blobs on their way in and out.

use super::{TestRequest, call, get, send, start};
use crate::registry::digest::Digest;

const UPLOADS: &str = "/v2/team/app/blobs/uploads/";

fn digest(content: &str) -> String {
    Digest::of(content.as_bytes()).to_string()
}

#[tokio::test]
async fn a_blob_is_pushed_in_one_request() {
    let registry = start().await;
    let digest = digest("abc");
    let got = call(
        &registry,
        "POST",
        &format!("{UPLOADS}?digest={digest}"),
        b"abc",
    )
    .await;
    assert_eq!(got.status, 201);
    assert_eq!(got.header("docker-content-digest"), digest);
    let got = get(&registry, got.location()).await;
    assert_eq!((got.status, &got.body[..]), (200, &b"abc"[..]));
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn a_blob_is_pushed_in_chunks_that_follow_on_each_other() {
    let registry = start().await;
    let begun = call(&registry, "POST", UPLOADS, b"").await;
    assert_eq!((begun.status, begun.header("range")), (202, "0-0"));
    let chunk = |range: &'static str, body: &'static [u8]| TestRequest {
        method: "PATCH",
        path: begun.location(),
        headers: match range {
            "0-2" => &[("content-range", "0-2")],
            "4-5" => &[("content-range", "4-5")],
            _ => &[("content-range", "3-4")],
        },
        body,
    };
    let got = send(&registry, chunk("0-2", b"abc")).await;
    assert_eq!((got.status, got.header("range")), (202, "0-2"));
    let got = send(&registry, chunk("4-5", b"ef")).await;
    assert_eq!(
        (got.status, got.code()),
        (416, "BLOB_UPLOAD_INVALID".into())
    );
    let got = send(&registry, chunk("3-4", b"de")).await;
    assert_eq!(got.status, 202);
    let got = get(&registry, begun.location()).await;
    assert_eq!((got.status, got.header("range")), (204, "0-4"));
    let path = format!("{}?digest={}", begun.location(), digest("abcdef"));
    let got = call(&registry, "PUT", &path, b"f").await;
    assert_eq!(got.status, 201);
    assert_eq!(
        registry.blob("team/app", &digest("abcdef")).unwrap(),
        "abcdef"
    );
}

#[tokio::test]
async fn content_that_does_not_match_its_digest_is_refused() {
    let registry = start().await;
    let path = format!("{UPLOADS}?digest={}", digest("abc"));
    let got = call(&registry, "POST", &path, b"abd").await;
    assert_eq!((got.status, got.code()), (400, "DIGEST_INVALID".into()));
    let begun = call(&registry, "POST", UPLOADS, b"").await;
    let got = call(&registry, "PUT", begun.location(), b"abc").await;
    assert_eq!((got.status, got.code()), (400, "DIGEST_INVALID".into()));
    assert!(registry.blob("team/app", &digest("abc")).is_none());
}

#[tokio::test]
async fn an_upload_is_cancelled_and_then_unknown() {
    let registry = start().await;
    let begun = call(&registry, "POST", UPLOADS, b"").await;
    assert_eq!(registry.open_uploads(), 1);
    assert_eq!(
        call(&registry, "DELETE", begun.location(), b"")
            .await
            .status,
        204
    );
    let got = call(&registry, "PATCH", begun.location(), b"x").await;
    assert_eq!(
        (got.status, got.code()),
        (404, "BLOB_UPLOAD_UNKNOWN".into())
    );
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn a_blob_is_mounted_from_another_repository_or_an_upload_begun() {
    let registry = start().await;
    let digest = registry.put_blob("base", "layer");
    let path = format!("{UPLOADS}?mount={digest}&from=base");
    assert_eq!(call(&registry, "POST", &path, b"").await.status, 201);
    assert_eq!(registry.blob("team/app", &digest).unwrap(), "layer");
    let path = format!("{UPLOADS}?mount={digest}&from=elsewhere");
    assert_eq!(call(&registry, "POST", &path, b"").await.status, 202);
}

#[tokio::test]
async fn a_part_of_a_blob_is_answered_with_its_place() {
    let registry = start().await;
    let path = format!("/v2/a/blobs/{}", registry.put_blob("a", "0123456789"));
    let ask = |range| TestRequest {
        method: "GET",
        path: &path,
        headers: match range {
            "in" => &[("range", "bytes=2-4")],
            _ => &[("range", "bytes=10-")],
        },
        body: b"",
    };
    let got = send(&registry, ask("in")).await;
    assert_eq!((got.status, &got.body[..]), (206, &b"234"[..]));
    assert_eq!(got.header("content-range"), "bytes 2-4/10");
    let got = send(&registry, ask("out")).await;
    assert_eq!(
        (got.status, got.header("content-range")),
        (416, "bytes */10")
    );
}

#[tokio::test]
async fn the_headers_of_a_blob_come_without_its_body() {
    let registry = start().await;
    let path = format!("/v2/a/blobs/{}", registry.put_blob("a", "0123456789"));
    let got = call(&registry, "HEAD", &path, b"").await;
    assert_eq!((got.status, got.header("content-length")), (200, "10"));
    assert!(got.body.is_empty());
    assert_eq!(call(&registry, "DELETE", &path, b"").await.status, 202);
    let got = get(&registry, &path).await;
    assert_eq!((got.status, got.code()), (404, "BLOB_UNKNOWN".into()));
}
