//! What is stored beside images, and with whose credentials.

use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::{
    Accounts, Authentication, Grant, Options, Referrers, Registry, User,
};

use super::*;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn public_key() -> PublicKey {
    PublicKey::from_pem(PUBLIC.as_bytes()).unwrap()
}

/// A registry that lets `pusher` push and `puller` pull.
async fn guarded() -> Registry {
    let users = [
        User::new(
            "pusher",
            "right",
            [Grant::push("team"), Grant::pull("team")],
        ),
        User::new("puller", "wrong", [Grant::pull("team")]),
    ];
    let authentication = Authentication::Basic(Accounts::of(users));
    let options = Options {
        authentication,
        ..Options::default()
    };
    Registry::start(options).await.unwrap()
}

/// Pushes an image to `team/app` and gives its digest.
pub(super) fn image(registry: &Registry) -> String {
    image_with(registry, "{}")
}

/// The same with this config, which makes it another image.
pub(super) fn image_with(registry: &Registry, content: &str) -> String {
    let config = registry.put_blob("team/app", content.to_owned());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "size": content.len(), "digest": config,
        },
        "layers": [],
    });
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    registry.put_manifest("team/app", "v1", media_type, manifest.to_string())
}

/// A finished run that built that image under an account.
pub(super) fn built(name: &str, registry: &Registry, digest: &str) -> Value {
    let mut run = finished(name);
    run["spec"]["serviceAccountName"] = json!("builder");
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": format!("{}/team/app:v1", registry.host()) },
        { "name": "IMAGE_DIGEST", "value": digest },
    ]);
    run
}

/// A secret with the name and password of a user.
pub(super) fn docker_secret(scene: &Scene, name: &str, config: &str) {
    scene.create(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": "default" },
        "type": "kubernetes.io/dockerconfigjson",
        "data": { ".dockerconfigjson": STANDARD.encode(config) },
    }));
}

pub(super) fn account(scene: &Scene, more: &Value) {
    let mut account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": "builder", "namespace": "default" },
    });
    for (name, value) in more.as_object().unwrap() {
        account[name] = value.clone();
    }
    scene.create(account);
}

