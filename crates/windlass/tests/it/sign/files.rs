//! Files: bundles and attestations.

use serde_json::Value;
use windlass_core::key::PrivateKey;

use super::scene::pem;
use crate::shell::Shell;

fn folder() -> Shell {
    let shell = Shell::new();
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    shell.write("signer.pem", pem(&key));
    shell.write("cosign.pub", key.public_key().to_pem());
    shell.write("app", "what was built\n");
    shell.write("predicate", r#"{"a": 1}"#);
    shell
}

#[test]
fn a_bundle_of_a_file_is_verified_with_the_key() {
    let shell = folder();
    let printed =
        shell.succeed("sign-blob --key signer.pem --bundle bundle --output-signature sig app");
    assert!(printed.is_empty(), "{printed}");
    let verify = "verify-blob --key cosign.pub --insecure-ignore-tlog --bundle bundle";
    shell.succeed(&format!("{verify} app"));
    shell.fail(1, &format!("{verify} predicate"), "");
    shell.succeed("verify-blob --key cosign.pub --signature sig app");
    shell.fail(
        2,
        "sign-blob --key signer.pem --bundle b --new-bundle-format=false app",
        "old format",
    );
    shell.fail(2, "sign-blob --bundle b app", "--fulcio-url");
    shell.fail(2, "sign-blob app", "--bundle");
}

#[test]
fn keys_of_every_kind_make_bundles_that_are_verified() {
    for kind in [
        "import-p384",
        "import-p521",
        "import-ed25519",
        "import-rsa4096",
    ] {
        let mut shell = folder();
        for name in ["cosign.key", "cosign.pub", "cosign.password"] {
            shell.fixture(&format!("keys/{kind}/{name}"), name);
        }
        let password = String::from_utf8(shell.read("cosign.password")).unwrap();
        shell.password = Some(password);
        shell.succeed("sign-blob --key cosign.key --bundle bundle app");
        shell.succeed("verify-blob --key cosign.pub --insecure-ignore-tlog --bundle bundle app");
        shell.succeed("attest-blob --key cosign.key --predicate predicate --bundle att app");
        shell.succeed(
            "verify-blob-attestation --key cosign.pub --insecure-ignore-tlog --bundle att app",
        );
    }
}

#[test]
fn an_attestation_of_a_file_is_verified_in_an_envelope_and_in_a_bundle() {
    let shell = folder();
    let attest = "attest-blob --key signer.pem --predicate predicate --type slsaprovenance1";
    let envelope = shell.succeed(&format!("{attest} --output-attestation statement app"));
    shell.write("envelope", &envelope);
    shell.succeed(&format!(
        "{attest} --bundle bundle --output-signature same app"
    ));
    assert_eq!(envelope.trim_end().as_bytes(), shell.read("same"));
    let verify = "verify-blob-attestation --key cosign.pub --type slsaprovenance1";
    shell.succeed(&format!("{verify} --signature envelope app"));
    shell.succeed(&format!(
        "{verify} --insecure-ignore-tlog --bundle bundle app"
    ));
    shell.fail(
        1,
        &format!("{verify} --signature envelope predicate"),
        "subjects",
    );
    let statement: Value = serde_json::from_slice(&shell.read("statement")).unwrap();
    assert_eq!(statement["subject"][0]["name"], "app");
    assert_eq!(statement["predicate"]["a"], 1);

    let hex = statement["subject"][0]["digest"]["sha256"]
        .as_str()
        .unwrap();
    let by_hash = shell.succeed(&format!("{attest} --hash {hex} app"));
    assert_eq!(by_hash, envelope);
    shell.succeed("attest-blob --key signer.pem --statement statement app");
    shell.fail(
        2,
        "attest-blob --key signer.pem --statement statement predicate",
        "not about",
    );
    shell.fail(
        2,
        &format!("{attest} --hash 00 app"),
        "64 hexadecimal digits",
    );
    shell.fail(2, "attest-blob --key signer.pem app", "--predicate");
    shell.fail(
        2,
        "attest-blob --key signer.pem --predicate - -",
        "one thing only",
    );
    shell.fail(
        2,
        &format!("{attest} --statement statement app"),
        "cannot be used with",
    );
}
