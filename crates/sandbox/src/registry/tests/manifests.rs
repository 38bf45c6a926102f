//! Manifests, tags and referrers.

use serde_json::{Value, json};

use super::{IMAGE, TestRequest, call, get, image, put, send, start};
use crate::registry::{Options, Referrers, Registry};

/// The image with a subject, an artifact type and an annotation.
fn about(mut image: Value, subject: &str, kind: &str) -> Value {
    image["subject"] = json!({"mediaType": IMAGE, "digest": subject, "size": 1});
    image["artifactType"] = kind.into();
    image["annotations"] = json!({"note": kind});
    image
}

#[tokio::test]
async fn a_manifest_is_found_by_tag_and_by_digest() {
    let registry = start().await;
    let got = put(&registry, "/v2/a/manifests/v1", &image(&registry, "a", "x")).await;
    assert_eq!(got.status, 201);
    let digest = got.header("docker-content-digest").to_owned();
    assert_eq!(got.location(), format!("/v2/a/manifests/{digest}"));
    for reference in ["v1", &digest] {
        let got = get(&registry, &format!("/v2/a/manifests/{reference}")).await;
        assert_eq!((got.status, got.header("content-type")), (200, IMAGE));
        assert_eq!(got.header("docker-content-digest"), digest);
        assert_eq!(registry.manifest("a", reference).unwrap().bytes, got.body);
    }
    let got = call(&registry, "HEAD", "/v2/a/manifests/v1", b"").await;
    assert_eq!((got.status, got.body.len()), (200, 0));
    assert_ne!(got.header("content-length"), "0");
    let got = get(&registry, "/v2/a/manifests/v2").await;
    assert_eq!((got.status, got.code()), (404, "MANIFEST_UNKNOWN".into()));
}

