//! `copy`, `save` and `load`: a signed image as one thing.

use serde_json::{Value, json};
use windlass_sandbox::registry::{Options, Referrers};

use crate::verify::registry::ImageScene;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image with a layer that takes several parts, a signature, an attestation and a bundle.
fn signed(options: Options) -> ImageScene {
    let is_listed = options.referrers == Referrers::Served;
    let mut scene = ImageScene::new(options);
    let mut layer = scene.put_blob(&"layer ".repeat(2 << 20));
    layer["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
    scene.digest = scene.push("v1", &[layer], None);
    scene.sign(&scene.key);
    scene.attest(&[ImageScene::provenance(scene.hex()).to_string()]);
    let referrer = scene.refer(&scene.signature_statement());
    if !is_listed {
        scene.list_under_tag(&referrer, scene.size_of(&referrer));
    }
    scene
}

#[track_caller]
fn succeed(scene: &ImageScene, line: &str) {
    let outcome = scene.shell.run(line);
    assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
}

/// Whether signatures and attestations of the image are valid there.
#[track_caller]
fn verified(scene: &ImageScene, image: &str) {
    succeed(scene, &format!("verify --key cosign.pub {image}"));
    let line = format!("verify-attestation --key cosign.pub --type slsaprovenance {image}");
    succeed(scene, &line);
}

#[test]
fn a_copy_keeps_its_digest_and_everything_that_is_attached() {
    for referrers in [Referrers::Served, Referrers::NotFound] {
        let scene = signed(Options {
            referrers,
            ..Options::default()
        });
        let other = ImageScene::new(Options {
            referrers,
            ..Options::default()
        });
        let near = format!("{}/team/mirror:v2", scene.registry.host());
        let far = format!("{}/other/app:v2", other.registry.host());
        for place in [near, far] {
            succeed(&scene, &format!("copy {} {place}", scene.tagged()));
            verified(&scene, &place);
            let tree = |image: &str| {
                let shown = scene.shell.succeed(&format!("tree {image}"));
                // the index of the scene does not name the type of its referrer
                let lines = shown.lines().skip(1);
                let named = lines.map(|line| line.split(" application/").next().unwrap());
                named.collect::<Vec<_>>().join("\n")
            };
            assert_eq!(tree(&place), tree(&scene.tagged()), "{place}");
            assert!(tree(&place).contains("referrer"), "{}", tree(&place));
            // once more changes nothing
            succeed(&scene, &format!("copy {} {place}", scene.tagged()));
        }
    }
}

#[test]
fn a_tag_that_names_something_else_is_replaced_only_by_force() {
    let scene = signed(Options::default());
    let place = format!("{}/team/mirror", scene.registry.host());
    scene
        .registry
        .put_manifest("team/mirror", "v1", MANIFEST, r#"{"schemaVersion":2}"#);
    let line = format!("copy {} {place}:v1", scene.tagged());
    scene.shell.fail(2, &line, "use --force to replace it");
    let tag = format!("sha256-{}.sig", scene.hex());
    assert!(scene.registry.manifest("team/mirror", &tag).is_none());
    succeed(&scene, &format!("{line} -f"));
    verified(&scene, &format!("{place}:v1"));
    let line = format!("copy {} {place}@sha256:{}", scene.tagged(), "1".repeat(64));
    scene.shell.fail(2, &line, "another digest");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_told_as_one() {
    let scene = signed(Options::default());
    scene.shell.write("plain", "x");
    let line = format!("save --dir plain {}", scene.tagged());
    scene.shell.fail(2, &line, "plain is a file; name a folder");
    assert_eq!(scene.shell.read("plain"), b"x");
}

#[test]
fn parts_of_a_signed_image_are_copied_alone() {
    let scene = signed(Options::default());
    let has = |end: &str| {
        let tag = match end {
            "v1" => "v1".to_owned(),
            end => format!("sha256-{}{end}", scene.hex()),
        };
        scene.registry.manifest("team/mirror", &tag).is_some()
    };
    let copy = |flags: &str| {
        let place = format!("{}/team/mirror:v1", scene.registry.host());
        succeed(&scene, &format!("copy {flags} {} {place}", scene.tagged()));
    };
    let place = format!("{}/team/mirror:v1", scene.registry.host());
    let line = format!("copy --only sbom {} {place}", scene.tagged());
    let outcome = scene.shell.run(&line);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let told = "nothing was copied: nothing that --only names is attached to";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    copy("--sig-only");
    assert!(has(".sig") && !has(".att") && !has("v1"));
    copy("--only=att,sbom");
    assert!(has(".att") && !has("v1"));
    copy("");
    assert!(has("v1"));
}

/// Pushes an index of images, each with its platform.
fn index(scene: &ImageScene, images: &[(&str, &str)]) -> String {
    let listed: Vec<Value> = images
        .iter()
        .map(|(digest, architecture)| {
            json!({
                "mediaType": MANIFEST, "digest": digest, "size": scene.size_of(digest),
                "platform": { "os": "linux", "architecture": architecture },
            })
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": listed });
    scene
        .registry
        .put_manifest("team/app", "all", INDEX, index.to_string())
}

#[test]
fn an_index_is_copied_with_its_images_and_their_signatures() {
    let scene = signed(Options::default());
    let mut layer = scene.put_blob("another");
    layer["mediaType"] = json!("text/plain");
    let unsigned = scene.push("unsigned", &[layer], None);
    index(&scene, &[(&scene.digest, "amd64"), (&unsigned, "arm64")]);
    let host = scene.registry.host();
    let whole = format!("{host}/team/mirror");
    succeed(&scene, &format!("copy {host}/team/app:all {whole}:all"));
    verified(&scene, &format!("{whole}@{}", scene.digest));
    assert!(scene.registry.manifest("team/mirror", &unsigned).is_some());
    let one = format!("{host}/team/one:v1");
    let line = format!("copy --platform linux/amd64 {host}/team/app:all {one}");
    succeed(&scene, &line);
    verified(&scene, &one);
    assert!(scene.registry.manifest("team/one", &unsigned).is_none());
    let line = format!("copy --platform linux/s390x {host}/team/app:all {one}");
    scene
        .shell
        .fail(2, &line, "it has linux/amd64, linux/arm64");
    // and by way of a folder
    succeed(&scene, &format!("save --dir all {host}/team/app:all"));
    succeed(&scene, &format!("load --dir all {host}/team/loaded:all"));
    verified(&scene, &format!("{host}/team/loaded@{}", scene.digest));
}

#[test]
fn a_saved_image_is_loaded_with_its_signatures() {
    let scene = signed(Options::default());
    succeed(&scene, &format!("save --dir saved/app {}", scene.image()));
    let layout: Value = serde_json::from_slice(&scene.shell.read("saved/app/index.json")).unwrap();
    let kinds: Vec<&str> = layout["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["annotations"]["kind"].as_str())
        .collect();
    let prefix = "dev.cosignproject.cosign/";
    assert_eq!(
        kinds,
        ["image", "sigs", "atts"].map(|kind| format!("{prefix}{kind}"))
    );
    let other = ImageScene::new(Options::default());
    let place = format!("{}/other/app:v3", other.registry.host());
    succeed(&scene, &format!("load --dir saved/app {place}"));
    verified(&scene, &place);
    let tree = scene.shell.succeed(&format!("tree {place}"));
    assert!(tree.contains("referrer"), "{tree}");
    // over what was saved before
    succeed(&scene, &format!("save --dir saved/app {}", scene.image()));
}

#[test]
fn a_layout_that_was_tampered_with_is_refused() {
    let scene = signed(Options::default());
    succeed(&scene, &format!("save --dir app {}", scene.image()));
    let place = format!("{}/other/app:v1", scene.registry.host());
    let line = format!("load --dir app {place}");
    let manifest = format!("app/blobs/sha256/{}", scene.hex());
    let read = scene.shell.read(&manifest);
    scene.shell.write(&manifest, [&read[..], b" "].concat());
    scene.shell.fail(2, &line, "is damaged");
    scene.shell.write(&manifest, &read);
    let config: Value = serde_json::from_slice(&read).unwrap();
    for blob in [&config["config"], &config["layers"][0]] {
        let hex = blob["digest"].as_str().unwrap().replace("sha256:", "");
        let path = format!("app/blobs/sha256/{hex}");
        let mut content = scene.shell.read(&path);
        let kept = content.clone();
        *content.last_mut().unwrap() ^= 1;
        scene.shell.write(&path, &content);
        // a repository that has none of the blobs yet
        let path_there = format!("other/{}", &hex[..8]);
        let line = format!("load --dir app {}/{path_there}:v1", scene.registry.host());
        let outcome = scene.shell.run(&line);
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(scene.registry.manifest(&path_there, "v1").is_none());
        scene.shell.write(&path, &kept[1..]);
        scene.shell.fail(2, &line, "is damaged");
        scene.shell.write(&path, &kept);
    }
    for (index, why) in [
        ("{", "is no index"),
        (r#"{"schemaVersion":2,"manifests":[]}"#, "lists nothing"),
        (
            r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","size":1,"digest":"sha256:../../../../etc/passwd"}]}"#,
            "is no index",
        ),
    ] {
        scene.shell.write("app/index.json", index);
        scene.shell.fail(2, &line, why);
    }
    scene.shell.fail(
        2,
        "load --dir nowhere r.io/app",
        "the folder nowhere was not found",
    );
}

#[test]
fn a_credential_that_is_typed_is_sent_to_one_registry_alone() {
    let scene = signed(Options::default());
    let line = format!(
        "copy --registry-username a --registry-password b {} r.example.com/app",
        scene.image()
    );
    scene.shell.fail(2, &line, "is for one registry");
}

#[test]
fn an_image_with_too_many_parts_is_not_copied() {
    let scene = signed(Options::default());
    let place = format!("{}/team/mirror:v1", scene.registry.host());
    let copy = |tag: &str| format!("copy {}/team/app:{tag} {place}", scene.registry.host());
    let mut digest = scene.digest.clone();
    for _ in 0..5 {
        digest = index(&scene, &[(&digest, "amd64")]);
    }
    scene.shell.fail(2, &copy("all"), "nested more than 4 deep");
    let mut many = Vec::new();
    for number in 0..501 {
        let mut layer = scene.put_blob(&number.to_string());
        layer["mediaType"] = json!("text/plain");
        many.push(scene.push("one", &[layer], None));
    }
    let many: Vec<(&str, &str)> = many.iter().map(|digest| (digest.as_str(), "x")).collect();
    index(&scene, &many);
    scene.shell.fail(2, &copy("all"), "more than 500 manifests");
    assert!(scene.registry.manifest("team/mirror", "v1").is_none());
}
