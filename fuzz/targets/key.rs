//! Key files: PEM of every kind. What is accepted writes itself and reads back.
//!
//! Encrypted files are built with parameters that are refused before scrypt runs.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use windlass_core::key::{PrivateKey, PublicKey};
use windlass_fuzz::text::{free, one_of};

fuzz_target!(|data: &[u8]| {
    public(data);
    private(data);
    if let Ok(text) = encrypted(&mut Unstructured::new(data)) {
        let error = PrivateKey::from_cosign(text.as_bytes(), b"password").expect_err("no key");
        assert!(!error.to_string().contains("password") || error.to_string().len() < 400);
    }
    // The same bytes as the inside of a block, which the alphabet of base64 hides from mutation.
    for label in [
        "PUBLIC KEY",
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "RSA PRIVATE KEY",
    ] {
        let text = block(label, data);
        public(text.as_bytes());
        private(text.as_bytes());
    }
});

fn public(text: &[u8]) {
    let Ok(key) = PublicKey::from_pem(text) else {
        return;
    };
    let again = PublicKey::from_pem(key.to_pem().as_bytes()).expect("what was written");
    assert_eq!(again.der(), key.der());
    assert_eq!(again.key_id(), key.key_id());
    assert!(key.verify(b"message", b"no signature").is_err());
}

fn private(text: &[u8]) {
    let Ok(key) = PrivateKey::from_x509_pem(text) else {
        return;
    };
    public(key.public_key().to_pem().as_bytes());
    if key.public_key().algorithm().contains("RSA") {
        return;
    }
    let signature = key.sign(b"message").expect("a signature");
    key.public_key()
        .verify(b"message", &signature)
        .expect("verified");
}

fn block(label: &str, body: &[u8]) -> String {
    let body = STANDARD.encode(body);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn encrypted(data: &mut Unstructured<'_>) -> Result<String> {
    let mut json = String::new();
    if data.ratio(1, 4)? {
        free(data, &mut json, 3)?;
    } else {
        // The last N is the only one that is accepted, and its nonce is too short.
        let n = one_of(
            data,
            &[
                "0",
                "1",
                "16384",
                "1e9",
                "18446744073709551615",
                "-1",
                "65536",
            ],
        )?;
        let r = one_of(data, &["8", "1", "4294967295"])?;
        let name = one_of(data, &["scrypt", "argon2", ""])?;
        let salt = STANDARD.encode(data.bytes(data.len().min(32))?);
        json = format!(
            r#"{{"kdf":{{"name":"{name}","params":{{"N":{n},"r":{r},"p":1}},"salt":"{salt}"}},"cipher":{{"name":"nacl/secretbox","nonce":"AAAA"}},"ciphertext":"{salt}"}}"#
        );
    }
    Ok(block("ENCRYPTED SIGSTORE PRIVATE KEY", json.as_bytes()))
}
