//! `--attachment sbom`: the signature of what is attached to an image.

use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::Options;

use super::registry::ImageScene;

/// An image that is signed, with an SBOM that is not.
fn scene() -> (ImageScene, String) {
    let scene = ImageScene::new(Options::default());
    scene.sign(&scene.key);
    let mut layer = scene.put_blob(r#"{"spdxVersion":"SPDX-2.3"}"#);
    layer["mediaType"] = json!("text/spdx+json");
    let sbom = scene.push(&format!("sha256-{}.sbom", scene.hex()), &[layer], None);
    (scene, sbom)
}

/// Signs something else in the repository than the image.
fn sign(scene: &mut ImageScene, digest: &str, key: &PrivateKey) {
    let image = std::mem::replace(&mut scene.digest, digest.to_owned());
    scene.sign(key);
    scene.digest = image;
}

#[test]
fn the_signature_of_an_attached_sbom_is_verified_by_the_digest_of_the_sbom() {
    let (mut scene, sbom) = scene();
    assert_eq!(scene.verify("").code, 0);
    let outcome = scene.verify("--attachment sbom");
    assert_eq!(outcome.code, 1, "the signature is that of the image");
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    sign(&mut scene, &sbom, &key);
    let outcome = scene.verify("--attachment sbom");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let name = format!("/team/app:sha256-{}.sbom\n", scene.hex());
    for text in [name, format!("  digest: {sbom}\n")] {
        assert!(outcome.stdout.contains(&text), "{}", outcome.stdout);
    }
    let claims = scene.verify("--attachment=sbom -o json").stdout;
    let claims: Value = serde_json::from_str(&claims).unwrap();
    assert_eq!(
        claims[0]["critical"]["image"]["docker-manifest-digest"],
        sbom.as_str()
    );
}

#[test]
fn an_sbom_signed_by_another_key_or_with_a_payload_about_the_image_is_not_verified() {
    let (mut scene, sbom) = scene();
    let other = PrivateKey::generate_p256(&[8; 32]).unwrap();
    sign(&mut scene, &sbom, &other);
    assert_eq!(scene.verify("--attachment sbom").code, 1);
    // the signature of the image, under the tag of those of the SBOM
    let signatures = format!("sha256-{}.sig", scene.hex());
    let stored = scene.registry.manifest("team/app", &signatures).unwrap();
    let tag = format!("{}.sig", sbom.replace(':', "-"));
    let kind = "application/vnd.oci.image.manifest.v1+json";
    scene
        .registry
        .put_manifest("team/app", &tag, kind, stored.bytes);
    let outcome = scene.verify("--attachment sbom");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome
            .stdout
            .contains("the signature is for another image"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn an_image_without_an_sbom_and_other_kinds_of_attachments_are_refused() {
    let scene = ImageScene::new(Options::default());
    scene.sign(&scene.key);
    let outcome = scene.verify("--attachment sbom");
    assert_eq!(outcome.code, 2, "{}", outcome.stdout);
    let told = "no SBOM is attached to the image: ";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--type spdxjson"));
    for kind in ["sig", "attestation", "SBOM", ""] {
        let image = scene.image();
        let words = [
            "verify",
            "--key",
            "cosign.pub",
            "--attachment",
            kind,
            &image,
        ];
        let outcome = scene.shell.words(&words);
        assert_eq!(outcome.code, 2, "{kind}: {}", outcome.stdout);
        let text = &outcome.stderr;
        assert!(
            text.contains("[possible values: sbom]") || kind.is_empty(),
            "{kind}: {text}"
        );
    }
    scene.shell.write("run.json", "{}");
    let line = "verify --key cosign.pub --attachment sbom run.json";
    scene.shell.fail(2, line, "--attachment is about images");
}
