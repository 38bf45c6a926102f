//! Keys made by cosign 2.5 and 3.1 and by OpenSSL load, and their signatures verify.
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_core::key::{PrivateKey, PublicKey, Scheme};

const FOLDERS: [(&str, Scheme); 6] = [
    ("cosign2-p256", Scheme::EcdsaSha256),
    ("cosign3-p256", Scheme::EcdsaSha256),
    ("import-ed25519", Scheme::Ed25519ph),
    ("import-p384", Scheme::EcdsaSha384),
    ("import-p521", Scheme::EcdsaSha512),
    ("import-rsa4096", Scheme::RsaSha256),
];

fn file(folder: &str, name: &str) -> Vec<u8> {
    fs::read(path(folder, name)).unwrap()
}

fn path(folder: &str, name: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "tests/fixtures/keys",
        folder,
        name,
    ]
    .iter()
    .collect()
}

#[test]
fn every_key_made_by_cosign_opens_signs_and_has_the_public_key_that_cosign_wrote() {
    let message = file("", "blob.txt");
    for (folder, scheme) in FOLDERS {
        let key = PrivateKey::from_cosign(
            &file(folder, "cosign.key"),
            &file(folder, "cosign.password"),
        )
        .unwrap();
        let public = PublicKey::from_pem(&file(folder, "cosign.pub")).unwrap();
        assert_eq!(key.public_key(), &public, "{folder}");
        assert_eq!(
            public.to_pem().as_bytes(),
            file(folder, "cosign.pub"),
            "{folder}"
        );
        assert_eq!(key.scheme(), scheme, "{folder}");
        let signature = key.sign(&message).unwrap();
        assert_eq!(public.verify(&message, &signature), Ok(scheme), "{folder}");
        assert_eq!(
            key.sign(&message).unwrap(),
            signature,
            "{folder}: not deterministic"
        );
    }
}

#[test]
fn a_detached_signature_is_made_as_cosign_verifies_it() {
    for (folder, expected) in [
        ("import-ed25519", Scheme::Ed25519),
        ("import-p384", Scheme::EcdsaSha256),
        ("import-p521", Scheme::EcdsaSha256),
    ] {
        let (text, password) = (file(folder, "cosign.key"), file(folder, "cosign.password"));
        let key = PrivateKey::from_cosign(&text, &password)
            .unwrap()
            .for_detached();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(
            key.public_key().verify(b"message", &signature),
            Ok(expected),
            "{folder}"
        );
    }
}

#[test]
fn every_signature_made_by_cosign_verifies() {
    let message = file("", "blob.txt");
    let mut verified = 0;
    for (folder, scheme) in FOLDERS {
        if !path(folder, "blob.sig").exists() {
            continue;
        }
        let signature = STANDARD
            .decode(file(folder, "blob.sig").trim_ascii())
            .unwrap();
        let public = PublicKey::from_pem(&file(folder, "cosign.pub")).unwrap();
        // `cosign sign-blob` signs the message itself; the same key in Tekton Chains signs its
        // digest (Ed25519ph)
        let scheme = if scheme == Scheme::Ed25519ph {
            Scheme::Ed25519
        } else {
            scheme
        };
        assert_eq!(public.verify(&message, &signature), Ok(scheme), "{folder}");
        verified += 1;
    }
    assert_eq!(verified, 4, "cosign signed with four of the keys");
}

const X509: [(&str, Scheme); 5] = [
    ("p256", Scheme::EcdsaSha256),
    ("p384", Scheme::EcdsaSha256),
    ("p521", Scheme::EcdsaSha256),
    ("ed25519", Scheme::Ed25519),
    ("rsa2048", Scheme::RsaSha256),
];

fn x509(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/x509");
    fs::read(PathBuf::from(folder).join(name)).unwrap()
}

#[test]
fn keys_made_by_openssl_load_and_openssls_signatures_verify() {
    let message = x509("message.txt");
    for (name, scheme) in X509 {
        let key = PrivateKey::from_x509_pem(&x509(&format!("{name}.pem"))).unwrap();
        let public = PublicKey::from_pem(&x509(&format!("{name}.pub"))).unwrap();
        assert_eq!(key.public_key(), &public, "{name}");
        assert_eq!(
            public.to_pem().as_bytes(),
            x509(&format!("{name}.pub")),
            "{name}"
        );
        let theirs = x509(&format!("{name}.sig"));
        assert_eq!(
            public.verify(&message, &theirs),
            Ok(scheme),
            "{name}: openssl's"
        );
        let ours = key.sign(&message).unwrap();
        assert_eq!(public.verify(&message, &ours), Ok(scheme), "{name}: ours");
    }
}

#[test]
fn older_private_key_forms_hold_the_same_keys() {
    let same = [
        ("p384-sec1.pem", "p384.pub"),
        ("rsa2048-pkcs1.pem", "rsa2048.pub"),
    ];
    for (private, public) in same {
        let key = PrivateKey::from_x509_pem(&x509(private)).unwrap();
        assert_eq!(
            key.public_key().to_pem().as_bytes(),
            x509(public),
            "{private}"
        );
    }
    let key = PrivateKey::from_x509_pem(&x509("p256-sec1-with-parameters.pem")).unwrap();
    assert_eq!(key.public_key().algorithm(), "ECDSA P-256");
}

