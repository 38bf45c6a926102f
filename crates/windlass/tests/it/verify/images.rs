//! Images, with what is attached to them in tags and referrers.

use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::{Accounts, Authentication, Grant, Options, Referrers, User};

use super::registry::{SLSA, Setting};

fn open() -> Setting {
    Setting::new(Options::default())
}

fn attested() -> Setting {
    let setting = open();
    setting.attest(&[Setting::provenance(setting.hex()).to_string()]);
    setting
}

#[test]
fn an_image_signed_and_attested_in_tags_is_verified_and_each_thing_is_named() {
    let setting = attested();
    setting.sign(&setting.key);
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let hex = setting.hex();
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
    let setting = attested();
    let image = setting.tagged();
    let line = format!("verify --key cosign.pub -o json {image}");
    let report: Value = serde_json::from_str(&setting.shell.succeed(&line)).unwrap();
    assert_eq!(report["digest"], setting.digest.as_str());
    assert_eq!(report["verified"], true);
    assert_eq!(report["entries"][0]["kind"], "attestation");
    assert_eq!(report["entries"][0]["predicateType"], SLSA);
    assert_eq!(report["entries"][0]["findings"], json!([]));
}

#[test]
fn bundles_are_found_whoever_keeps_the_list_of_referrers() {
    for referrers in [
        Referrers::Served,
        Referrers::NotFound,
        Referrers::BadRequest,
    ] {
        let setting = Setting::new(Options {
            referrers,
            ..Options::default()
        });
        let digest = setting.refer(&setting.signature_statement());
        if !matches!(referrers, Referrers::Served) {
            list_under_tag(&setting, &digest);
        }
        let outcome = setting.verify("");
        assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
        assert!(
            outcome.stdout.contains("signature: valid"),
            "{}",
            outcome.stdout
        );
    }
}

fn list_under_tag(setting: &Setting, digest: &str) {
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1, "digest": digest,
        }],
    });
    let tag = format!("sha256-{}", setting.hex());
    let kind = "application/vnd.oci.image.index.v1+json";
    setting
        .registry
        .put_manifest("team/app", &tag, kind, index.to_string());
}

#[test]
fn a_signature_by_another_key_does_not_count() {
    let setting = open();
    setting.sign(&PrivateKey::generate_p256(&[8; 32]).unwrap());
    let outcome = setting.verify("");
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
    let setting = attested();
    setting.sign(&setting.key);
    setting.refer(&setting.signature_statement());
    let outcome = setting.verify("--type slsaprovenance1");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("none is a valid attestation"),
        "{}",
        outcome.stderr
    );
    let image = setting.image();
    let line = format!("verify-attestation --key cosign.pub --type vuln {image}");
    let outcome = setting.shell.run(&line);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
}

/// GHSA-w6c6-c85g-mmv6: signed payloads that cannot be read were taken for verified.
#[test]
fn a_signed_payload_that_is_no_statement_is_never_verified() {
    for payload in ["", "{", "null", "[]", "{}", "text"] {
        let setting = open();
        setting.attest(&[payload.to_owned()]);
        setting.refer(payload);
        for flags in ["", "--type slsaprovenance", "--builder-id x"] {
            let outcome = setting.verify(flags);
            assert_eq!(outcome.code, 1, "{payload:?} {flags}: {}", outcome.stdout);
        }
    }
}

#[test]
fn an_attestation_of_another_image_does_not_count_wherever_it_is_put() {
    let setting = open();
    let other = Setting::provenance(&"11".repeat(32)).to_string();
    setting.attest(std::slice::from_ref(&other));
    setting.refer(&other);
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("it is about r.io/app"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn one_good_attestation_among_bad_ones_is_enough_and_the_bad_ones_are_told() {
    let setting = open();
    let good = Setting::provenance(setting.hex()).to_string();
    setting.attest(&["{".to_owned(), good]);
    let outcome = setting.verify("--type slsaprovenance");
    assert_eq!(outcome.code, 0, "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("attestation: invalid"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn claims_about_the_provenance_have_to_hold() {
    let setting = attested();
    let good = "--source-uri https://g.io/r --source-commit 33 \
                --builder-id https://tekton.dev/chains/v2";
    assert_eq!(setting.verify(good).code, 0);
    for bad in [
        "--source-uri https://g.io/x",
        "--source-commit 34",
        "--builder-id x",
        "--task-ref x",
    ] {
        assert_eq!(setting.verify(bad).code, 1, "{bad}");
    }
}

#[test]
fn an_image_with_nothing_attached_is_not_verified() {
    let outcome = open().verify("");
    assert_eq!(outcome.code, 1);
    assert!(
        outcome
            .stderr
            .contains("no signature or attestation was found"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_could_not_be_looked_at_is_no_verdict() {
    let setting = attested();
    let missing = setting.tagged().replace(":v1", ":v2");
    let line = format!("verify --key cosign.pub {missing}");
    setting.shell.fail(2, &line, "v2 was not found in");
    let guarded = Setting::new(guarded());
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
    let mut setting = Setting::new(guarded());
    setting.sign(&setting.key);
    setting.shell.docker_config = setting.registry.docker_config("reader");
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(!(outcome.stdout + &outcome.stderr).contains("wine-dark"));
}

#[test]
fn signatures_are_looked_for_in_the_repository_that_is_named() {
    let setting = attested();
    let elsewhere = format!("{}/team/sigs", setting.registry.host());
    let outcome = setting.verify(&format!("--signature-repository {elsewhere}"));
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
}

#[test]
fn verify_attestation_prints_the_envelopes_that_hold() {
    let setting = open();
    let good = Setting::provenance(setting.hex()).to_string();
    setting.attest(&["{".to_owned(), good.clone()]);
    let image = setting.image();
    let line = format!(
        "verify-attestation --insecure-ignore-tlog=true --key cosign.pub --type slsaprovenance {image}"
    );
    assert_eq!(setting.shell.succeed(&line), setting.envelope(&good) + "\n");
}

#[test]
fn the_tree_shows_every_place_with_what_is_there() {
    let setting = attested();
    let referrer = setting.refer(&setting.signature_statement());
    let tree = setting.shell.succeed(&format!("tree {}", setting.tagged()));
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(lines[0], setting.image());
    assert_eq!(lines[1], "├── referrer");
    assert!(
        lines[2].starts_with(&format!("│   └── {referrer} ")),
        "{tree}"
    );
    assert_eq!(lines[3], format!("└── tag sha256-{}.att", setting.hex()));
    assert!(
        lines[4].ends_with("application/vnd.dsse.envelope.v1+json"),
        "{tree}"
    );
    assert_eq!(lines.len(), 5);
    let bare = open();
    let tree = bare.shell.succeed(&format!("tree {}", bare.image()));
    assert_eq!(tree.lines().nth(1), Some("nothing is attached"));
}
