//! Images that are signed by whom a certificate names, in tags and in bundles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::dsse::{Envelope, IN_TOTO, pae};
use windlass_sandbox::registry::Options;

use super::registry::{BUNDLE, ImageScene};
use crate::blob::stack::{IDENTITY, ISSUER, Leaf, Request, Stack, TIME, dsse, rekord};

const SLSA_V1: &str = "https://slsa.dev/provenance/v1";

struct Scene {
    image: ImageScene,
    stack: Stack,
    leaf: Leaf,
}

impl Scene {
    fn new() -> Self {
        let (image, stack) = (ImageScene::new(Options::default()), Stack::new());
        image.shell.write("root.json", stack.root().to_string());
        let leaf = stack.certificate(&Request::default());
        Self { image, stack, leaf }
    }

    fn line(&self, verb: &str, flags: &str) -> String {
        format!(
            "{verb} --trusted-root root.json --certificate-identity {IDENTITY} \
             --certificate-oidc-issuer {ISSUER} {flags} {}",
            self.image.image()
        )
    }

    fn payload(&self) -> String {
        json!({ "critical": {
            "identity": { "docker-reference": "r.io/app" },
            "image": { "docker-manifest-digest": self.image.digest },
            "type": "cosign container image signature",
        }, "optional": null })
        .to_string()
    }

    fn statement(&self) -> String {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": SLSA_V1,
            "subject": [{ "name": "r.io/app", "digest": { "sha256": self.image.hex() } }],
            "predicate": {},
        })
        .to_string()
    }

    /// Attaches a layer under a tag, with what vouches for it.
    fn attach(&self, suffix: &str, kind: &str, content: &str, notes: &[(&str, String)]) {
        let mut layer = self.image.put_blob(content);
        layer["mediaType"] = json!(kind);
        let notes = notes.iter().map(|(name, value)| {
            let name = format!("dev.{name}");
            (name, json!(value))
        });
        layer["annotations"] = Value::Object(notes.collect());
        let tag = format!("sha256-{}{suffix}", self.image.hex());
        self.image.push(&tag, &[layer], None);
    }

    fn sign(&self, time: i64, entry_of: &[u8]) {
        self.sign_and_stamp(time, entry_of, None);
    }

    /// The same with the timestamp of an authority.
    fn sign_and_stamp(&self, time: i64, entry_of: &[u8], stamp: Option<i64>) {
        let payload = self.payload();
        let signature = self.leaf.party.sign(payload.as_bytes());
        let body = rekord(entry_of, &signature, &self.leaf.pem());
        let mut notes = vec![
            (
                "cosignproject.cosign/signature",
                STANDARD.encode(&signature),
            ),
            ("sigstore.cosign/certificate", self.leaf.pem()),
            ("sigstore.cosign/chain", String::new()),
            ("sigstore.cosign/bundle", self.stack.annotation(&body, time)),
        ];
        notes.extend(stamp.map(|stamp| {
            let stamp = self.stack.stamp(&signature, stamp);
            let note = json!({ "SignedRFC3161Timestamp": stamp });
            ("sigstore.cosign/rfc3161timestamp", note.to_string())
        }));
        self.attach(
            ".sig",
            "application/vnd.dev.cosign.simplesigning.v1+json",
            &payload,
            &notes,
        );
    }
}

