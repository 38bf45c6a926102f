//! `--bundle` of `verify-blob` and `verify-blob-attestation`: certificates, logs and keys, judged by a
//! trusted root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::stack::{IDENTITY, ISSUER, Party, Request, Stack, TIME, hex, rekord, statement};
use crate::shell::Shell;

const FILE: &[u8] = b"what was built\n";

fn scene() -> (Shell, Stack) {
    let (shell, stack) = (Shell::new(), Stack::new());
    shell.write("root.json", stack.root().to_string());
    shell.write("app", FILE);
    (shell, stack)
}

fn line(verb: &str, rest: &str) -> String {
    format!(
        "{verb} --trusted-root root.json --certificate-identity {IDENTITY} \
         --certificate-oidc-issuer {ISSUER} {rest}"
    )
}

#[test]
fn a_bundle_of_a_file_is_verified_by_the_name_in_its_certificate() {
    let (shell, stack) = scene();
    let leaf = stack.certificate(&Request::default());
    let bundle = stack.file_bundle(&leaf, FILE, TIME + 10);
    shell.write("bundle", bundle.to_string());
    let outcome = shell.run(&line("verify-blob", "--bundle bundle app"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Verified OK"), "{}", outcome.stderr);
    let digest = hex(FILE);
    shell.succeed(&line(
        "verify-blob",
        &format!("--bundle bundle sha256:{digest}"),
    ));
    let other = hex(b"other");
    shell.fail(
        1,
        &line("verify-blob", &format!("--bundle bundle sha256:{other}")),
        "another artifact",
    );
    shell.fail(
        1,
        &format!(
            "verify-blob --trusted-root root.json --certificate-identity-regexp ^me \
             --certificate-oidc-issuer {ISSUER} --bundle bundle app"
        ),
        "the certificate's identity is",
    );
    shell.succeed(
        "verify-blob --trusted-root root.json --certificate-identity-regexp accounts/build \
         --certificate-oidc-issuer-regexp oidc --new-bundle-format --offline --bundle bundle app",
    );
    shell.fail(
        2,
        "verify-blob --trusted-root root.json --certificate-identity x --bundle bundle app",
        "give --certificate-oidc-issuer",
    );
    shell.fail(
        1,
        &line("verify-blob", "--bundle bundle --use-signed-timestamps app"),
        "no timestamp of an authority",
    );
}

#[test]
fn a_bundle_of_an_attestation_is_verified_with_what_it_says() {
    let (shell, stack) = scene();
    let leaf = stack.certificate(&Request::default());
    let bundle = stack.attestation_bundle(&leaf, &statement(FILE), TIME + 10);
    shell.write("bundle", bundle.to_string());
    let verb = "verify-blob-attestation";
    shell.succeed(&line(verb, "--bundle bundle --type slsaprovenance1 app"));
    shell.fail(
        1,
        &line(verb, "--bundle bundle --type slsaprovenance app"),
        "predicateType",
    );
    shell.fail(
        1,
        &line(verb, "--bundle bundle --type slsaprovenance1 root.json"),
        "not among the statement's subjects",
    );
    shell.fail(
        1,
        &line("verify-blob", "--bundle bundle app"),
        "verify-blob-attestation",
    );
}

#[test]
fn the_bundle_of_a_key_needs_a_log_entry_unless_a_flag_does_without() {
    let (shell, stack) = scene();
    let party = Party::new();
    shell.write("key.pub", party.pem());
    let signature = party.sign(FILE);
    let body = rekord(FILE, &signature, &party.pem());
    let bundle = |entries: Value| {
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "publicKey": { "hint": "" }, "tlogEntries": entries },
            "messageSignature": { "signature": STANDARD.encode(&signature) },
        })
        .to_string()
    };
    shell.write("logged", bundle(json!([stack.entry(&body, TIME)])));
    shell.write("bare", bundle(json!([])));
    let verify = "verify-blob --key key.pub";
    shell.succeed(&format!(
        "{verify} --trusted-root root.json --bundle logged app"
    ));
    let bare = format!("{verify} --trusted-root root.json --bundle bare app");
    shell.fail(1, &bare, "--insecure-ignore-tlog");
    shell.succeed(&format!(
        "{verify} --insecure-ignore-tlog --bundle bare app"
    ));
    shell.succeed(&format!(
        "{verify} --private-infrastructure=true --bundle bare app"
    ));
    shell.fail(
        1,
        &format!("{verify} --insecure-ignore-tlog --bundle bare key.pub"),
        "",
    );
}

