//! Images, with what is attached to them in tags and referrers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::{Accounts, Authentication, Grant, Options, Referrers, User};

use super::registry::{ImageScene, SLSA};

fn open() -> ImageScene {
    ImageScene::new(Options::default())
}

fn attested() -> ImageScene {
    let scene = open();
    scene.attest(&[ImageScene::provenance(scene.hex()).to_string()]);
    scene
}

#[test]
fn an_image_signed_and_attested_in_tags_is_verified_and_each_thing_is_named() {
    let scene = attested();
    scene.sign(&scene.key);
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let hex = scene.hex();
    for line in [
        format!("  found in: tag sha256-{hex}.sig, sha256:"),
        format!("  found in: tag sha256-{hex}.att, sha256:"),
        format!("  predicate type: {SLSA}"),
    ] {
        assert!(outcome.stdout.contains(&line), "{line}\n{}", outcome.stdout);
    }
    assert_eq!(outcome.stdout.matches(": valid\n").count(), 2);
    assert_eq!(outcome.stderr, "Verified OK\n");
}

#[test]
fn a_tag_is_verified_by_the_digest_it_stands_for() {
    let scene = attested();
    scene.sign(&scene.key);
    let image = scene.tagged();
    let line = format!("verify --key cosign.pub -o report {image}");
    let report: Value = serde_json::from_str(&scene.shell.succeed(&line)).unwrap();
    assert_eq!(report["digest"], scene.digest.as_str());
    assert_eq!(report["verified"], true);
    assert_eq!(report["entries"][0]["kind"], "signature");
    assert_eq!(report["entries"][0]["references"], json!(["r.io/app"]));
    assert_eq!(report["entries"][1]["kind"], "attestation");
    assert_eq!(report["entries"][1]["predicateType"], SLSA);
    assert_eq!(report["entries"][1]["findings"], json!([]));
}

#[test]
fn bundles_are_found_whoever_keeps_the_list_of_referrers() {
    for referrers in [
        Referrers::Served,
        Referrers::NotFound,
        Referrers::BadRequest,
    ] {
        let scene = ImageScene::new(Options {
            referrers,
            ..Options::default()
        });
        let digest = scene.refer(&scene.signature_statement());
        if !matches!(referrers, Referrers::Served) {
            scene.list_under_tag(&digest, scene.size_of(&digest));
        }
        let outcome = scene.verify("");
        assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
        assert!(
            outcome.stdout.contains("signature: valid"),
            "{}",
            outcome.stdout
        );
    }
}

#[test]
fn a_signature_by_another_key_does_not_count() {
    let scene = open();
    scene.sign(&PrivateKey::generate_p256(&[8; 32]).unwrap());
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 1);
    assert!(
        outcome
            .stdout
            .contains("does not match this payload and key"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stderr.contains("1 found, but none is a valid"),
        "{}",
        outcome.stderr
    );
}

/// GHSA-vjxv-45g9-9296: a good attestation of another type, or one that does not verify beside a
/// good one, was taken for what was asked for.
#[test]
fn good_things_of_another_type_do_not_stand_in_for_the_type_asked_for() {
    let scene = attested();
    scene.sign(&scene.key);
    scene.refer(&scene.signature_statement());
    let outcome = scene.verify("--type slsaprovenance1");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("none is a valid attestation"),
        "{}",
        outcome.stderr
    );
    let image = scene.image();
    let line = format!("verify-attestation --key cosign.pub --type vuln {image}");
    let outcome = scene.shell.run(&line);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
}

/// GHSA-w6c6-c85g-mmv6: signed payloads that cannot be read were taken for verified.
#[test]
fn a_signed_payload_that_is_no_statement_is_never_verified() {
    for payload in ["", "{", "null", "[]", "{}", "text"] {
        let scene = open();
        scene.attest(&[payload.to_owned()]);
        scene.refer(payload);
        for flags in ["", "--type slsaprovenance", "--builder-id x"] {
            let outcome = scene.verify(flags);
            assert_eq!(outcome.code, 1, "{payload:?} {flags}: {}", outcome.stdout);
        }
    }
}