#[tokio::test]
async fn a_manifest_under_another_digest_is_refused() {
    let registry = start().await;
    let path = format!("/v2/a/manifests/sha256:{}", "0".repeat(64));
    let got = put(&registry, &path, &image(&registry, "a", "x")).await;
    assert_eq!((got.status, got.code()), (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn a_manifest_waits_for_what_it_lists() {
    let registry = start().await;
    let manifest = image(&registry, "elsewhere", "x");
    let got = put(&registry, "/v2/a/manifests/v1", &manifest).await;
    assert_eq!(
        (got.status, got.code()),
        (400, "MANIFEST_BLOB_UNKNOWN".into())
    );
    assert_eq!(registry.repositories(), ["elsewhere"]);
    let mut manifest = image(&registry, "a", "x");
    manifest["config"]["size"] = 3.into();
    let got = put(&registry, "/v2/a/manifests/v1", &manifest).await;
    assert_eq!((got.status, got.code()), (400, "MANIFEST_INVALID".into()));
}

#[tokio::test]
async fn a_manifest_of_more_than_4_mib_is_refused() {
    let registry = start().await;
    let mut manifest = image(&registry, "a", "x");
    manifest["annotations"] = json!({"long": "x".repeat(4 << 20)});
    let got = put(&registry, "/v2/a/manifests/v1", &manifest).await;
    assert_eq!((got.status, got.code()), (413, "SIZE_INVALID".into()));
}

#[tokio::test]
async fn a_manifest_is_not_given_to_a_client_that_does_not_accept_it() {
    let registry = start().await;
    put(&registry, "/v2/a/manifests/v1", &image(&registry, "a", "x")).await;
    let ask = TestRequest {
        method: "GET",
        path: "/v2/a/manifests/v1",
        headers: &[(
            "accept",
            "application/vnd.docker.distribution.manifest.v2+json",
        )],
        body: b"",
    };
    assert_eq!(send(&registry, ask).await.status, 404);
    let accept = format!("text/plain, {IMAGE};q=0.5");
    let ask = TestRequest {
        method: "GET",
        path: "/v2/a/manifests/v1",
        headers: &[("accept", &accept)],
        body: b"",
    };
    assert_eq!(send(&registry, ask).await.status, 200);
}

#[tokio::test]
async fn the_later_of_two_writes_has_the_tag_and_both_keep_their_digest() {
    let registry = start().await;
    put(&registry, "/v2/a/manifests/v1", &image(&registry, "a", "x")).await;
    let got = put(&registry, "/v2/a/manifests/v1", &image(&registry, "a", "y")).await;
    let later = got.header("docker-content-digest");
    assert_eq!(registry.manifest("a", "v1").unwrap().digest, later);
    assert_eq!(registry.manifests("a").len(), 2);
}

#[tokio::test]
async fn deleting_a_tag_keeps_the_manifest_and_deleting_that_takes_its_tags() {
    let registry = start().await;
    for tag in ["v1", "v2", "v3"] {
        let path = format!("/v2/a/manifests/{tag}");
        put(&registry, &path, &image(&registry, "a", "x")).await;
    }
    let digest = registry.manifest("a", "v1").unwrap().digest;
    assert_eq!(
        call(&registry, "DELETE", "/v2/a/manifests/v1", b"")
            .await
            .status,
        202
    );
    assert_eq!(registry.tags("a"), ["v2", "v3"]);
    let path = format!("/v2/a/manifests/{digest}");
    assert_eq!(call(&registry, "DELETE", &path, b"").await.status, 202);
    assert!(registry.tags("a").is_empty());
    assert_eq!(call(&registry, "DELETE", &path, b"").await.status, 404);
}

#[tokio::test]
async fn tags_come_in_order_a_page_at_a_time() {
    let registry = start().await;
    for tag in ["b", "A", "c"] {
        registry.put_manifest("team/a", tag, IMAGE, "{}");
    }
    let got = get(&registry, "/v2/team/a/tags/list").await;
    assert_eq!(
        got.json(),
        json!({"name": "team/a", "tags": ["A", "b", "c"]})
    );
    let got = get(&registry, "/v2/team/a/tags/list?n=2").await;
    assert_eq!(got.json()["tags"], json!(["A", "b"]));
    let next = "/v2/team/a/tags/list?n=2&last=b";
    assert_eq!(got.header("link"), format!("<{next}>; rel=\"next\""));
    let got = get(&registry, next).await;
    assert_eq!(
        (got.json()["tags"].clone(), got.header("link")),
        (json!(["c"]), "")
    );
    let got = get(&registry, "/v2/team/a/tags/list?n=0").await;
    assert_eq!(
        (got.json()["tags"].clone(), got.header("link")),
        (json!([]), "")
    );
    let got = get(&registry, "/v2/none/tags/list").await;
    assert_eq!((got.status, got.code()), (404, "NAME_UNKNOWN".into()));
}

#[tokio::test]
async fn the_catalog_lists_repositories_a_page_at_a_time() {
    let registry = start().await;
    for name in ["b", "a/x", "c"] {
        registry.put_blob(name, "x");
    }
    let got = get(&registry, "/v2/_catalog?n=1").await;
    assert_eq!(got.json(), json!({"repositories": ["a/x"]}));
    let next = "/v2/_catalog?n=1&last=a%2Fx";
    assert_eq!(got.header("link"), format!("<{next}>; rel=\"next\""));
    assert_eq!(
        get(&registry, next).await.json()["repositories"],
        json!(["b"])
    );
}

#[tokio::test]
async fn referrers_are_listed_with_type_and_annotations_and_filtered() {
    let registry = start().await;
    let subject = registry.put_manifest("a", "v1", IMAGE, "{}");
    for kind in ["application/one", "application/two+json"] {
        let manifest = about(image(&registry, "a", kind), &subject, kind);
        let got = put(
            &registry,
            &format!("/v2/a/manifests/{}", kind.len()),
            &manifest,
        )
        .await;
        assert_eq!((got.status, got.header("oci-subject")), (201, &*subject));
    }
    let path = format!("/v2/a/referrers/{subject}");
    let got = get(&registry, &path).await;
    assert_eq!(
        got.header("content-type"),
        "application/vnd.oci.image.index.v1+json"
    );
    assert_eq!(got.json()["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(got.header("oci-filters-applied"), "");
    let got = get(
        &registry,
        &format!("{path}?artifactType=application/two%2Bjson"),
    )
    .await;
    assert_eq!(got.header("oci-filters-applied"), "artifactType");
    let stored = registry.manifest("a", "20").unwrap();
    let expected = json!([{
        "mediaType": IMAGE, "digest": stored.digest, "size": stored.bytes.len(),
        "artifactType": "application/two+json", "annotations": {"note": "application/two+json"},
    }]);
    assert_eq!(got.json()["manifests"], expected);
    let got = get(&registry, &format!("/v2/none/referrers/{subject}")).await;
    assert_eq!(
        (got.status, got.json()["manifests"].clone()),
        (200, json!([]))
    );
}

#[tokio::test]
async fn without_an_artifact_type_the_configuration_names_the_referrer() {
    let registry = start().await;
    let subject = registry.put_manifest("a", "v1", IMAGE, "{}");
    let mut manifest = about(image(&registry, "a", "x"), &subject, "");
    manifest["config"]["mediaType"] = "application/kind".into();
    put(&registry, "/v2/a/manifests/sig", &manifest).await;
    let got = get(&registry, &format!("/v2/a/referrers/{subject}")).await;
    assert_eq!(
        got.json()["manifests"][0]["artifactType"],
        "application/kind"
    );
}

#[tokio::test]
async fn a_long_list_of_referrers_links_to_its_next_page() {
    let options = Options {
        page: Some(2),
        ..Options::default()
    };
    let registry = Registry::start(options).await.unwrap();
    let subject = registry.put_manifest("a", "v1", IMAGE, "{}");
    for layer in ["1", "2", "3"] {
        let manifest = about(image(&registry, "a", layer), &subject, "k/k+k");
        registry.put_manifest("a", layer, IMAGE, manifest.to_string());
    }
    let path = format!("/v2/a/referrers/{subject}?artifactType=k/k%2Bk");
    let got = get(&registry, &path).await;
    assert_eq!(got.json()["manifests"].as_array().unwrap().len(), 2);
    let link = got.header("link");
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let got = get(&registry, next).await;
    assert_eq!(got.json()["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(
        (got.header("link"), got.header("oci-filters-applied")),
        ("", "artifactType")
    );
}

#[tokio::test]
async fn a_registry_without_referrers_says_so_in_the_chosen_way() {
    for (referrers, status) in [(Referrers::NotFound, 404), (Referrers::BadRequest, 400)] {
        let options = Options {
            referrers,
            ..Options::default()
        };
        let registry = Registry::start(options).await.unwrap();
        let subject = registry.put_manifest("a", "v1", IMAGE, "{}");
        let manifest = about(image(&registry, "a", "x"), &subject, "k");
        let got = put(&registry, "/v2/a/manifests/sig", &manifest).await;
        assert_eq!((got.status, got.header("oci-subject")), (201, ""));
        let got = get(&registry, &format!("/v2/a/referrers/{subject}")).await;
        assert_eq!(got.status, status);
    }
}

#[tokio::test]
async fn an_immutable_tag_takes_the_same_content_and_no_other() {
    let options = Options {
        immutable_tags: Some(409),
        ..Options::default()
    };
    let registry = Registry::start(options).await.unwrap();
    for (layer, status) in [("x", 201), ("x", 201), ("y", 409)] {
        let manifest = image(&registry, "a", layer);
        let got = put(&registry, "/v2/a/manifests/v1", &manifest).await;
        assert_eq!(got.status, status);
    }
    assert_eq!(registry.manifests("a").len(), 1);
}