#[test]
fn a_certificate_gives_its_public_key() {
    let key = PublicKey::from_pem(&x509("p256-certificate.pem")).unwrap();
    assert_eq!(key.to_pem().as_bytes(), x509("p256.pub"));
}

#[test]
fn the_key_id_is_the_fingerprint_that_ssh_keygen_prints() {
    let printed = [
        (
            "p256.pub",
            "SHA256:kDaAru459G+3V5M90PlKbSKHATm0TvRpSVwkTwDuBms",
        ),
        (
            "p384.pub",
            "SHA256:XOM8J5VKN8BwbyrkkAkaW3855JSWqSeBZtnG3PEFS/Y",
        ),
        (
            "p521.pub",
            "SHA256:wuddRDQTyNwLwQJWkE5Do7uRF5Stms502hN87zXOhYU",
        ),
        (
            "rsa2048.pub",
            "SHA256:lCXCyfLSMmRHIdDQWaOXxhIjfNYzUikMUn6LlQ+13XE",
        ),
    ];
    for (file, fingerprint) in printed {
        assert_eq!(
            PublicKey::from_pem(&x509(file)).unwrap().key_id(),
            fingerprint,
            "{file}"
        );
    }
}

#[test]
fn what_is_no_pem_is_named_with_how_to_make_pem_of_it() {
    let pem = String::from_utf8(x509("p256.pub")).unwrap();
    let body: String = pem.lines().filter(|line| !line.contains("-----")).collect();
    let encoded = |bytes: &[u8]| STANDARD.encode(bytes);
    let der = STANDARD.decode(&body).unwrap();
    for (text, expected) in [
        (der, "but DER: convert it with openssl"),
        (
            encoded(pem.as_bytes()).into_bytes(),
            "decode it (base64 -d)",
        ),
        (
            b"ecdsa-sha2-nistp256 AAAA me@host".to_vec(),
            "ssh-keygen -e -m PKCS8 -f FILE",
        ),
        (pem.replace('\n', "").into_bytes(), "its line ends are lost"),
        (
            pem.replace('\n', "\\n").into_bytes(),
            "its line ends are lost",
        ),
        (b"0123".to_vec(), "it has no `-----BEGIN"),
        (b"key".to_vec(), "it has no `-----BEGIN"),
    ] {
        let error = PublicKey::from_pem(&text).unwrap_err().to_string();
        assert!(error.starts_with("the key is not PEM, "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let marked = [b"\xef\xbb\xbf", pem.as_bytes()].concat();
    assert!(PublicKey::from_pem(&marked).is_ok());
}

#[test]
fn a_file_of_the_wrong_type_is_named_with_what_is_expected() {
    let refused = [
        ("p256.pub", "found a public key"),
        ("p256-certificate.pem", "found a certificate"),
        (
            "p256-encrypted.pem",
            "found a private key encrypted with a passphrase",
        ),
        ("rsa1024.pem", "the RSA key has 1024 bits"),
        (
            "secp256k1.pem",
            "the key's algorithm (1.2.840.10045.2.1, curve 1.3.132.0.10)",
        ),
        ("message.txt", "the key is not PEM"),
    ];
    for (file, text) in refused {
        let error = PrivateKey::from_x509_pem(&x509(file))
            .unwrap_err()
            .to_string();
        assert!(error.contains(text), "{file}: {error}");
    }
    let error = PublicKey::from_pem(&x509("p256.pem"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("found an unencrypted private key"),
        "{error}"
    );
    assert!(error.contains("expected a public key"), "{error}");
}

#[test]
fn rsa_signatures_with_every_padding_and_hash_of_the_key_services_verify() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rsa");
    let read = |name: &str| fs::read(PathBuf::from(folder).join(name)).unwrap();
    let key = PublicKey::from_pem(&read("key.pub")).unwrap();
    assert_eq!(PublicKey::from_der(key.der()).unwrap(), key);
    let message = file("", "blob.txt");
    for (name, scheme) in [
        ("pkcs1-sha256.sig", Scheme::RsaSha256),
        ("pkcs1-sha384.sig", Scheme::RsaSha384),
        ("pkcs1-sha512.sig", Scheme::RsaSha512),
        ("pss-sha256.sig", Scheme::RsaPssSha256),
        ("pss-sha384.sig", Scheme::RsaPssSha384),
        ("pss-sha512.sig", Scheme::RsaPssSha512),
        ("pss-sha256-salt20.sig", Scheme::RsaPssSha256),
        ("pss-sha384-salt-max.sig", Scheme::RsaPssSha384),
    ] {
        let signature = read(name);
        assert_eq!(key.verify(&message, &signature), Ok(scheme), "{name}");
        assert!(key.verify(b"another", &signature).is_err(), "{name}");
        let mut changed = signature;
        changed[100] ^= 1;
        assert!(key.verify(&message, &changed).is_err(), "{name}");
    }
    // a weak hash
    let weak = read("pkcs1-sha1.sig");
    assert!(key.verify(&message, &weak).is_err());
}