/// An account for a registry that asks for no credentials.
pub(super) fn anonymous(scene: &Scene) {
    docker_secret(scene, "push", r#"{"auths":{}}"#);
    account(scene, &json!({ "secrets": [{ "name": "push" }] }));
}

pub(super) fn manifest(registry: &Registry, reference: &str) -> Value {
    let found = registry.manifest("team/app", reference);
    let found = found.unwrap_or_else(|| panic!("there is no {reference}"));
    serde_json::from_slice(&found.bytes).unwrap()
}

/// Tags and layers of an image: of its signature and its attestation.
pub(super) fn attached(registry: &Registry, digest: &str, suffix: &str) -> Vec<Value> {
    let tag = format!("{}{suffix}", digest.replace(':', "-"));
    let layers = manifest(registry, &tag)["layers"].clone();
    serde_json::from_value(layers).unwrap()
}

pub(super) fn blob(registry: &Registry, layer: &Value) -> Vec<u8> {
    let digest = layer["digest"].as_str().unwrap();
    registry.blob("team/app", digest).unwrap().to_vec()
}

/// Both stores, for the run and for its images.
pub(super) fn everywhere() -> Value {
    json!({ "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci" })
}

pub(super) fn verify_both(registry: &Registry, digest: &str) {
    verify_signature(registry, digest, &public_key());
    let statements = verified_statements(registry, digest, &public_key());
    assert_eq!(statements.len(), 1, "{statements:#?}");
}

/// Sees that an image has one signature, which is by this key and about the image.
pub(super) fn verify_signature(registry: &Registry, digest: &str, key: &PublicKey) {
    let signatures = attached(registry, digest, ".sig");
    let [layer] = &signatures[..] else {
        panic!("one signature, not {signatures:#?}");
    };
    let notes = &layer["annotations"];
    let signature = notes["dev.cosignproject.cosign/signature"].as_str();
    let signature = STANDARD.decode(signature.unwrap()).unwrap();
    let payload = blob(registry, layer);
    key.verify(&payload, &signature).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(
        payload["critical"]["image"]["docker-manifest-digest"],
        digest
    );
}

/// The statements of an image's attestations, each by this key and about the image.
pub(super) fn verified_statements(
    registry: &Registry,
    digest: &str,
    key: &PublicKey,
) -> Vec<Value> {
    let hex = digest.strip_prefix("sha256:").unwrap();
    let attestations = attached(registry, digest, ".att").into_iter();
    let statements = attestations.map(|layer| {
        let envelope = Envelope::from_json(&blob(registry, &layer)).unwrap();
        let payload = envelope.verify(key).unwrap().payload;
        let statement: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(statement["subject"][0]["digest"]["sha256"], hex);
        statement
    });
    statements.collect()
}

/// Runs a build under an account with these references to `push`, a secret that may push.
async fn signed_with(references: &Value, in_run: Option<Value>) {
    let (scene, registry) = (Scene::with(everywhere()).await, guarded().await);
    let digest = image(&registry);
    docker_secret(&scene, "push", &registry.docker_config("pusher").unwrap());
    docker_secret(&scene, "pull", &registry.docker_config("puller").unwrap());
    docker_secret(&scene, "corrupt", "{");
    account(&scene, references);
    let mut run = built("app", &registry, &digest);
    if let Some(template) = in_run {
        run["spec"]["podTemplate"] = template;
    }
    scene.create(run);
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    scene.end().await;
}

#[tokio::test]
async fn the_secrets_that_the_account_pulls_with_are_pushed_with() {
    signed_with(&json!({ "imagePullSecrets": [{ "name": "push" }] }), None).await;
}

#[tokio::test]
async fn the_secrets_of_the_account_are_pushed_with() {
    signed_with(&json!({ "secrets": [{ "name": "push" }] }), None).await;
}

#[tokio::test]
async fn the_secrets_of_the_pod_template_are_pushed_with() {
    let template = json!({ "imagePullSecrets": [{ "name": "push" }] });
    signed_with(&json!({}), Some(template)).await;
}

#[tokio::test]
async fn neither_a_corrupt_a_missing_nor_a_pull_only_secret_hides_the_right_one() {
    let orders = [
        ["pull", "corrupt", "gone", "push"],
        ["push", "gone", "corrupt", "pull"],
    ];
    for order in orders {
        let names = order.map(|name| json!({ "name": name }));
        signed_with(&json!({ "imagePullSecrets": names }), None).await;
    }
}

#[tokio::test]
async fn a_run_that_no_credential_may_push_for_waits_with_each_of_them_named() {
    let (scene, registry) = (Scene::with(everywhere()).await, guarded().await);
    let digest = image(&registry);
    docker_secret(&scene, "pull", &registry.docker_config("puller").unwrap());
    account(&scene, &json!({ "imagePullSecrets": [{ "name": "pull" }] }));
    scene.create(built("app", &registry, &digest));
    let reason = scene.reason("app").await;
    for part in ["secret default/pull", "no credential", "HTTP 40"] {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(!reason.contains("wrong"), "{reason}");
    assert!(
        !scene
            .annotations("app")
            .contains_key("chains.tekton.dev/signed")
    );
    assert_eq!(registry.tags("team/app"), ["v1"]);

    // a secret that may push is added, and nobody has to touch the run
    docker_secret(&scene, "push", &registry.docker_config("pusher").unwrap());
    let uri = "/api/v1/namespaces/default/serviceaccounts/builder";
    let secrets = json!([{ "name": "pull" }, { "name": "push" }]);
    scene
        .patch(uri, json!({ "imagePullSecrets": secrets }))
        .await;
    assert_eq!(scene.marked("app").await, "true");
    assert!(
        !scene
            .annotations("app")
            .contains_key("chains.tekton.dev/reason")
    );
    verify_both(&registry, &digest);
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_is_signed_again_adds_nothing() {
    let (scene, registry) = (Scene::with(everywhere()).await, guarded().await);
    let digest = image(&registry);
    docker_secret(&scene, "push", &registry.docker_config("pusher").unwrap());
    account(&scene, &json!({ "secrets": [{ "name": "push" }] }));
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
    let unmark = json!({ "metadata": { "annotations": { "chains.tekton.dev/signed": null } } });
    scene.patch(uri, unmark).await;
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    scene.end().await;
}

#[tokio::test]
async fn bundles_refer_to_the_image_whoever_keeps_the_list() {
    for referrers in [Referrers::Served, Referrers::NotFound] {
        let options = Options {
            referrers,
            ..Options::default()
        };
        let registry = Registry::start(options).await.unwrap();
        let mut config = everywhere();
        config["storage.oci.encoding-format"] = json!("sigstore-bundle");
        let scene = Scene::with(config).await;
        let digest = image(&registry);
        scene.create(built("app", &registry, &digest));
        assert_eq!(scene.marked("app").await, "true");
        let mut predicates = Vec::new();
        for name in registry.manifests("team/app") {
            let found = manifest(&registry, &name);
            if found["subject"]["digest"] != digest {
                continue;
            }
            assert_eq!(found["artifactType"], BUNDLE);
            let bundle: Value =
                serde_json::from_slice(&blob(&registry, &found["layers"][0])).unwrap();
            let envelope = bundle["dsseEnvelope"].to_string();
            let envelope = Envelope::from_json(envelope.as_bytes()).unwrap();
            envelope.verify(&public_key()).unwrap();
            let notes = &found["annotations"];
            let note = |name: &str| notes[name].as_str().unwrap().to_owned();
            predicates.push((
                note("dev.sigstore.bundle.predicateType"),
                note("org.opencontainers.image.created"),
            ));
        }
        predicates.sort();
        let expected = [
            (
                "https://sigstore.dev/cosign/sign/v1",
                "1970-01-01T00:00:00Z",
            ),
            ("https://slsa.dev/provenance/v0.2", "2026-11-23T10:01:00Z"),
        ];
        let expected = expected.map(|(kind, created)| (kind.to_owned(), created.to_owned()));
        assert_eq!(predicates, expected);
        let listed = registry.tags("team/app").len();
        assert_eq!(listed, if referrers == Referrers::Served { 1 } else { 2 });
        scene.end().await;
    }
}

#[tokio::test]
async fn two_runs_that_built_one_image_attach_one_signature_and_an_attestation_each() {
    for encoding in ["dsse", "sigstore-bundle"] {
        let registry = Registry::start(Options::default()).await.unwrap();
        let mut config = everywhere();
        config["storage.oci.encoding-format"] = json!(encoding);
        let scene = Scene::with(config).await;
        let digest = image(&registry);
        for (name, ended) in [("first", "10:01"), ("second", "10:09")] {
            let mut run = built(name, &registry, &digest);
            run["status"]["completionTime"] = json!(format!("2026-11-23T{ended}:00Z"));
            scene.create(run);
            assert_eq!(scene.marked(name).await, "true");
        }
        let referring = registry.manifests("team/app").into_iter();
        let referring = referring.map(|name| manifest(&registry, &name));
        let referring = referring.filter(|it| it["subject"]["digest"] == digest);
        let kinds = referring.map(|it| {
            let kind = &it["annotations"]["dev.sigstore.bundle.predicateType"];
            kind.as_str().unwrap().contains("cosign/sign")
        });
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_unstable();
        if encoding == "dsse" {
            verify_signature(&registry, &digest, &public_key());
            assert_eq!(attached(&registry, &digest, ".att").len(), 2);
        } else {
            assert_eq!(kinds, [false, false, true]);
        }
        scene.end().await;
    }
}

#[tokio::test]
async fn a_new_image_takes_fourteen_requests_under_tags_and_ten_as_bundles() {
    for (encoding, most) in [("dsse", 14), ("sigstore-bundle", 10)] {
        let registry = Registry::start(Options::default()).await.unwrap();
        let mut config = everywhere();
        config["storage.oci.encoding-format"] = json!(encoding);
        let scene = Scene::with(config).await;
        let digest = image(&registry);
        registry.clear_requests();
        scene.create(built("app", &registry, &digest));
        assert_eq!(scene.marked("app").await, "true");
        let requests = registry.take_requests();
        assert!(requests.len() <= most, "{encoding}: {requests:#?}");
        scene.end().await;
    }
}

#[tokio::test]
async fn the_empty_config_of_bundles_is_put_back_where_it_was_removed() {
    let registry = Registry::start(Options::default()).await.unwrap();
    let mut config = everywhere();
    config["storage.oci.encoding-format"] = json!("sigstore-bundle");
    let scene = Scene::with(config).await;
    let digest = image(&registry);
    scene.create(built("first", &registry, &digest));
    assert_eq!(scene.marked("first").await, "true");
    let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert!(registry.delete_blob("team/app", empty));
    scene.create(built("second", &registry, &digest));
    assert_eq!(scene.marked("second").await, "true");
    assert!(registry.blob("team/app", empty).is_some());
    scene.end().await;
}

#[tokio::test]
async fn with_both_encodings_tags_and_referrers_are_written_and_none_twice() {
    let registry = Registry::start(Options::default()).await.unwrap();
    let mut config = everywhere();
    config["storage.oci.encoding-format"] = json!("both");
    let scene = Scene::with(config).await;
    let digest = image(&registry);
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    let written = registry.manifests("team/app");
    assert_eq!(written.len(), 5, "the image, two under tags, two referrers");
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
    let unmark = json!({ "metadata": { "annotations": { "chains.tekton.dev/signed": null } } });
    scene.patch(uri, unmark).await;
    assert_eq!(scene.marked("app").await, "true");
    assert_eq!(registry.manifests("team/app"), written);
    verify_both(&registry, &digest);
    scene.end().await;
}

#[tokio::test]
async fn a_bundle_is_in_the_repository_of_the_settings_if_its_image_is_there_too() {
    for copied in [true, false] {
        let registry = Registry::start(Options::default()).await.unwrap();
        let mut config = everywhere();
        config["storage.oci.encoding-format"] = json!("sigstore-bundle");
        config["storage.oci.repository"] = json!(format!("{}/copies", registry.host()));
        let scene = Scene::with(config).await;
        let digest = image(&registry);
        if copied {
            let found = registry.manifest("team/app", &digest).unwrap();
            let media_type = "application/vnd.oci.image.manifest.v1+json";
            registry.put_blob("copies", "{}");
            registry.put_manifest("copies", "v1", media_type, found.bytes);
        }
        scene.create(built("app", &registry, &digest));
        assert_eq!(scene.marked("app").await, "true");
        let (with, without) = if copied {
            ("copies", "team/app")
        } else {
            ("team/app", "copies")
        };
        assert_eq!(
            registry.manifests(with).len(),
            3,
            "the image and two referrers"
        );
        assert_eq!(registry.manifests(without).len(), usize::from(copied));
        if !copied {
            let event = scene.event("ProvenanceIncomplete").await;
            let message = event["message"].as_str().unwrap();
            assert!(
                message.contains("storage.oci.repository is not used"),
                "{message}"
            );
        }
        scene.end().await;
    }
}

#[tokio::test]
async fn the_repository_of_the_settings_takes_the_tags_and_keeps_what_it_has() {
    let registry = Registry::start(Options::default()).await.unwrap();
    let mut config = everywhere();
    config["storage.oci.repository"] = json!(format!("{}/signatures", registry.host()));
    let scene = Scene::with(config).await;
    let digest = image(&registry);
    // of another key, as another team's controller left it
    let other = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let tag = format!("{}.sig", digest.replace(':', "-"));
    let blob = registry.put_blob("signatures", "{}");
    let note = STANDARD.encode(other.sign(b"{}").unwrap());
    let theirs = json!({
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "size": 2,
        "digest": blob,
        "annotations": { "dev.cosignproject.cosign/signature": note, "kept": "yes" },
    });
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": blob,
        },
        "layers": [theirs],
    });
    registry.put_manifest("signatures", &tag, media_type, manifest.to_string());

    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    let found = registry.manifest("signatures", &tag).unwrap();
    let found: Value = serde_json::from_slice(&found.bytes).unwrap();
    assert_eq!(found["layers"].as_array().unwrap().len(), 2);
    assert_eq!(found["layers"][0], theirs);
    assert_eq!(registry.tags("team/app"), ["v1"]);
    scene.end().await;
}

