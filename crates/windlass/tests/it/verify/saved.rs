//! `--local-image`: images in folders, as windlass and cosign save them.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_registry::Digest;
use windlass_sandbox::registry::Options;

use super::registry::{ImageScene, SLSA};
use crate::shell::Outcome;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image that was signed and attested, and saved in the folder `app`.
fn saved() -> ImageScene {
    let scene = with_a_layer();
    scene.sign(&scene.key);
    scene.attest(&[ImageScene::provenance(scene.hex()).to_string()]);
    save(&scene, "app");
    scene
}

/// An image whose signature and attestation are bundles, and saved as cosign 3 saves it: its index
/// lists the image alone.
fn saved_by_cosign_3() -> ImageScene {
    let scene = with_a_layer();
    scene.refer(&scene.signature_statement());
    scene.refer(&ImageScene::provenance(scene.hex()).to_string());
    save(&scene, "app");
    change_index(&scene, |entries| entries.truncate(1));
    scene
}

fn with_a_layer() -> ImageScene {
    let mut scene = ImageScene::new(Options::default());
    let mut layer = scene.put_blob("a layer");
    layer["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
    scene.digest = scene.push("v1", &[layer], None);
    scene
}

fn save(scene: &ImageScene, folder: &str) {
    let image = scene.image();
    scene.shell.succeed(&format!("save --dir {folder} {image}"));
    // from here on nothing is asked of it
    scene.registry.take_requests();
}

fn index(scene: &ImageScene) -> Value {
    serde_json::from_slice(&scene.shell.read("app/index.json")).unwrap()
}

fn change_index(scene: &ImageScene, change: impl FnOnce(&mut Vec<Value>)) {
    let mut index = index(scene);
    change(index["manifests"].as_array_mut().unwrap());
    scene.shell.write("app/index.json", index.to_string());
}

fn verify(scene: &ImageScene, flags: &str) -> Outcome {
    scene.shell.run(&format!(
        "verify --key cosign.pub --local-image {flags} app"
    ))
}

fn verify_attestation(scene: &ImageScene, flags: &str) -> Outcome {
    scene.shell.run(&format!(
        "verify-attestation --key cosign.pub --type slsaprovenance --local-image {flags} app"
    ))
}

#[track_caller]
fn refused(scene: &ImageScene, text: &str) {
    for outcome in [verify(scene, ""), verify_attestation(scene, "")] {
        assert_eq!(outcome.code, 2, "{}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("Verified OK"),
            "{}",
            outcome.stderr
        );
        let lines = outcome.stderr.trim_end().lines().count();
        assert_eq!(lines, 1, "{}", outcome.stderr);
    }
}

/// The path of a blob that a manifest of the folder refers to.
fn blob(scene: &ImageScene, digest: &Value, part: &str) -> String {
    let hex = digest.as_str().unwrap().replace("sha256:", "");
    let manifest = scene.shell.read(&format!("app/blobs/sha256/{hex}"));
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let digest = manifest.pointer(part).unwrap()["digest"].as_str();
    digest.unwrap().replace("sha256:", "app/blobs/sha256/")
}

#[test]
fn a_saved_image_is_verified_and_no_registry_is_asked() {
    let scene = saved();
    let outcome = verify(&scene, "");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let hex = scene.hex();
    for line in [
        "app\n".to_owned(),
        format!("  digest: {}\n", scene.digest),
        format!("  found in: tag sha256-{hex}.sig, sha256:"),
        format!("  found in: tag sha256-{hex}.att, sha256:"),
        format!("  predicate type: {SLSA}"),
    ] {
        assert!(outcome.stdout.contains(&line), "{line}\n{}", outcome.stdout);
    }
    assert_eq!(outcome.stderr, "Verified OK\n");
    let outcome = verify_attestation(&scene, "");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let envelope: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    assert!(scene.registry.take_requests().is_empty());
}

#[test]
fn the_json_of_a_saved_image_is_that_of_the_image_in_its_registry() {
    for scene in [saved(), saved_by_cosign_3()] {
        let local = verify(&scene, "-o json");
        assert_eq!(local.code, 0, "{}", local.stderr);
        assert_eq!(local.stdout, scene.verify("-o json").stdout);
        let claims: Value = serde_json::from_str(&local.stdout).unwrap();
        assert_eq!(
            claims[0]["critical"]["image"]["docker-manifest-digest"],
            scene.digest.as_str()
        );
        let report = verify(&scene, "-o report").stdout;
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["target"], "app");
        assert_eq!(report["digest"], scene.digest.as_str());
    }
}

