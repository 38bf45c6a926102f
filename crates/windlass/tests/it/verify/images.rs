//! Images, with what is attached to them in tags and referrers.

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
    let line = format!("verify --key cosign.pub -o json {image}");
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