#[tokio::test]
async fn a_subject_that_is_no_image_is_left_out_with_a_note_and_the_others_are_stored() {
    let registry = Registry::start(Options::default()).await.unwrap();
    let scene = Scene::with(everywhere()).await;
    let digest = image(&registry);
    let mut run = built("app", &registry, &digest);
    let results = run["status"]["results"].as_array_mut().unwrap();
    let uri = "https://example.com/Archive.tar.gz?x=1";
    results.insert(0, json!({ "name": "tar-ARTIFACT_URI", "value": uri }));
    let tar = format!("sha256:{}", "12".repeat(32));
    results.insert(1, json!({ "name": "tar-ARTIFACT_DIGEST", "value": tar }));
    scene.create(run);
    assert_eq!(scene.marked("app").await, "true");
    let event = scene.event("ProvenanceIncomplete").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("Archive.tar.gz"), "{message}");
    let attestations = attached(&registry, &digest, ".att");
    assert_eq!(attestations.len(), 1);
    scene.end().await;
}

/// Pushes an index of what is there and gives its digest.
fn index(registry: &Registry, tag: &str, entries: &[&String]) -> String {
    let media_type = "application/vnd.oci.image.index.v1+json";
    let entries = entries.iter().map(|digest| {
        let found = registry.manifest("team/app", digest).unwrap();
        json!({ "mediaType": found.media_type, "size": found.bytes.len(), "digest": digest })
    });
    let index = json!({
        "schemaVersion": 2, "mediaType": media_type, "manifests": entries.collect::<Vec<_>>(),
    });
    registry.put_manifest("team/app", tag, media_type, index.to_string())
}