/// cosign 3 lists no referrers in the index of the folder.
#[test]
fn bundles_are_found_that_the_index_does_not_list() {
    let scene = saved_by_cosign_3();
    let outcome = verify(&scene, "");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("found in: referrer, sha256:"));
    assert_eq!(verify_attestation(&scene, "").code, 0);
    // and they are loaded
    let other = ImageScene::new(Options::default());
    let place = format!("{}/other/app:v1", other.registry.host());
    scene.shell.succeed(&format!("load --dir app {place}"));
    let line = format!("verify --key cosign.pub {place}");
    scene.shell.succeed(&line);
}

#[test]
fn the_order_of_the_index_and_other_annotations_are_no_matter() {
    let scene = saved();
    change_index(&scene, |entries| {
        entries.reverse();
        for entry in entries {
            entry["annotations"]["com.example.note"] = json!("x");
        }
    });
    assert_eq!(verify(&scene, "").code, 0);
    assert_eq!(verify_attestation(&scene, "").code, 0);
}

/// oras lists referrers with their types, and what tags attach with those tags.
#[test]
fn the_image_of_another_tool_is_what_is_not_attached_to_it() {
    let scene = saved();
    let hex = scene.hex().to_owned();
    change_index(&scene, |entries| {
        entries.reverse();
        for entry in entries {
            let name = match entry["annotations"]["kind"].as_str().unwrap() {
                "dev.cosignproject.cosign/sigs" => format!("sha256-{hex}.sig"),
                "dev.cosignproject.cosign/atts" => format!("sha256-{hex}.att"),
                _ => "v1".to_owned(),
            };
            entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        }
    });
    assert_eq!(verify(&scene, "").code, 0);
    assert_eq!(verify_attestation(&scene, "").code, 0);
    let scene = saved_by_cosign_3();
    save(&scene, "app");
    change_index(&scene, |entries| {
        for entry in entries {
            entry.as_object_mut().unwrap().remove("annotations");
        }
    });
    assert_eq!(verify(&scene, "").code, 0);
    assert_eq!(verify_attestation(&scene, "").code, 0);
}

#[test]
fn several_folders_have_to_be_verified_each() {
    let scene = saved();
    let bare = with_a_layer();
    let image = bare.image();
    scene.shell.succeed(&format!("save --dir bare {image}"));
    let outcome = verify(&scene, "app");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let outcome = verify(&scene, "bare");
    assert_eq!(outcome.code, 1);
    let why = "bare: no image signature was found";
    assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
}

#[test]
fn an_index_is_verified_by_its_own_digest() {
    let mut scene = with_a_layer();
    let listed = json!({
        "mediaType": MANIFEST, "digest": scene.digest, "size": scene.size_of(&scene.digest),
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [listed] });
    scene.sign(&scene.key);
    let image = scene.digest.clone();
    scene.digest = scene
        .registry
        .put_manifest("team/app", "all", INDEX, index.to_string());
    save(&scene, "app");
    let outcome = verify(&scene, "");
    assert_eq!(outcome.code, 1, "the signature is that of an image in it");
    scene.sign(&scene.key);
    save(&scene, "app");
    assert_eq!(verify(&scene, "").code, 0);
    let file = format!("app/blobs/sha256/{}", image.replace("sha256:", ""));
    std::fs::remove_file(scene.shell.path(&file)).unwrap();
    refused(&scene, &format!("{file} is missing; save the image again"));
}

#[test]
fn a_signature_by_another_key_or_of_another_image_does_not_count_in_a_folder() {
    let scene = with_a_layer();
    scene.sign(&PrivateKey::generate_p256(&[8; 32]).unwrap());
    save(&scene, "app");
    let outcome = verify(&scene, "");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);

    // what another image was signed with, put beside this one
    let scene = saved();
    let other = ImageScene::new(Options::default());
    let image = other.image();
    scene.shell.succeed(&format!("save --dir other {image}"));
    let root = scene.shell.read("other/index.json");
    let root: Value = serde_json::from_slice(&root).unwrap();
    change_index(&scene, |entries| entries[0] = root["manifests"][0].clone());
    for (path, content) in files(&scene, "other/blobs/sha256") {
        scene
            .shell
            .write(&format!("app/blobs/sha256/{path}"), content);
    }
    let outcome = verify(&scene, "");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    let why = format!("the signature is for another image, {}", scene.digest);
    assert!(outcome.stdout.contains(&why), "{}", outcome.stdout);
    assert_eq!(verify_attestation(&scene, "").code, 1);
    assert_eq!(verify(&scene, "--check-claims=false").code, 0);
}

fn files(scene: &ImageScene, folder: &str) -> Vec<(String, Vec<u8>)> {
    let listing = scene.shell.path(folder).read_dir().unwrap();
    let names = listing.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| {
            let content = scene.shell.read(&format!("{folder}/{name}"));
            (name, content)
        })
        .collect()
}

