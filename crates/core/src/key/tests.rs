use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeyError, PrivateKey, PublicKey, Scheme, VerifyError, cosign, pem};

/// See docs/behaviour.md, "Worked examples".
const BODY: &str = r#"{"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":"tFQZ4gfPqdhfDhi5N2wcz86iE0XQ4hjmkf96bCUpUY8="},"cipher":{"name":"nacl/secretbox","nonce":"9Oj+VqXUUGHzNncEkfyUDYam6iTG3KPX"},"ciphertext":"7Sm+ZYjjbx97UbzLwUuxYuEQIVMgUYQNxmJk3WlLvv4aA2ucu+XcbrrwwYSohNvO9NuMckGXXRu0NewJc0tKzjCpH5h+rYjjXr5ygx3B0reuO0U49CNTJH+NKBpK9vm7gKTsXzrlCisPI6+85OadixjL6onvdx91uUWbmbpbBJGrZC5peDAADUQT1LeUCbg3JqwjYXpIlVHCAw=="}"#;
const PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOurzj1RupOAIJJTQkYEEd+ux2gcBgDTt0hKZqcx4XfFfgf0CYUPBGUbfAT3/yVqiOYYbAmUuV+ysST2NDnztrA==";

fn encrypted(body: &str) -> String {
    pem::write("ENCRYPTED SIGSTORE PRIVATE KEY", body.as_bytes())
}

fn refusal(text: &str, password: &[u8]) -> String {
    PrivateKey::from_cosign(text.as_bytes(), password)
        .unwrap_err()
        .to_string()
}

#[test]
fn the_reference_key_opens_under_both_headers() {
    for label in [
        "ENCRYPTED SIGSTORE PRIVATE KEY",
        "ENCRYPTED COSIGN PRIVATE KEY",
    ] {
        let text = pem::write(label, BODY.as_bytes());
        let key = PrivateKey::from_cosign(text.as_bytes(), b"pw").unwrap();
        assert_eq!(STANDARD.encode(key.public_key().der()), PUBLIC);
        assert_eq!(
            key.public_key().key_id(),
            "SHA256:qVsDOcflOA55VPb6W0o6q14lys9WCrzPNedf1taswMk"
        );
    }
}

#[test]
fn a_wrong_password_is_told_from_an_empty_one_and_from_a_trailing_newline() {
    let text = encrypted(BODY);
    assert_eq!(
        refusal(&text, b"nope"),
        "the password does not decrypt the key; check it, or the file is damaged"
    );
    assert!(refusal(&text, b"").ends_with("the password is empty"));
    assert!(refusal(&text, b"pw\n").contains("ends with a newline"));
}