/// An image of one platform.
fn platform(registry: &Registry, number: usize) -> String {
    let content = json!({ "architecture": number }).to_string();
    let config = registry.put_blob("team/app", content.clone());
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "size": content.len(),
            "digest": config,
        },
        "layers": [],
    });
    registry.put_manifest(
        "team/app",
        &format!("p{number}"),
        media_type,
        manifest.to_string(),
    )
}

async fn recursive() -> Scene {
    let scene = Scene::with(everywhere()).await;
    let recursive = json!({ "artifacts.oci.recursive": "true" });
    scene.configure_own(recursive).await;
    scene
}

#[tokio::test]
async fn every_manifest_of_an_index_is_signed_if_that_is_asked_for() {
    for asked in [true, false] {
        let registry = Registry::start(Options::default()).await.unwrap();
        let scene = if asked {
            recursive().await
        } else {
            Scene::with(everywhere()).await
        };
        let platforms = [1, 2, 3].map(|number| platform(&registry, number));
        let inner = index(&registry, "inner", &[&platforms[1], &platforms[2]]);
        let outer = index(&registry, "outer", &[&platforms[0], &inner, &platforms[0]]);
        scene.create(built("app", &registry, &outer));
        assert_eq!(scene.marked("app").await, "true");
        verify_both(&registry, &outer);
        for digest in platforms.iter().chain([&inner]) {
            let tag = format!("{}.sig", digest.replace(':', "-"));
            assert_eq!(registry.manifest("team/app", &tag).is_some(), asked);
            if asked {
                let [layer] = &attached(&registry, digest, ".sig")[..] else {
                    panic!("one signature");
                };
                let payload: Value = serde_json::from_slice(&blob(&registry, layer)).unwrap();
                let named = &payload["critical"]["image"]["docker-manifest-digest"];
                assert_eq!(named, digest);
            }
        }
        scene.end().await;
    }
}