#[test]
fn an_attestation_of_another_image_does_not_count_wherever_it_is_put() {
    let scene = open();
    let other = ImageScene::provenance(&"11".repeat(32)).to_string();
    scene.attest(std::slice::from_ref(&other));
    scene.refer(&other);
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("it is about r.io/app"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn one_good_attestation_among_bad_ones_is_enough_and_the_bad_ones_are_told() {
    let scene = open();
    let good = ImageScene::provenance(scene.hex()).to_string();
    scene.attest(&["{".to_owned(), good]);
    let outcome = scene.verify("--type slsaprovenance");
    assert_eq!(outcome.code, 0, "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("attestation: invalid"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn an_image_with_nothing_attached_is_not_verified() {
    let outcome = open().verify("");
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stderr.contains("no image signature was found"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_could_not_be_looked_at_is_no_verdict() {
    let scene = attested();
    let missing = scene.tagged().replace(":v1", ":v2");
    let line = format!("verify --key cosign.pub {missing}");
    scene.shell.fail(2, &line, "v2 was not found in");
    let guarded = ImageScene::new(guarded());
    let outcome = guarded.verify("");
    assert_eq!(outcome.code, 2, "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("no credential: HTTP 401"),
        "{}",
        outcome.stderr
    );
}

fn guarded() -> Options {
    let users = [User::new("reader", "wine-dark", [Grant::pull("team")])];
    Options {
        authentication: Authentication::Basic(Accounts::of(users)),
        ..Options::default()
    }
}

#[test]
fn the_docker_configuration_of_the_user_opens_the_registry_and_is_not_shown() {
    let mut scene = ImageScene::new(guarded());
    scene.sign(&scene.key);
    scene.shell.docker_config = scene.registry.docker_config("reader");
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(!(outcome.stdout + &outcome.stderr).contains("wine-dark"));
}

#[test]
fn signatures_are_looked_for_in_the_repository_that_is_named() {
    let scene = attested();
    let elsewhere = format!("{}/team/sigs", scene.registry.host());
    let outcome = scene.verify(&format!("--signature-repository {elsewhere}"));
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
}

#[test]
fn verify_attestation_prints_the_envelopes_that_hold() {
    let scene = open();
    let good = ImageScene::provenance(scene.hex()).to_string();
    scene.attest(&["{".to_owned(), good.clone()]);
    let image = scene.image();
    let line = format!(
        "verify-attestation --insecure-ignore-tlog=true --key cosign.pub --type slsaprovenance {image}"
    );
    assert_eq!(scene.shell.succeed(&line), scene.envelope(&good) + "\n");
}

#[test]
fn the_tree_shows_every_place_with_what_is_there() {
    let scene = attested();
    let referrer = scene.refer(&scene.signature_statement());
    let tree = scene.shell.succeed(&format!("tree {}", scene.tagged()));
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(lines[0], scene.image());
    assert_eq!(lines[1], "├── referrer");
    assert!(
        lines[2].starts_with(&format!("│   └── {referrer} ")),
        "{tree}"
    );
    assert_eq!(lines[3], format!("└── tag sha256-{}.att", scene.hex()));
    assert!(
        lines[4].ends_with("application/vnd.dsse.envelope.v1+json"),
        "{tree}"
    );
    assert_eq!(lines.len(), 5);
    let bare = open();
    let tree = bare.shell.succeed(&format!("tree {}", bare.image()));
    assert_eq!(tree.lines().nth(1), Some("nothing is attached"));
}

/// The image, signed with the annotation `build` of the value `1`.
fn annotated() -> ImageScene {
    let scene = open();
    scene.sign_with(&json!({ "build": "1", "n": 2 }));
    scene
}

#[test]
fn the_json_of_a_verified_image_is_what_cosign_prints_and_the_report_is_beside_it() {
    let scene = annotated();
    let outcome = scene.verify("-o json");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let claims: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        claims[0]["critical"]["image"]["docker-manifest-digest"],
        scene.digest.as_str()
    );
    assert_eq!(claims[0]["optional"]["build"], "1");
    assert!(
        outcome.stderr.contains("signature: valid"),
        "{}",
        outcome.stderr
    );
    let report = scene.verify("-o report").stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["verified"], true);
    let bundled = open();
    bundled.refer(&bundled.signature_statement());
    let claims: Value = serde_json::from_str(&bundled.verify("-o json").stdout).unwrap();
    assert_eq!(
        claims[0]["critical"]["image"]["docker-manifest-digest"],
        bundled.digest.as_str()
    );
}

#[test]
fn a_signature_needs_each_annotation_that_is_asked_for() {
    let scene = annotated();
    for (flags, code) in [
        ("-a build=1", 0),
        ("--annotations=build=1", 0),
        ("-a build=2", 1),
        ("-a build=1,other=x", 1),
        ("-a build=1 -a n=2", 1),
        ("-a build", 2),
    ] {
        let outcome = scene.verify(flags);
        assert_eq!(outcome.code, code, "{flags}: {}", outcome.stderr);
    }
    let bundled = open();
    bundled.refer(&bundled.signature_statement());
    assert_eq!(bundled.verify("").code, 0);
    assert_eq!(bundled.verify("-a build=1").code, 1);
}

#[test]
fn each_of_several_images_has_to_be_verified() {
    let signed = annotated();
    let image = signed.image();
    let mut layer = signed.put_blob("other");
    layer["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar");
    let other = signed.push("other", &[layer], None);
    let unsigned = image.replace(&signed.digest, &other);
    let tagged = signed.tagged();
    let verify = |images: &str| {
        signed
            .shell
            .run(&format!("verify --key cosign.pub {images}"))
    };
    assert_eq!(verify(&format!("{image} {tagged}")).code, 0);
    assert_ne!(unsigned, image);
    assert_eq!(verify(&format!("{image} {unsigned}")).code, 1);
    let outcome = verify(&format!("{unsigned} {image}"));
    assert_eq!(outcome.code, 1);
    let text = &outcome.stderr;
    assert!(text.contains("no image signature"), "{text}");
}

#[test]
fn a_signature_of_another_image_is_accepted_only_without_a_check_of_its_claims() {
    let scene = open();
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": "r.io/app" },
            "image": { "docker-manifest-digest": format!("sha256:{}", "1".repeat(64)) },
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    scene.sign_json(&payload);
    assert_eq!(scene.verify("").code, 1);
    assert_eq!(scene.verify("--check-claims=true").code, 1);
    assert_eq!(scene.verify("--check-claims=false").code, 0);
}

#[test]
fn what_is_attached_to_an_image_is_found_and_printed_without_a_key() {
    let scene = annotated();
    scene.attest(&[ImageScene::provenance(scene.hex()).to_string()]);
    let image = scene.image();
    let tag = scene.shell.succeed(&format!("triangulate {image}"));
    assert!(
        tag.ends_with(&format!("/team/app:sha256-{}.sig\n", scene.hex())),
        "{tag}"
    );
    let tag = scene
        .shell
        .succeed(&format!("triangulate --type attestation {image}"));
    assert!(tag.ends_with(".att\n"), "{tag}");
    let signature = scene.shell.succeed(&format!("download signature {image}"));
    let signature: Value = serde_json::from_str(&signature).unwrap();
    assert!(signature["Base64Signature"].is_string());
    let envelope = scene
        .shell
        .succeed(&format!("download attestation {image}"));
    let envelope: Value = serde_json::from_str(&envelope).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let line = format!("download attestation --predicate-type slsaprovenance1 {image}");
    let told = "has no attestation of type https://slsa.dev/provenance/v1; without";
    scene.shell.fail(2, &line, told);
    let line = format!("download attestation --predicate-type slsaprovenance {image}");
    scene.shell.succeed(&line);
}

#[test]
fn a_signature_in_a_bundle_is_downloaded_as_its_envelope() {
    let scene = open();
    scene.refer(&ImageScene::provenance(scene.hex()).to_string());
    let line = format!("download signature {}", scene.image());
    scene.shell.fail(2, &line, "has no signature");
    scene.refer(&scene.signature_statement());
    let envelope: Value = serde_json::from_str(&scene.shell.succeed(&line)).unwrap();
    let payload = envelope["payload"].as_str().unwrap();
    let payload = STANDARD.decode(payload).unwrap();
    assert_eq!(payload, scene.signature_statement().into_bytes());
}

#[test]
fn an_attestation_that_a_person_makes_is_attached_and_verified() {
    let mut scene = open();
    scene.shell.password = Some(String::new());
    scene
        .shell
        .succeed("generate-key-pair --output-key-prefix own");
    let image = scene.image();
    scene
        .shell
        .write("predicate.json", r#"{"builder":{"id":"me"}}"#);
    for (kind, file) in [
        ("slsaprovenance", "predicate.json"),
        ("https://example.com/x", "predicate.json"),
        ("custom", "predicate.json"),
        ("spdx", "own.pub"),
    ] {
        scene.shell.succeed(&format!(
            "attest --predicate {file} --type {kind} --key own.key {image}"
        ));
        let verified = scene.shell.succeed(&format!(
            "verify-attestation --key own.pub --type {kind} {image}"
        ));
        assert_eq!(verified.lines().count(), 1, "{kind}: {verified}");
    }
    let printed = scene.shell.succeed(&format!(
        "attest --predicate predicate.json --no-upload --key own.key {image}"
    ));
    assert!(printed.starts_with(r#"{"payloadType""#), "{printed}");
    let line = format!("attest --predicate own.pub --type slsaprovenance --key own.key {image}");
    scene.shell.fail(2, &line, "not valid JSON");
    let line = "attest --predicate predicate.json --key own.key";
    scene.shell.fail(2, line, "IMAGE");
    scene.shell.fail(2, "attest --key own.key", "--filename");
}
