//! Images signed and attested with keys.

use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::Options;
use windlass_sandbox::rekor::{self, Rekor};
use windlass_sandbox::vault::{KeyKind, Vault};

use super::scene::{REPOSITORY, layers, pem, scene, succeed};
use crate::verify::registry::ImageScene;

const KIND: &str = "https://example.com/p";

#[test]
fn an_image_that_is_signed_twice_has_one_signature_in_either_layout() {
    let scene = scene();
    for _ in 0..2 {
        succeed(&scene, "sign --key signer.pem -y");
        succeed(&scene, "sign --key signer.pem --new-bundle-format=true");
    }
    assert_eq!(layers(&scene, ".sig").len(), 1);
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(outcome.stdout.matches(": valid\n").count(), 2);
    let again = succeed(&scene, "sign --key signer.pem");
    assert!(
        again.stderr.contains("attached already"),
        "{}",
        again.stderr
    );
    // another key adds its own
    let other = PrivateKey::generate_p256(&[9; 32]).unwrap();
    scene.shell.write("other.pem", pem(&other));
    succeed(&scene, "sign --key other.pem");
    assert_eq!(layers(&scene, ".sig").len(), 2);
}

#[test]
fn annotations_are_signed_and_asked_for() {
    for layout in ["", "--new-bundle-format"] {
        let scene = scene();
        succeed(
            &scene,
            &format!("sign --key signer.pem {layout} -a stage=prod -a a=1,b=x&y"),
        );
        for flags in ["-a stage=prod", "-a a=1 -a b=x&y", ""] {
            let outcome = scene.verify(flags);
            assert_eq!(outcome.code, 0, "{flags}: {}", outcome.stderr);
        }
        assert_eq!(scene.verify("-a stage=test").code, 1);
    }
}

#[test]
fn what_is_signed_can_be_chosen_and_has_to_name_the_image() {
    let scene = scene();
    succeed(
        &scene,
        "sign --key signer.pem --sign-container-identity r.io/prod/app",
    );
    let json = succeed(&scene, "verify --key cosign.pub -o json").stdout;
    let claims: Value = serde_json::from_str(&json).unwrap();
    let name = &claims[0]["critical"]["identity"]["docker-reference"];
    assert_eq!(*name, "r.io/prod/app");

    let payload = json!({ "critical": {
        "identity": { "docker-reference": "mine" },
        "image": { "docker-manifest-digest": scene.digest },
        "type": "cosign container image signature",
    }, "optional": { "by": "hand" } });
    scene.shell.write("payload", payload.to_string());
    succeed(&scene, "sign --key signer.pem --payload payload");
    assert_eq!(scene.verify("-a by=hand").code, 0);
    let image = scene.image();
    let line = format!("sign --key signer.pem --payload payload {image}");
    for other in [
        json!({}),
        json!([]),
        json!({ "critical": { "image": { "docker-manifest-digest": "sha256:00" } } }),
    ] {
        scene.shell.write("payload", other.to_string());
        scene.shell.fail(2, &line, "the payload is not about");
    }
    scene.shell.fail(
        2,
        &format!("sign --key signer.pem --new-bundle-format --payload payload {image}"),
        "leave out --payload",
    );
}

#[test]
fn parts_of_a_signature_are_written_to_files_and_nothing_is_uploaded_unless_it_is_to_be() {
    let scene = scene();
    let printed = succeed(&scene, "sign --key signer.pem --upload=false").stdout;
    succeed(
        &scene,
        "sign --key signer.pem --upload=false --output-signature sig --output-payload payload \
         --bundle bundle",
    );
    assert!(layers(&scene, ".sig").is_empty());
    assert_eq!(printed.trim().as_bytes(), scene.shell.read("sig"));
    let shell = &scene.shell;
    shell.succeed("verify-blob --key cosign.pub --signature sig payload");
    shell.succeed("verify-blob --key cosign.pub --insecure-ignore-tlog --bundle bundle payload");
    let statement = succeed(
        &scene,
        "sign --key signer.pem --upload=false --new-bundle-format",
    )
    .stdout;
    let statement: Value = serde_json::from_str(&statement).unwrap();
    assert!(statement["dsseEnvelope"].is_object(), "{statement}");
    shell.fail(
        2,
        &format!(
            "sign --key signer.pem --output-certificate c {}",
            scene.image()
        ),
        "there is no certificate",
    );
}

