//! `--payload` and `--signature`: a signature that is given, and not read from a registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use windlass_core::image::Image;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_sandbox::registry::{Options, Transport};

use super::registry::ImageScene;
use crate::shell::Outcome;

/// An unsigned image, with the files `payload` and `signature`, as `cosign generate` and `sign-blob`
/// make them.
fn scene() -> ImageScene {
    let scene = ImageScene::new(Options::default());
    give(&scene, &scene.key, &scene.digest);
    scene
}

fn give(scene: &ImageScene, key: &PrivateKey, digest: &str) {
    let name = format!("{}/team/app@{digest}", scene.registry.host());
    let payload = Payload::of_image(&Image::parse(&name).unwrap()).bytes;
    let signature = STANDARD.encode(key.sign(&payload).unwrap());
    scene.shell.write("payload", &payload);
    scene.shell.write("signature", signature);
}

#[track_caller]
fn gives(outcome: &Outcome, code: i32, text: &str) {
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.code, code, "{all}");
    assert!(all.contains(text), "{text}\n{all}");
}

#[test]
fn a_payload_and_its_signature_are_verified_against_the_digest_of_the_image() {
    let scene = scene();
    gives(&scene.verify(""), 1, "no image signature was found");
    let both = "--payload payload --signature signature";
    let outcome = scene.verify(both);
    gives(&outcome, 0, "found in: given with --signature");
    assert_eq!(outcome.stderr, "Verified OK\n");
    let claims = scene.verify(&format!("{both} -o json")).stdout;
    let claims: Value = serde_json::from_str(&claims).unwrap();
    assert_eq!(
        claims[0]["critical"]["image"]["docker-manifest-digest"],
        scene.digest.as_str()
    );
    let image = scene.tagged();
    let line = format!("verify --key cosign.pub {both} {image}");
    scene.shell.succeed(&line);
    // what is attached is not read
    scene.registry.take_requests();
    scene.verify(both);
    assert!(scene.registry.take_requests().is_empty());
}

#[test]
fn a_signature_is_a_file_or_its_base64_or_raw_bytes_or_standard_input() {
    let scene = scene();
    let text = String::from_utf8(scene.shell.read("signature")).unwrap();
    scene.shell.write("raw", STANDARD.decode(&text).unwrap());
    scene.shell.write("lines", format!("{text}\n"));
    for signature in ["signature", "raw", "lines", &text] {
        let flags = format!("--payload payload --signature {signature}");
        gives(&scene.verify(&flags), 0, "Verified OK");
    }
    let image = scene.image();
    let line = format!("verify --key cosign.pub --payload payload --signature - {image}");
    gives(&scene.shell.pipe(text.as_bytes(), &line), 0, "Verified OK");
    let line = format!("verify --key cosign.pub --payload - --signature - {image}");
    let outcome = scene.shell.pipe(text.as_bytes(), &line);
    gives(&outcome, 2, "standard input has been read");
    let words = ["--payload", "env://PAYLOAD", "--signature", "env://SIGNED"];
    let payload = String::from_utf8(scene.shell.read("payload")).unwrap();
    let variables = [("PAYLOAD", &*payload), ("SIGNED", &*text)];
    let words = [&["verify", "--key", "cosign.pub"], &words[..], &[&*image]].concat();
    gives(&scene.shell.with(&variables, &words), 0, "Verified OK");
    let outcome = scene.shell.with(&variables[1..], &words);
    gives(&outcome, 2, "the environment variable PAYLOAD is not set");
}

#[test]
fn without_a_payload_the_one_of_the_image_is_meant() {
    let scene = scene();
    gives(&scene.verify("--signature signature"), 0, "Verified OK");
    let outcome = scene.verify("--payload payload");
    gives(&outcome, 2, "give that with --signature");
    // another repository is in the payload that is made for it
    scene.shell.succeed(&format!(
        "copy --force {} {}/team/other:v1",
        scene.image(),
        scene.registry.host()
    ));
    let other = scene.tagged().replace("/app", "/other");
    let line = format!("verify --key cosign.pub --signature signature {other}");
    scene.shell.fail(1, &line, "not verified");
}

#[test]
fn a_payload_about_another_image_counts_only_without_a_check_of_its_claims() {
    let scene = scene();
    let other = format!("sha256:{}", "1".repeat(64));
    give(&scene, &scene.key, &other);
    let both = "--payload payload --signature signature";
    let why = format!("the signature is for another image, {other}");
    gives(&scene.verify(both), 1, &why);
    let unchecked = format!("{both} --check-claims=false");
    gives(&scene.verify(&unchecked), 0, "Verified OK");
}