#[tokio::test]
async fn an_index_that_lists_too_much_or_too_deep_keeps_the_run_waiting() {
    let registry = Registry::start(Options::default()).await.unwrap();
    let scene = recursive().await;
    let many: Vec<String> = (0..101).map(|number| platform(&registry, number)).collect();
    let wide = index(&registry, "wide", &many.iter().collect::<Vec<_>>());
    let mut deep = platform(&registry, 0);
    for level in 0..6 {
        deep = index(&registry, &format!("level-{level}"), &[&deep]);
    }
    for (name, digest, why) in [("wide", wide, "limit of 100"), ("deep", deep, "4 deep")] {
        scene.create(built(name, &registry, &digest));
        let reason = scene.reason(name).await;
        assert!(reason.contains(why), "{reason}");
        let annotations = scene.annotations(name);
        assert!(!annotations.contains_key("chains.tekton.dev/signed"));
        // the index itself is signed, and its run attested
        verify_both(&registry, &digest);
    }
    scene.end().await;
}

#[tokio::test]
async fn a_run_of_which_nothing_is_stored_says_so() {
    let scene = Scene::with(json!({ "artifacts.taskrun.storage": "oci" })).await;
    scene.create(finished("app"));
    assert_eq!(scene.marked("app").await, "true");
    let reason = scene.reason("app").await;
    assert!(reason.starts_with("nothing was stored"), "{reason}");
    scene.event("ProvenanceIncomplete").await;
    scene.end().await;
}