#[test]
fn everything_that_an_index_lists_is_signed_if_that_is_asked_for() {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let scene = scene();
    let size = scene.size_of(&scene.digest);
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": scene.digest, "size": size,
    }] });
    let digest = scene
        .registry
        .put_manifest(REPOSITORY, "all", INDEX, index.to_string());
    let image = format!("{}/{REPOSITORY}:all", scene.registry.host());
    scene
        .shell
        .succeed(&format!("sign --key signer.pem {image}"));
    assert!(layers(&scene, ".sig").is_empty());
    scene.shell.succeed(&format!(
        "sign --key signer.pem -r --output-signature sig {image}"
    ));
    assert_eq!(layers(&scene, ".sig").len(), 1);
    scene
        .shell
        .succeed(&format!("verify --key cosign.pub {image}"));
    for hex in [scene.hex(), digest.trim_start_matches("sha256:")] {
        assert!(!scene.shell.read(&format!("sig-sha256-{hex}")).is_empty());
    }
}

#[test]
fn an_attestation_is_attached_once_and_replaces_those_of_its_type_if_that_is_asked_for() {
    let scene = scene();
    scene.shell.write("one.json", r#"{"number": 1}"#);
    scene.shell.write("two.json", r#"{"number": 2}"#);
    let attest = |predicate: &str, flags: &str| {
        succeed(
            &scene,
            &format!("attest --key signer.pem --type {KIND} --predicate {predicate} {flags}"),
        )
    };
    for flags in ["", "--new-bundle-format"] {
        attest("one.json", flags);
        let again = attest("one.json", flags);
        assert!(
            again.stderr.contains("attached already"),
            "{}",
            again.stderr
        );
    }
    assert_eq!(layers(&scene, ".att").len(), 1);
    attest("two.json", "");
    let other = format!("attest --key signer.pem --type {KIND}/other --predicate one.json");
    succeed(&scene, &other);
    assert_eq!(layers(&scene, ".att").len(), 3);
    attest("one.json", "--replace");
    let left = layers(&scene, ".att");
    assert_eq!(left.len(), 3, "what is there already replaces nothing");
    scene.shell.write("three.json", r#"{"number": 3}"#);
    attest("three.json", "--replace");
    assert_eq!(layers(&scene, ".att").len(), 2);
    succeed(
        &scene,
        &format!("verify-attestation --key cosign.pub --type {KIND}"),
    );
    succeed(
        &scene,
        &format!("verify-attestation --key cosign.pub --type {KIND}/other"),
    );
    let bundle = format!("attest --key signer.pem --type {KIND} --predicate one.json --replace");
    let image = scene.image();
    scene.shell.fail(
        2,
        &format!("{bundle} --new-bundle-format {image}"),
        "cannot be used with",
    );
}

#[test]
fn a_statement_is_attached_as_it_is_and_has_to_be_about_the_image() {
    let scene = scene();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": KIND,
        "subject": [{ "digest": { "sha256": scene.hex() } }], "predicate": { "a": 1 },
    });
    scene.shell.write("statement", statement.to_string());
    succeed(&scene, "attest --key signer.pem --statement statement");
    succeed(
        &scene,
        &format!("verify-attestation --key cosign.pub --type {KIND}"),
    );
    let line = format!(
        "attest --key signer.pem --statement statement {}",
        scene.image()
    );
    let other = statement.to_string().replace(scene.hex(), &"0".repeat(64));
    scene.shell.write("statement", other);
    scene.shell.fail(2, &line, "not about sha256:");
    scene.shell.write("statement", "{}");
    scene.shell.fail(2, &line, "not one of in-toto");
}

#[test]
fn predicates_that_are_none_and_images_that_are_not_there_are_told() {
    let scene = scene();
    let (shell, image) = (&scene.shell, scene.image());
    for (content, why) in [
        ("", "is empty"),
        ("{", "not valid JSON"),
        (r#"{"a":1,"a":2}"#, "is there twice"),
        ("[1]", "not a JSON object"),
    ] {
        shell.write("predicate", content);
        let line = format!("attest --key signer.pem --type {KIND} --predicate predicate {image}");
        shell.fail(2, &line, why);
    }
    shell.write("huge", vec![b'a'; (8 << 20) + 1]);
    let line = format!("attest --key signer.pem --predicate huge {image}");
    shell.fail(2, &line, "more than 8388608 bytes");
    let missing = format!("{}/{REPOSITORY}:none", scene.registry.host());
    shell.fail(
        2,
        &format!("sign --key signer.pem {missing}"),
        "was not found",
    );
    let absent = format!(
        "{}/{REPOSITORY}@sha256:{}",
        scene.registry.host(),
        "0".repeat(64)
    );
    shell.fail(
        2,
        &format!("sign --key signer.pem --new-bundle-format {absent}"),
        "push the image first",
    );
    shell.fail(2, &format!("sign --key none.pem {image}"), "none.pem");
    shell.fail(2, &format!("sign {image}"), "--fulcio-url");
    assert!(layers(&scene, ".att").is_empty());
}

#[test]
fn a_log_that_is_named_gets_one_entry_and_no_other_is_asked() {
    let scene = scene();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let log = runtime
        .block_on(Rekor::start(rekor::Options::default()))
        .unwrap();
    let url = log.url();
    let image = scene.image();
    let refused = format!("sign --key signer.pem --tlog-upload {image}");
    scene
        .shell
        .fail(2, &refused, "no transparency log is named");
    let told = succeed(&scene, "sign --key signer.pem --upload=false").stderr;
    assert!(told.contains("--insecure-ignore-tlog"), "{told}");
    succeed(
        &scene,
        &format!("sign --key signer.pem --tlog-upload=false --rekor-url {url}"),
    );
    assert!(log.entries().is_empty());
    // what was not logged is not enough now
    for _ in 0..2 {
        let told = succeed(&scene, &format!("sign --key signer.pem --rekor-url {url}")).stderr;
        assert!(!told.contains("--insecure-ignore-tlog"), "{told}");
        succeed(
            &scene,
            &format!("sign --key signer.pem --new-bundle-format --rekor-url {url}"),
        );
    }
    assert_eq!(log.entries().len(), 2);
    let [layer] = &layers(&scene, ".sig")[..] else {
        panic!("not one signature");
    };
    let entry = layer["annotations"]["dev.sigstore.cosign/bundle"].as_str();
    assert!(entry.unwrap().contains("SignedEntryTimestamp"));
    scene.shell.fail(
        2,
        &format!("sign --key signer.pem --rekor-url https://u:planted@r.example {image}"),
        "--rekor-url is no address",
    );
}

#[test]
fn a_signing_configuration_names_the_log_and_a_trusted_root_its_key() {
    let scene = scene();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let log = runtime
        .block_on(Rekor::start(rekor::Options::default()))
        .unwrap();
    let config = |version: u32| {
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "rekorTlogUrls": [{ "url": log.url(), "majorApiVersion": version }],
        })
        .to_string()
    };
    scene.shell.write("config.json", config(1));
    succeed(&scene, "sign --key signer.pem --signing-config config.json");
    assert_eq!(log.entries().len(), 1);
    let line = format!(
        "sign --key signer.pem --signing-config config.json {}",
        scene.image()
    );
    scene.shell.write("config.json", config(9));
    scene
        .shell
        .fail(2, &line, "names no transparency log that can be used");
    scene.shell.write("config.json", "{}");
    scene.shell.fail(2, &line, "not a signing configuration");

    let root = |url: &str| {
        let key: String = log
            .public_key()
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [{ "baseUrl": url, "publicKey": { "rawBytes": key } }],
        })
        .to_string()
    };
    let line = format!(
        "sign --key signer.pem -a x=1 --rekor-url {} --trusted-root root.json {}",
        log.url(),
        scene.image()
    );
    scene
        .shell
        .write("root.json", root("https://other.example"));
    scene
        .shell
        .fail(2, &line, "has no key of the log at that address");
    scene.shell.write("root.json", root(&log.url()));
    scene.shell.succeed(&line);
    log.replace_key().unwrap();
    let line = line.replace("x=1", "x=2");
    scene.shell.fail(2, &line, "not valid");
}

#[test]
fn a_key_in_a_service_signs_an_image_once_though_each_signature_is_another() {
    let scene = ImageScene::new(Options::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let vault = runtime.block_on(Vault::start()).unwrap();
    vault.create_key("release", KeyKind::P256).unwrap();
    let (url, token) = (vault.url(), vault.issue(None));
    let variables = [
        ("VAULT_ADDR", url.as_str()),
        ("VAULT_TOKEN", token.as_str()),
    ];
    let image = scene.image();
    scene.shell.write("predicate", r#"{"a": 1}"#);
    let run = |line: &str| {
        let line = format!("{line} --key hashivault://release {image}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = scene.shell.with(&variables, &words);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains(&token), "{}", outcome.stderr);
    };
    for _ in 0..2 {
        run("sign");
        run("sign --new-bundle-format");
        run(&format!("attest --type {KIND} --predicate predicate"));
        run(&format!(
            "attest --type {KIND} --predicate predicate --new-bundle-format"
        ));
    }
    assert_eq!(layers(&scene, ".sig").len(), 1);
    assert_eq!(layers(&scene, ".att").len(), 1);
    run("verify");
    run(&format!("verify-attestation --type {KIND}"));
}