#[test]
fn a_signature_that_does_not_match_is_not_verified() {
    let scene = scene();
    let both = "--payload payload --signature signature";
    give(
        &scene,
        &PrivateKey::generate_p256(&[8; 32]).unwrap(),
        &scene.digest,
    );
    gives(&scene.verify(both), 1, "does not match the key");
    give(&scene, &scene.key, &scene.digest);
    let payload = scene.shell.read("payload");
    scene.shell.write("payload", [&payload[..], b"\n"].concat());
    gives(
        &scene.verify(both),
        1,
        "ends with a newline that was not signed",
    );
    let unchecked = format!("{both} --check-claims=false");
    gives(&scene.verify(&unchecked), 1, "not verified");
    scene.shell.write("payload", &payload);
    for (signature, why) in [
        ("", "the signature is empty"),
        ("!", "the signature is damaged"),
        ("{}", "the signature is JSON"),
    ] {
        scene.shell.write("signature", signature);
        gives(&scene.verify(both), 1, why);
    }
}

#[test]
fn a_payload_that_is_none_of_an_image_is_never_verified() {
    let scene = scene();
    for payload in ["", "{", "null", "[]", "text", r#"{"critical":{}}"#] {
        let signature = scene.key.sign(payload.as_bytes()).unwrap();
        scene.shell.write("payload", payload);
        scene.shell.write("signature", signature);
        let both = "--payload payload --signature signature";
        gives(
            &scene.verify(both),
            1,
            "the payload is not the signature of an image",
        );
    }
}

#[test]
fn what_is_asked_of_a_signature_is_asked_of_one_that_is_given() {
    let scene = scene();
    let both = "--payload payload --signature signature";
    let host = scene.registry.host();
    gives(
        &scene.verify(&format!("{both} -a build=1")),
        1,
        "the annotation build",
    );
    let named = format!("{both} --identity {host}/team/app");
    gives(&scene.verify(&named), 0, "Verified OK");
    let named = format!("{both} --identity {host}/team/b");
    gives(&scene.verify(&named), 1, "expected");
}

#[test]
fn what_cannot_go_with_a_signature_by_itself_is_refused() {
    let scene = scene();
    for (flags, why) in [
        (
            "--payload payload --signature nothing",
            "cannot read the signature nothing",
        ),
        (
            "--payload nothing --signature signature",
            "cannot read the payload nothing",
        ),
        (
            "--signature signature --type slsaprovenance",
            "leave one of them out",
        ),
        (
            "--signature signature --builder-id x",
            "leave one of them out",
        ),
        (
            "--signature signature --trusted-root r.json",
            "verify it with --key alone",
        ),
        (
            "--signature signature --use-signed-timestamps",
            "verify it with --key alone",
        ),
        ("--signature=", "the signature is blank"),
        ("--signature signature --payload=", "the payload is blank"),
        ("--signature env://", "write env://VARIABLE"),
        (
            "--signature ftp://r.io/x",
            "ftp:// is not read; use https://",
        ),
        ("--signature http://r.io/x", "use https://"),
        ("--signature https://u:p@r.io/x", "leave it out"),
    ] {
        gives(&scene.verify(flags), 2, why);
    }
    let image = scene.image();
    let line = format!(
        "verify --certificate-identity x --certificate-oidc-issuer y --signature signature {image}"
    );
    scene.shell.fail(2, &line, "verify it with --key alone");
    scene.shell.write("run.json", "{}");
    let line = "verify --key cosign.pub --signature signature run.json";
    scene.shell.fail(2, line, "--signature is about images");
}

#[test]
fn a_signature_is_verified_against_an_image_in_a_folder() {
    let scene = scene();
    let image = scene.image();
    scene.shell.succeed(&format!("save --dir app {image}"));
    let line = |flags: &str| format!("verify --key cosign.pub --local-image {flags} app");
    let both = "--payload payload --signature signature";
    scene.shell.succeed(&line(both));
    scene
        .shell
        .fail(2, &line("--signature signature"), "give --payload");
    give(&scene, &scene.key, &format!("sha256:{}", "1".repeat(64)));
    scene.shell.fail(1, &line(both), "not verified");
}

#[test]
fn a_payload_and_a_signature_are_fetched_over_https() {
    let server = ImageScene::new(Options {
        transport: Transport::Tls,
        ..Options::default()
    });
    let scene = scene();
    let url = |name: &str| {
        let content = scene.shell.read(name);
        let digest = server.registry.put_blob("team/files", content);
        format!("{}/v2/team/files/blobs/{digest}", server.registry.url())
    };
    let (payload, signature) = (url("payload"), url("signature"));
    scene
        .shell
        .write("ca.pem", server.registry.ca_pem().unwrap());
    let authority = scene.shell.path("ca.pem");
    let image = scene.image();
    let verify = |signature: &str| {
        let words = [
            "verify",
            "--key",
            "cosign.pub",
            "--payload",
            &payload,
            "--signature",
            signature,
            &image,
        ];
        let variables = [("SSL_CERT_FILE", authority.to_str().unwrap())];
        scene.shell.with(&variables, &words)
    };
    gives(&verify(&signature), 0, "Verified OK");
    let gone = format!("{signature}0?token=sesame");
    let outcome = verify(&gone);
    gives(&outcome, 2, "cannot read the signature at https://");
    assert!(!outcome.stderr.contains("sesame"), "{}", outcome.stderr);
}