#[test]
fn each_kind_of_damage_to_an_encrypted_key_has_its_own_error() {
    let text = encrypted(BODY);
    let damaged = [
        (String::new(), "the key is empty"),
        ("  \n".to_owned(), "the key is empty"),
        (text[..200].to_owned(), "has no END line"),
        (text.replacen("ey", "e!", 1), "not valid base64"),
        (encrypted("[]"), "not the JSON that cosign writes"),
        (
            encrypted(&BODY.replace("\"scrypt\"", "\"argon2\"")),
            "uses `argon2`",
        ),
        (
            encrypted(&BODY.replace("secretbox", "box")),
            "the cipher `nacl/box`",
        ),
        (
            encrypted(&BODY.replace("tFQZ", "t*QZ")),
            "salt is not base64",
        ),
        (
            encrypted(&BODY.replace("9Oj+", "")),
            "nonce is not 24 bytes",
        ),
        (
            encrypted(&BODY.replace("7Sm+", "7Sm=")),
            "ciphertext is not base64",
        ),
    ];
    for (text, expected) in damaged {
        let error = refusal(&text, b"pw");
        let normal = error.replace("the encrypted key uses the cipher", "the cipher");
        let normal = normal.replace("the encrypted key uses the key derivation", "uses");
        assert!(normal.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn scrypt_parameters_outside_what_cosign_writes_are_refused_before_memory_is_taken() {
    for (n, r, p) in [
        (1u64 << 40, 8, 1),
        (65_536, 1024, 1),
        (65_536, 8, 1000),
        (65_535, 8, 1),
    ] {
        let parameters = format!(r#""N":{n},"r":{r},"p":{p}"#);
        let error = refusal(
            &encrypted(&BODY.replace(r#""N":65536,"r":8,"p":1"#, &parameters)),
            b"pw",
        );
        assert!(error.contains(&format!("N={n}, r={r}, p={p}")), "{error}");
    }
    let smaller = encrypted(&BODY.replace("65536", "32768"));
    assert!(refusal(&smaller, b"pw").contains("password does not decrypt"));
}

#[test]
fn an_unencrypted_key_in_place_of_cosigns_is_named() {
    let text = pem::write("PRIVATE KEY", b"x");
    let error = refusal(&text, b"");
    assert!(
        error.starts_with("found an unencrypted private key"),
        "{error}"
    );
    assert!(error.contains("ENCRYPTED SIGSTORE PRIVATE KEY"), "{error}");
}

#[test]
fn a_new_key_survives_encryption_and_the_same_input_gives_the_same_file() {
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let der = key.to_pkcs8_der().unwrap();
    let text = cosign::encrypt(&der, b"", &[1; 32], &[2; 24]).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJrZGYi"));
    assert_eq!(
        text,
        cosign::encrypt(&der, b"", &[1; 32], &[2; 24]).unwrap()
    );
    let opened = PrivateKey::from_cosign(text.as_bytes(), b"").unwrap();
    assert_eq!(opened.public_key(), key.public_key());
}

#[test]
fn random_bytes_outside_the_curve_are_refused() {
    for bytes in [[0; 32], [0xff; 32]] {
        assert!(matches!(
            PrivateKey::generate_p256(&bytes),
            Err(KeyError::Random)
        ));
    }
}

#[test]
fn ecdsa_signatures_are_those_of_rfc_6979() {
    // RFC 6979, A.2.5: P-256 with SHA-256, message "sample"
    let secret = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
    let r = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716";
    let s = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    let bytes: [u8; 32] = hex(secret).try_into().unwrap();
    let signature = PrivateKey::generate_p256(&bytes)
        .unwrap()
        .sign(b"sample")
        .unwrap();
    let integer = |digits: &str| [&[0x02, 0x21, 0x00], hex(digits).as_slice()].concat();
    assert_eq!(
        signature,
        [vec![0x30, 0x46], integer(r), integer(s)].concat()
    );
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
fn a_changed_message_and_a_changed_signature_are_told_apart() {
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let signature = key.sign(b"message").unwrap();
    let public = key.public_key();
    assert_eq!(
        public.verify(b"message", &signature),
        Ok(Scheme::EcdsaSha256)
    );
    assert_eq!(
        public.verify(b"messagf", &signature),
        Err(VerifyError::Mismatch)
    );
    assert!(matches!(
        public.verify(b"message", &signature[1..]),
        Err(VerifyError::Malformed { .. })
    ));
}

#[test]
fn no_bit_of_a_signature_can_be_changed() {
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let signature = key.sign(b"message").unwrap();
    for bit in 0..signature.len() * 8 {
        let mut changed = signature.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            key.public_key().verify(b"message", &changed).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey([redacted])");
}

#[test]
fn the_bundle_hint_is_the_digest_of_the_keys_der() {
    // docs/behaviour.md, "Worked examples"
    let text = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzs0jP2bDhtuPq8LpejgDo3YAl6qe\n\
        rZNm/GacPPa7KFce6R8y7w/MDHbs6uIQRhd8WD1xYGq9Wsur5i/se8hq0w==\n\
        -----END PUBLIC KEY-----\n";
    let key = PublicKey::from_pem(text.as_bytes()).unwrap();
    assert_eq!(key.hint(), "H0pPreHAWR+OgsEP6NA0MTgl3asWu+opWuGIaV98uIs=");
    assert_eq!(
        key.key_id(),
        "SHA256:MP4Qhgpk9JxE+f5bvzF8aRWpF1UI68CY7lvM1JbIYjc"
    );
    assert_eq!(key.to_pem(), text);
}
