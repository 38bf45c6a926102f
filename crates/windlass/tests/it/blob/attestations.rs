//! `verify-blob-attestation`: an envelope, its statement, and what is said of tampered ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_core::dsse::{Envelope, IN_TOTO};
use windlass_core::key::PrivateKey;

use crate::envelope::sign;
use crate::shell::Shell;

const VERIFY: &str =
    "verify-blob-attestation --key key.pub --signature envelope --type slsaprovenance";
/// SHA-256 of "content\n".
const DIGEST: &str = "434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53";

fn key() -> PrivateKey {
    PrivateKey::generate_p256(&[7; 32]).unwrap()
}

fn statement() -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","subject":[{{"name":"app.tar","digest":{{"sha256":"{DIGEST}"}}}}],"predicate":{{}}}}"#
    )
}

fn envelope() -> Envelope {
    sign(&key(), IN_TOTO, statement().as_bytes())
}

fn shell() -> Shell {
    let shell = Shell::new();
    shell.write("key.pub", key().public_key().to_pem());
    shell.write("envelope", envelope().to_json());
    shell.write("app.tar", "content\n");
    shell
}

#[test]
fn an_envelope_verifies_as_json_and_as_base64() {
    let shell = shell();
    let json = envelope().to_json();
    for form in [json.clone(), format!("{json}\n"), STANDARD.encode(&json)] {
        shell.write("envelope", form);
        let outcome = shell.run(&format!("{VERIFY} --insecure-ignore-tlog=true app.tar"));
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (0, "Verified OK\n")
        );
    }
}

#[test]
fn what_is_quoted_of_an_envelope_does_nothing_to_a_terminal() {
    let shell = shell();
    let hostile = "k\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}";
    let changes: [fn(&mut Envelope, &str); 2] = [
        |envelope, text| text.clone_into(&mut envelope.signatures[0].keyid),
        |envelope, text| text.clone_into(&mut envelope.payload_type),
    ];
    for change in changes {
        let mut envelope = envelope();
        change(&mut envelope, hostile);
        shell.write("envelope", envelope.to_json());
        let outcome = shell.run(&format!("{VERIFY} app.tar"));
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("owned"), "{}", outcome.stderr);
        for letter in ['\u{1b}', '\u{7}', '\u{202e}'] {
            assert!(!outcome.stderr.contains(letter), "{:?}", outcome.stderr);
        }
    }
}

#[test]
fn the_claim_is_checked_against_a_file_or_a_digest_or_not_at_all() {
    let shell = shell();
    shell.succeed(&format!("{VERIFY} --check-claims=false"));
    shell.succeed(&format!("{VERIFY} --digest {DIGEST} --digestAlg sha256"));
    shell.fail(
        2,
        VERIFY,
        "give the file, or --digest and --digestAlg, or --check-claims=false",
    );
    shell.write("app.tar", "other content\n");
    shell.fail(
        1,
        &format!("{VERIFY} --check-claims app.tar"),
        "is not among the statement's subjects; it is about app.tar",
    );
}

#[test]
fn the_predicate_type_must_be_the_one_asked_for() {
    let shell = shell();
    let verify = |kind: &str| {
        format!("verify-blob-attestation --key key.pub --signature envelope {kind} app.tar")
    };
    shell.succeed(&verify("--type slsaprovenance02"));
    shell.succeed(&verify("--type https://slsa.dev/provenance/v0.2"));
    let expected = "predicateType is `https://slsa.dev/provenance/v0.2`, expected \
                    `https://slsa.dev/provenance/v1`";
    shell.fail(1, &verify("--type slsaprovenance1"), expected);
    shell.fail(
        1,
        &verify(""),
        "expected `https://cosign.sigstore.dev/attestation/v1`",
    );
    shell.fail(2, &verify("--type provenance"), "expected slsaprovenance");
}

#[test]
fn every_part_that_does_not_hold_is_named() {
    let shell = shell();
    let text = statement().replace("Statement/v0.1", "Statement/v9");
    shell.write(
        "envelope",
        sign(&key(), "text/plain", text.as_bytes()).to_json(),
    );
    let outcome = shell.run(&format!("{VERIFY} key.pub"));
    assert_eq!(outcome.code, 1);
    for part in [
        "payloadType is `text/plain`",
        "_type is `https://in-toto.io/Statement/v9`",
        "subjects",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
}

#[test]
fn each_tampered_part_is_named() {
    let shell = shell();
    let verify = format!("{VERIFY} app.tar");
    let original = envelope();
    let tampered = |change: &dyn Fn(&mut Envelope), expected: &str| {
        let mut envelope = original.clone();
        change(&mut envelope);
        shell.write("envelope", envelope.to_json());
        shell.fail(1, &verify, expected);
    };
    tampered(
        &|e| e.payload_type = e.payload_type.replace('v', "w"),
        "payloadType was changed",
    );
    tampered(
        &|e| e.payload = e.payload.replacen('e', "*", 1),
        "payload is not valid base64",
    );
    tampered(
        &|e| e.payload = STANDARD.encode(statement().replace("app.tar", "app.tas")),
        "signature does not match its payload",
    );
    tampered(
        &|e| e.payload = STANDARD.encode(statement().replacen('{', "[", 1)),
        "payload is not an in-toto statement",
    );
    tampered(
        &|e| e.signatures[0].sig.insert(0, '*'),
        "the signature is damaged",
    );
    tampered(
        &|e| e.signatures[0].sig.insert_str(0, "AAAA"),
        "the envelope's signature is damaged",
    );
    tampered(&|e| e.signatures[0].keyid.push('x'), "keyid was changed");
    tampered(&|e| e.signatures.clear(), "has no signatures");
    shell.write("envelope", "x");
    shell.fail(1, &verify, "neither JSON nor the base64 of JSON");
    shell.write("envelope", &original.to_json()[..100]);
    shell.fail(1, &verify, "the envelope is not valid JSON");
}

#[test]
fn one_changed_bit_anywhere_does_not_verify() {
    let shell = shell();
    let verify = format!("{VERIFY} app.tar");
    for file in ["envelope", "key.pub", "app.tar"] {
        let original = shell.read(file);
        for bit in (0..original.len() * 8).step_by(61) {
            let mut changed = original.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            shell.write(file, changed);
            let outcome = shell.run(&verify);
            // a key that cannot be read is no verdict
            let is_told = outcome.code == 1 || (file == "key.pub" && outcome.code == 2);
            assert!(is_told, "{file}, bit {bit}: {}", outcome.stderr);
        }
        shell.write(file, original);
    }
    shell.succeed(&verify);
}