#[test]
fn an_image_is_verified_by_the_name_in_the_certificate_of_its_signature() {
    let scene = Scene::new();
    let shell = &scene.image.shell;
    scene.sign(TIME + 10, scene.payload().as_bytes());
    let report = shell.succeed(&scene.line("verify", ""));
    let line = format!("checked with: the identity `{IDENTITY}` by `{ISSUER}`");
    assert!(report.contains(&line), "{report}");
    let other = format!(
        "verify --trusted-root root.json --certificate-identity me@example.com \
         --certificate-oidc-issuer {ISSUER} {}",
        scene.image.image()
    );
    let outcome = shell.run(&other);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stdout.contains("the certificate's identity is"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn an_image_in_a_folder_is_verified_by_the_name_in_the_certificate_of_its_signature() {
    let scene = Scene::new();
    let shell = &scene.image.shell;
    scene.sign(TIME + 10, scene.payload().as_bytes());
    let image = scene.image.image();
    shell.succeed(&format!("save --dir app {image}"));
    let line = scene.line("verify", "--local-image").replace(&image, "app");
    scene.image.registry.take_requests();
    shell.succeed(&line);
    shell.fail(
        1,
        &line.replace(ISSUER, "https://other.example.com"),
        "none is a valid",
    );
    assert!(scene.image.registry.take_requests().is_empty());
    let given = scene.line("verify", "--signature x");
    shell.fail(2, &given, "verify it with --key alone");
}

#[test]
fn an_entry_of_another_image_or_time_does_not_vouch_for_an_image() {
    for (time, entry_of, expected) in [
        (TIME + 10, &b"another image"[..], "about another artifact"),
        (
            TIME + 900,
            b"",
            "the certificate was not valid at the time of the log entry",
        ),
    ] {
        let scene = Scene::new();
        let payload = scene.payload();
        let entry_of = if entry_of.is_empty() {
            payload.as_bytes()
        } else {
            entry_of
        };
        scene.sign(time, entry_of);
        let outcome = scene.image.shell.run(&scene.line("verify", ""));
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        assert!(outcome.stdout.contains(expected), "{}", outcome.stdout);
    }
}

#[test]
fn a_timestamp_outside_the_validity_of_the_signing_certificate_is_named() {
    let scene = Scene::new();
    let (shell, payload) = (&scene.image.shell, scene.payload());
    let line = scene.line("verify", "--use-signed-timestamps");
    scene.sign_and_stamp(TIME + 10, payload.as_bytes(), Some(TIME + 20));
    shell.succeed(&line);
    for time in [TIME - 60, TIME + 900] {
        scene.sign_and_stamp(TIME + 10, payload.as_bytes(), Some(time));
        let outcome = shell.run(&line);
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        let when = jiff::Timestamp::from_second(time).unwrap();
        let expected =
            format!("the certificate was not valid at the time of the timestamp, {when};");
        assert!(outcome.stdout.contains(&expected), "{}", outcome.stdout);
    }
}

#[test]
fn attestations_with_certificates_are_verified_in_tags_and_in_bundles() {
    let scene = Scene::new();
    let shell = &scene.image.shell;
    let statement = scene.statement();
    let line = scene.line("verify-attestation", "--type slsaprovenance1");
    shell.fail(1, &line, "no attestation was found");

    let signature = scene.leaf.party.sign(&pae(IN_TOTO, statement.as_bytes()));
    let envelope =
        Envelope::with_signature(IN_TOTO, statement.as_bytes(), String::new(), &signature);
    let body = dsse(statement.as_bytes(), &signature, &scene.leaf.pem());
    scene.attach(
        ".att",
        "application/vnd.dsse.envelope.v1+json",
        &envelope.to_json(),
        &[
            ("sigstore.cosign/certificate", scene.leaf.pem()),
            (
                "sigstore.cosign/bundle",
                scene.stack.annotation(&body, TIME + 10),
            ),
        ],
    );
    assert_eq!(shell.succeed(&line).lines().count(), 1);

    let bundle = scene
        .stack
        .attestation_bundle(&scene.leaf, &statement, TIME + 20);
    let mut layer = scene.image.put_blob(&bundle.to_string());
    layer["mediaType"] = json!(BUNDLE);
    scene
        .image
        .push("bundle", &[layer], Some(&scene.image.digest));
    assert_eq!(shell.succeed(&line).lines().count(), 2);
    let late = scene
        .stack
        .attestation_bundle(&scene.leaf, &statement, TIME + 900);
    shell.write("late", late.to_string());
    let line = scene
        .line("verify", "")
        .replace(&scene.image.image(), "late");
    let outcome = shell.run(&line);
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("was not valid at the time"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn what_is_asked_of_a_certificate_is_not_passed_over_with_a_key() {
    let scene = Scene::new();
    scene.image.sign(&scene.image.key);
    let image = scene.image.image();
    scene.image.shell.write("blob", "x");
    for flag in [
        "--certificate-oidc-issuer https://issuer.example.com",
        "--certificate-oidc-issuer-regexp .*",
        "--certificate-github-workflow-sha 0123",
        "--certificate-github-workflow-repository o/r",
    ] {
        for (verb, target) in [
            ("verify", &*image),
            ("verify-attestation", &*image),
            ("verify-blob --signature blob", "blob"),
            ("verify-blob-attestation --signature blob", "blob"),
            ("trace", &*image),
        ] {
            let line = format!("{verb} --key cosign.pub {flag} {target}");
            scene
                .image
                .shell
                .fail(2, &line, "leave them out with --key");
        }
    }
}

#[test]
fn a_key_needs_no_log_entry_unless_a_trusted_root_is_given() {
    let scene = Scene::new();
    scene.image.sign(&scene.image.key);
    assert_eq!(scene.image.verify("").code, 0);
    let ignored = "--trusted-root root.json --insecure-ignore-tlog";
    assert_eq!(scene.image.verify(ignored).code, 0);
    let mirror = scene.image.verify("--tuf-mirror https://tuf.example.com");
    assert_eq!(mirror.code, 0);
    assert!(
        mirror.stderr.contains("have no effect"),
        "{}",
        mirror.stderr
    );
    let outcome = scene.image.verify("--trusted-root root.json");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("it has no log entry"),
        "{}",
        outcome.stdout
    );
}