#[test]
fn a_folder_that_is_no_layout_is_told_as_what_it_is() {
    let scene = saved();
    let line = |folder: &str| format!("verify --key cosign.pub --local-image {folder}");
    for (folder, text) in [
        (
            "nowhere",
            "the folder nowhere was not found; name one that `save`",
        ),
        (
            "r.io/team/app:v1",
            "the folder r.io/team/app:v1 was not found",
        ),
        ("cosign.pub", "cosign.pub is a file; name a folder"),
        (
            "app/blobs",
            "app/blobs is not an OCI layout: it has no index",
        ),
    ] {
        scene.shell.fail(2, &line(folder), text);
    }
    let words = ["verify", "--key", "cosign.pub", "--local-image", ""];
    let outcome = scene.shell.words(&words);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let told = "the name of the folder is blank";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    for (index, text) in [
        ("{", "is no index; save the image again"),
        (r#"{"schemaVersion":2,"manifests":[]}"#, "lists nothing"),
        (
            r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","size":1,"digest":"sha256:../../etc/passwd"}]}"#,
            "is no index",
        ),
    ] {
        scene.shell.write("app/index.json", index);
        refused(&scene, text);
    }
    let large = " ".repeat((4 << 20) + 1);
    scene.shell.write("app/index.json", large);
    refused(&scene, "app/index.json is damaged: it is larger than 4 MiB");
}

/// A tool that takes the folder by a tag would get the other one.
#[test]
fn an_image_that_is_nothing_of_the_signed_one_is_refused_however_it_is_listed() {
    let scene = saved();
    let other = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let digest = Digest::of(other.as_bytes());
    let place = digest.as_str().replace("sha256:", "app/blobs/sha256/");
    scene.shell.write(&place, other);
    for annotations in [
        json!({}),
        json!({ "org.opencontainers.image.ref.name": "v1" }),
        json!({ "kind": "dev.cosignproject.cosign/imagE" }),
    ] {
        let entry = json!({
            "mediaType": MANIFEST, "size": other.len(), "digest": digest.as_str(),
            "annotations": annotations, "artifactType": "application/x",
        });
        change_index(&scene, |entries| entries.insert(0, entry));
        refused(&scene, "has several images, sha256:");
        change_index(&scene, |entries| drop(entries.remove(0)));
    }
    assert_eq!(verify(&scene, "").code, 0);
}

#[test]
fn an_image_of_another_size_than_it_is_listed_with_is_refused() {
    let scene = saved();
    for size in [5, u64::MAX] {
        change_index(&scene, |entries| entries[0]["size"] = json!(size));
        refused(&scene, &format!("bytes and is listed with {size}"));
    }
}

#[test]
fn a_folder_with_several_images_is_refused() {
    let scene = saved();
    let entry = json!({
        "mediaType": MANIFEST, "size": 1, "digest": format!("sha256:{}", "1".repeat(64)),
        "annotations": { "kind": "dev.cosignproject.cosign/image" },
    });
    change_index(&scene, |entries| entries.push(entry));
    refused(&scene, "has several images, sha256:");
    refused(&scene, "save each in a folder of its own");
    let line = "load --dir app r.example.com/app:v1";
    scene.shell.fail(2, line, "has several images");
    change_index(&scene, |entries| {
        for entry in entries {
            entry["annotations"] = json!({});
        }
    });
    refused(&scene, "does not say which is the image");
    change_index(&scene, |entries| {
        let one = entries[0].clone();
        entries.resize(501, one);
    });
    refused(&scene, "lists 501 manifests, and at most 500 are read");
}

#[test]
fn every_blob_of_the_image_is_compared_with_its_digest() {
    let scene = saved();
    let digest = json!(scene.digest);
    let manifest = format!("app/blobs/sha256/{}", scene.hex());
    let [config, layer] = ["/config", "/layers/0"].map(|part| blob(&scene, &digest, part));
    for file in [manifest, config, layer] {
        let whole = scene.shell.read(&file);
        std::fs::remove_file(scene.shell.path(&file)).unwrap();
        refused(&scene, &format!("{file} is missing; save the image again"));
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        for content in [&whole[1..], &[&whole[..], b" "].concat(), &changed] {
            scene.shell.write(&file, content);
            refused(&scene, &format!("{file} is damaged: it "));
            refused(&scene, "; save the image again");
        }
        scene.shell.write(&file, &whole);
    }
    assert_eq!(verify(&scene, "").code, 0);
}

#[test]
fn what_is_damaged_of_a_signature_is_named_and_does_not_count() {
    let scene = saved();
    let signatures = index(&scene)["manifests"][1]["digest"].clone();
    let payload = blob(&scene, &signatures, "/layers/0");
    let whole = scene.shell.read(&payload);
    let large = [&whole[..], &vec![b' '; 1 << 20]].concat();
    for (content, why) in [
        (None, format!("{payload} is missing; save the image again")),
        (
            Some(&whole[1..]),
            format!("{payload} is damaged: it is not sha256:"),
        ),
        (
            Some(&large[..]),
            format!("{payload} is damaged: it is larger than the"),
        ),
    ] {
        match content {
            None => std::fs::remove_file(scene.shell.path(&payload)).unwrap(),
            Some(content) => scene.shell.write(&payload, content),
        }
        let outcome = verify(&scene, "");
        assert_eq!(outcome.code, 1, "{}", outcome.stdout);
        assert!(outcome.stdout.contains(&why), "{why}\n{}", outcome.stdout);
    }
    let manifest = signatures.as_str().unwrap();
    let manifest = manifest.replace("sha256:", "app/blobs/sha256/");
    scene.shell.write(&manifest, "{}");
    refused(&scene, &format!("{manifest} is damaged: it is not sha256:"));
}

#[test]
fn a_folder_with_more_files_than_are_looked_at_is_refused() {
    let scene = saved();
    for number in 0..20_000 {
        scene.shell.write(&format!("app/blobs/sha256/{number}"), "");
    }
    refused(&scene, "app/blobs/sha256 has more than 20000 files");
    refused(&scene, "save the image in a folder of its own");
}

/// CVE-2021-41190: what is an image for one reader and an index for another.
#[test]
fn an_image_that_is_listed_as_an_index_is_refused() {
    let scene = saved();
    change_index(&scene, |entries| entries[0]["mediaType"] = json!(INDEX));
    refused(
        &scene,
        "it is another kind of manifest than it is listed as",
    );
}

#[test]
fn a_manifest_that_readers_read_in_two_ways_is_refused() {
    let scene = saved();
    let manifest = scene.registry.manifest("team/app", &scene.digest).unwrap();
    let text = String::from_utf8(manifest.bytes.to_vec()).unwrap();
    let start = text.strip_suffix('}').unwrap();
    for more in [
        r#""manifests":[],"manifests":[]"#,
        r#""Manifests":[]"#,
        r#""layers":[]"#,
        r#""MediaType":"x""#,
    ] {
        let text = format!("{start},{more}}}");
        let digest = Digest::of(text.as_bytes());
        let place = digest.as_str().replace("sha256:", "app/blobs/sha256/");
        scene.shell.write(&place, &text);
        change_index(&scene, |entries| {
            entries[0]["digest"] = json!(digest.as_str());
            entries[0]["size"] = json!(text.len());
        });
        refused(
            &scene,
            "it is another kind of manifest than it is listed as",
        );
    }
}

#[test]
fn links_are_followed_within_the_folder_only_and_pipes_never() {
    let scene = saved();
    let digest = json!(scene.digest);
    let layer = blob(&scene, &digest, "/layers/0");
    let path = scene.shell.path(&layer);
    let put = |link: &str| {
        std::fs::remove_file(&path).unwrap();
        symlink(scene.shell.path(link), &path).unwrap();
    };
    scene.shell.write("app/kept", scene.shell.read(&layer));
    put("app/kept");
    let outcome = verify(&scene, "");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    scene.shell.write("elsewhere", "a layer");
    put("elsewhere");
    refused(
        &scene,
        &format!("{layer} is a link that leads out of the folder"),
    );
    refused(&scene, "cp -rL");
    put("nowhere");
    refused(&scene, &format!("{layer} is missing"));
    std::fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    refused(&scene, &format!("{layer} is damaged: it is no file"));
}

#[test]
fn the_folder_itself_may_be_a_link() {
    let scene = saved();
    symlink(scene.shell.path("app"), scene.shell.path("link")).unwrap();
    let line = "verify --key cosign.pub --local-image link";
    scene.shell.succeed(line);
}

#[test]
fn a_folder_that_is_typed_without_the_flag_is_told_the_flag() {
    let scene = saved();
    for verb in ["verify", "verify-attestation"] {
        let line = format!("{verb} --key cosign.pub app");
        scene.shell.fail(2, &line, "take it with --local-image");
    }
    for (flags, text) in [
        ("--require-seal", "--require-seal is about runs"),
        ("--last", "leave out -n, -f, --name and --last"),
        ("-n team", "leave out -n, -f"),
        ("--attachment sbom", "leave out --local-image"),
    ] {
        let line = format!("verify --key cosign.pub --local-image {flags}");
        let line = if flags == "--last" {
            line
        } else {
            format!("{line} app")
        };
        scene.shell.fail(2, &line, text);
    }
}
