//! `verify-blob`: every form a signature comes in, and what is said of tampered ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::shell::Shell;

const VERIFY: &str = "verify-blob --key cosign.pub --signature signature payload";

fn signed() -> Shell {
    let shell = Shell::new();
    shell.succeed("generate-key-pair");
    shell.write("payload", r#"{"conditions":[]}"#);
    shell.succeed("sign-blob --key cosign.key --output-signature signature payload");
    shell
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn a_signature_is_taken_raw_and_encoded_once_or_twice() {
    let shell = signed();
    let encoded = shell.read("signature");
    let raw = STANDARD.decode(&encoded).unwrap();
    let forms = [
        raw,
        encoded.clone(),
        [&encoded[..40], b"\n", &encoded[40..], b"\n"].concat(),
        STANDARD.encode(&encoded).into_bytes(),
    ];
    for form in forms {
        shell.write("signature", form);
        shell.succeed(VERIFY);
    }
}

#[test]
fn a_signature_and_a_payload_may_come_from_standard_input() {
    let shell = signed();
    let (signature, payload) = (shell.read("signature"), shell.read("payload"));
    let line = "verify-blob --key cosign.pub --signature - payload";
    assert_eq!(shell.pipe(&signature, line).code, 0);
    let line = "verify-blob --key cosign.pub --signature signature -";
    assert_eq!(shell.pipe(&payload, line).code, 0);
    let literal = String::from_utf8(signature).unwrap();
    shell.succeed(&format!(
        "verify-blob --key cosign.pub --signature {literal} payload"
    ));
    let both = "verify-blob --key cosign.pub --signature - -";
    shell.fail(2, both, "cannot both come from standard input");
}

#[test]
fn a_raw_signature_can_be_written() {
    let shell = signed();
    shell.succeed("sign-blob --key cosign.key --b64=false --output-signature raw payload");
    assert_eq!(shell.read("raw")[0], 0x30);
    shell.succeed("verify-blob --key cosign.pub --signature raw payload");
}

#[test]
fn the_flags_that_cosign_needs_are_accepted() {
    let shell = signed();
    for flags in [
        "--insecure-ignore-tlog",
        "--insecure-ignore-tlog=true --new-bundle-format=false",
        "--insecure-ignore-tlog=false --new-bundle-format",
    ] {
        shell.succeed(&format!(
            "verify-blob --key cosign.pub {flags} --signature ./signature ./payload"
        ));
    }
}

#[test]
fn a_changed_payload_is_told_from_a_changed_signature_as_far_as_that_can_be_known() {
    let shell = signed();
    let (payload, signature) = (shell.read("payload"), shell.read("signature"));
    shell.write("payload", r#"{"conditions":{}}"#);
    shell.fail(1, VERIFY, "does not match the key SHA256:");
    shell.write("payload", r#"{"conditions":[]"#);
    shell.fail(1, VERIFY, "the payload was changed: it is not valid JSON");
    shell.write("payload", [&payload[..], b"\n"].concat());
    shell.fail(
        1,
        VERIFY,
        "the payload ends with a newline that was not signed",
    );
    shell.write("payload", STANDARD.encode(&payload));
    shell.fail(1, VERIFY, "the payload is still base64: decode it first");
    shell.write("payload", &payload);
    shell.write("signature", [b"*", &signature[1..]].concat());
    shell.fail(1, VERIFY, "the signature is damaged: it is not base64");
    shell.write("signature", STANDARD.encode(b"certainly not a signature"));
    shell.fail(
        1,
        VERIFY,
        "the signature is damaged: the signature is malformed",
    );
    shell.write("signature", "");
    shell.fail(1, VERIFY, "the signature is empty");
    shell.write("signature", r#"{"payloadType":""}"#);
    shell.fail(1, VERIFY, "windlass verify-blob-attestation");
}

#[test]
fn another_key_does_not_verify_and_is_named() {
    let shell = signed();
    shell.succeed("generate-key-pair --output-key-prefix other");
    let line = "verify-blob --key other.pub --signature signature payload";
    shell.fail(
        1,
        line,
        "payload or signature was changed, or another key signed",
    );
}

#[test]
fn one_changed_bit_anywhere_does_not_verify() {
    let shell = signed();
    for file in ["payload", "signature", "cosign.pub"] {
        let original = shell.read(file);
        for bit in (0..original.len() * 8).step_by(29) {
            shell.write(file, flipped(&original, bit));
            let outcome = shell.run(VERIFY);
            // a key that cannot be read is no verdict
            let is_unread = file == "cosign.pub" && outcome.code == 2;
            let is_refused =
                outcome.code == 1 && outcome.stderr.starts_with("error: not verified: ");
            assert!(
                is_unread || is_refused,
                "{file}, bit {bit}: {}",
                outcome.stderr
            );
        }
        shell.write(file, original);
    }
    shell.succeed(VERIFY);
}

#[test]
fn what_cannot_be_checked_is_told_from_what_does_not_verify() {
    let shell = signed();
    let verify = |key: &str, signature: &str, payload: &str| {
        format!("verify-blob --key {key} --signature {signature} {payload}")
    };
    shell.fail(
        2,
        &verify("none.pub", "signature", "payload"),
        "cannot read the key file none.pub",
    );
    shell.fail(
        2,
        &verify("cosign.pub", "none", "payload"),
        "cannot read the signature none",
    );
    shell.fail(
        2,
        &verify("cosign.pub", "signature", "none"),
        "cannot read the file none",
    );
    shell.fail(
        2,
        &verify("k8s://ns/x", "signature", "payload"),
        "cannot read secret x",
    );
}

#[test]
fn a_key_may_come_from_standard_input_and_nothing_else_then() {
    let shell = signed();
    let (public, private) = (shell.read("cosign.pub"), shell.read("cosign.key"));
    let line = "verify-blob --key - --signature signature payload";
    let outcome = shell.pipe(&public, line);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let outcome = shell.pipe(&private, "public-key --key -");
    assert_eq!(outcome.stdout.as_bytes(), public, "{}", outcome.stderr);
    let line = "sign-blob --key - --output-signature piped payload";
    let outcome = shell.pipe(&private, line);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    shell.succeed("verify-blob --key cosign.pub --signature piped payload");
    // a file of that name is none of it
    shell.write("-", &public);
    shell.fail(
        2,
        "verify-blob --key - --signature signature payload",
        "standard input",
    );
    let told = "standard input";
    for line in [
        "verify-blob --key - --signature signature -",
        "sign-blob --key - -",
    ] {
        let outcome = shell.pipe(&private, line);
        assert_eq!(outcome.code, 2, "{line}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(told), "{line}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{line}");
    }
    let shell = shell.password(None);
    let outcome = shell.pipe(&private, "public-key --key -");
    assert_eq!(outcome.code, 2);
    let told = "standard input is read for something else; set COSIGN_PASSWORD";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
}
