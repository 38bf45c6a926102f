//! Envelopes and keys as other tools write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::attest::runs;
use crate::shell::Shell;

const CHECK: &str = "verify-blob-attestation --key own.pub --type slsaprovenance \
                     --check-claims=false --signature";

/// A folder with the envelope of a run, and the public key that it is verified with.
fn folder() -> (Shell, String) {
    let shell = runs::folder();
    shell.write("own.pub", shell.succeed("public-key --key cosign.key"));
    let envelope = shell.succeed("attest -f task.yaml --key cosign.key");
    (shell, envelope)
}

#[test]
fn an_envelope_with_unknown_members_is_verified_by_what_is_signed() {
    let (shell, envelope) = folder();
    for text in [
        envelope.replacen('{', r#"{"extra":"y","#, 1),
        envelope.replacen(r#"{"keyid""#, r#"{"cert":"-----BEGIN","keyid""#, 1),
        envelope.replacen(r#""sig""#, r#""timestamps":[{"a":1}],"sig""#, 1),
    ] {
        assert_ne!(text, envelope);
        shell.write("envelope.json", &text);
        shell.succeed(&format!("{CHECK} envelope.json"));
        shell.succeed("verify --key own.pub envelope.json");
        shell.write("encoded", STANDARD.encode(&text));
        shell.succeed("verify --key own.pub encoded");
        let changed = text.replace("in-toto+json", "in-toto+jsom");
        shell.write("envelope.json", changed);
        shell.fail(
            1,
            &format!("{CHECK} envelope.json"),
            "payloadType was changed",
        );
    }
    let doubled = envelope.replacen('{', r#"{"payload":"e30=","#, 1);
    shell.write("envelope.json", doubled);
    shell.fail(1, "verify --key own.pub envelope.json", "invalid");
}

#[test]
fn a_signature_may_be_url_safe_and_its_key_id_null() {
    let (shell, envelope) = folder();
    let (before, rest) = envelope.split_once(r#""keyid":""#).unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    shell.write("null.json", format!(r#"{before}"keyid":null{after}"#));
    shell.succeed(&format!("{CHECK} null.json"));
    let (before, sig) = envelope.split_once(r#""sig":""#).unwrap();
    let sig = sig.replace('+', "-").replace('/', "_");
    shell.write("safe.json", format!(r#"{before}"sig":"{sig}"#));
    shell.succeed(&format!("{CHECK} safe.json"));
}

#[test]
fn a_public_key_of_pkcs_1_verifies_what_the_same_key_in_spki_does() {
    let shell = Shell::new();
    shell.fixture("keys/import-rsa4096/cosign.pub", "spki.pub");
    shell.fixture("keys/import-rsa4096/blob.sig", "blob.sig");
    shell.fixture("keys/blob.txt", "blob.txt");
    let spki = String::from_utf8(shell.read("spki.pub")).unwrap();
    let body: String = spki.lines().filter(|line| !line.starts_with('-')).collect();
    // the header of the outer sequence, the algorithm, the header of the bit string
    let der = STANDARD.decode(body).unwrap().split_off(4 + 15 + 5);
    let body = STANDARD.encode(&der);
    let pem = |label: &str, body: &str| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    shell.write("pkcs1.pub", pem("RSA PUBLIC KEY", &body));
    // as editors of other systems and commands of openssl leave it
    let text = pem("RSA PUBLIC KEY", &body);
    shell.write("crlf.pub", text.replace('\n', "\r\n"));
    shell.write("blank.pub", format!("\n\n{text}\n\n"));
    shell.write("with-a-note.pub", format!("writing RSA key\n{text}"));
    for key in [
        "spki.pub",
        "pkcs1.pub",
        "crlf.pub",
        "blank.pub",
        "with-a-note.pub",
    ] {
        let line = format!("verify-blob --key {key} --signature blob.sig blob.txt");
        shell.succeed(&line);
        let line = format!("verify-blob --key {key} --signature blob.sig spki.pub");
        shell.fail(1, &line, "does not match");
    }
    shell.write("cut.pub", pem("RSA PUBLIC KEY", &body[..body.len() - 40]));
    let line = "verify-blob --key cut.pub --signature blob.sig blob.txt";
    shell.fail(2, line, "does not contain a valid public key");
    shell.write("mislabelled.pub", pem("PUBLIC KEY", &body));
    let line = "verify-blob --key mislabelled.pub --signature blob.sig blob.txt";
    shell.fail(2, line, "does not contain a valid public key");
}