#[test]
fn trust_shows_what_a_trusted_root_has() {
    let (shell, _) = scene();
    let outcome = shell.run("trust show --trusted-root root.json");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let table = "certificate authority   https://fulcio.example.com   2020-01-01T00:00:00Z   ---";
    assert!(outcome.stdout.contains(table), "{}", outcome.stdout);
    let outcome = shell.run("trust show --trusted-root root.json -o json");
    let shown: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(shown["entries"].as_array().unwrap().len(), 4);
    let outcome = shell.run("trust show --trusted-root root.json -o root");
    assert_eq!(outcome.stdout.as_bytes(), shell.read("root.json"));
    let line = "trust show --trusted-root root.json";
    let damaged = "cannot use the trusted root root.json: the trusted root is damaged: ";
    for (content, why) in [
        (&b"{}"[..], "it is not the JSON of a Sigstore trusted root"),
        (b"", "it is empty"),
        (b"{\"tlogs\":", "it ends too early at line 1 column 9"),
        (b"not a root", "there is no JSON value at line 1 column 2"),
        (b"{\"a\":\xff}", "it is not valid UTF-8 from byte 5 on"),
        (
            b"{\"mediaType\":\"application/json\"}",
            "it is other JSON: the mediaType of a trusted root begins with application/vnd.dev.",
        ),
    ] {
        shell.write("root.json", content);
        shell.fail(2, line, &format!("{damaged}{why}"));
    }
}

#[test]
fn a_key_of_every_kind_is_checked_and_so_is_the_log_entry_of_its_signature() {
    for folder in [
        "import-p384",
        "import-ed25519",
        "import-rsa4096",
        "import-p521",
    ] {
        let (mut shell, stack) = scene();
        for name in ["cosign.key", "cosign.pub", "cosign.password"] {
            shell.fixture(&format!("keys/{folder}/{name}"), name);
        }
        let password = String::from_utf8(shell.read("cosign.password")).unwrap();
        shell.password = Some(password.trim_end().to_owned());
        shell.succeed("sign-blob --key cosign.key --b64=false --output-signature raw app");
        let (signature, key) = (shell.read("raw"), shell.read("cosign.pub"));
        let key = String::from_utf8(key).unwrap();
        let entry = |of: &[u8]| stack.entry(&rekord(of, &signature, &key), TIME);
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "publicKey": { "hint": "" }, "tlogEntries": [entry(FILE)] },
            "messageSignature": {
                "messageDigest": {
                    "algorithm": "SHA2_256",
                    "digest": STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(FILE)),
                },
                "signature": STANDARD.encode(&signature),
            },
        });
        shell.write("bundle", bundle.to_string());
        let line = "verify-blob --key cosign.pub --trusted-root root.json --bundle bundle";
        shell.succeed(&format!("{line} --insecure-ignore-tlog app"));
        shell.fail(1, &format!("{line} --insecure-ignore-tlog root.json"), "");
        shell.succeed(&format!("{line} app"));
        shell.fail(1, &format!("{line} root.json"), "");
        bundle["verificationMaterial"]["tlogEntries"] = json!([entry(b"another file")]);
        shell.write("bundle", bundle.to_string());
        shell.fail(1, &format!("{line} app"), "log entry");
        shell.succeed(&format!("{line} --insecure-ignore-tlog app"));
    }
}
