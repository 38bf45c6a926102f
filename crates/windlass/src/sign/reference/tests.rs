use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_core::error::Chain;
use zeroize::Zeroizing;

use super::{Entries, Input, KeyRef, file, private_of, public_of};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/fixtures/keys");

fn entries(names: &[&str]) -> Entries {
    let read = |name: &&str| std::fs::read(format!("{FOLDER}/cosign3-p256/{name}")).unwrap();
    names
        .iter()
        .map(|name| ((*name).to_owned(), Zeroizing::new(read(name))))
        .collect()
}

fn location() -> super::Location {
    "ns/signing-secrets".parse().unwrap()
}

#[test]
fn references_are_told_apart_by_their_scheme() {
    assert!(matches!("k8s://ns/name".parse(), Ok(KeyRef::Secret(_))));
    assert!(matches!("env://KEY".parse(), Ok(KeyRef::Environment(name)) if name == "KEY"));
    for file in [
        "a/b.pub",
        "./pkcs11:token",
        "C:\\keys\\b.pub",
        "release:1.pub",
    ] {
        assert!(matches!(file.parse(), Ok(KeyRef::File(_))), "{file}");
    }
}

#[test]
fn a_scheme_of_a_key_service_is_a_key_there_or_an_error_and_never_a_file() {
    for text in [
        "hashivault://x",
        "openbao://x",
        "awskms:///alias/x",
        "ovhkms://x",
        "pkcs11:token=release;object=k",
        "pkcs11:token=t;object=k?module-path=file:///usr/lib/x.so",
    ] {
        assert!(matches!(text.parse(), Ok(KeyRef::Service(_))), "{text}");
    }
    for text in [
        "hashivault://",
        "gcpkms://projects/p",
        "azurekms://x",
        "ovhkms://",
        "pkcs11:",
        "pkcs11:token=t;pin-value=1",
    ] {
        let error = text.parse::<KeyRef>().unwrap_err().to_string();
        assert!(error.contains("is malformed"), "{text}: {error}");
    }
}

#[test]
fn a_reference_that_cannot_be_followed_is_refused_with_what_to_write() {
    for text in [
        "k8s://ns",
        "k8s://ns/a/b",
        "k8s:///a",
        "k8s://ns/",
        "k8s://Ns/a",
    ] {
        let error = text.parse::<KeyRef>().unwrap_err().to_string();
        assert!(
            error.ends_with("write k8s://<namespace>/<secret>"),
            "{text}: {error}"
        );
    }
}

#[test]
fn a_scheme_that_is_not_supported_is_never_taken_for_a_file() {
    for (text, scheme) in [
        ("gitlab://x", "gitlab://"),
        ("Name://x", "Name://"),
        ("../x://y", "../x://"),
        ("k8s:ns/name", "k8s:"),
        ("env:KEY", "env:"),
    ] {
        let error = text.parse::<KeyRef>().unwrap_err().to_string();
        let expected = format!(
            "keys at `{scheme}` are not supported; give a file, k8s://<namespace>/<secret>, \
             env://<variable>, or the key of a service, as in awskms://, gcpkms://, azurekms://, \
             hashivault://, openbao:// or pkcs11:"
        );
        assert_eq!(error, expected, "{text}");
    }
    let error = "".parse::<KeyRef>().unwrap_err().to_string();
    assert!(error.starts_with("the key reference is empty"), "{error}");
    let error = "env://".parse::<KeyRef>().unwrap_err().to_string();
    assert!(error.ends_with("write env://<variable>"), "{error}");
}

#[test]
fn a_secret_without_cosign_pub_gives_the_public_key_of_its_private_key() {
    let whole = entries(&["cosign.key", "cosign.password", "cosign.pub"]);
    let partial = entries(&["cosign.key", "cosign.password"]);
    assert_eq!(
        public_of(&location(), &whole).unwrap(),
        public_of(&location(), &partial).unwrap()
    );
}

#[test]
fn an_empty_secret_is_told_from_one_without_password_and_one_whose_password_is_wrong() {
    let text = |entries: &Entries| {
        let error = private_of(&location(), entries).unwrap_err();
        Chain(&error).to_string()
    };
    assert!(text(&Entries::new()).contains("contains no key"));
    let missing = text(&entries(&["cosign.key"]));
    assert!(
        missing.starts_with("cannot use the key of secret signing-secrets in namespace ns"),
        "{missing}"
    );
    assert!(missing.contains("add cosign.password"), "{missing}");
    let mut wrong = entries(&["cosign.key"]);
    wrong.insert("cosign.password".to_owned(), Zeroizing::new(Vec::new()));
    let wrong = text(&wrong);
    assert!(wrong.ends_with("the password is empty"), "{wrong}");
}

#[test]
fn an_unusable_x509_pem_never_falls_through_to_the_key_of_cosign() {
    let mut both = entries(&["cosign.key", "cosign.password", "cosign.pub"]);
    both.insert("x509.pem".to_owned(), Zeroizing::new(Vec::new()));
    assert!(private_of(&location(), &both).is_err());
    assert!(public_of(&location(), &both).is_err());
}

#[test]
fn a_second_key_of_a_secret_is_named_and_the_same_key_twice_is_none() {
    let pair = || entries(&["cosign.key", "cosign.password", "cosign.pub"]);
    assert_eq!(super::second_key(&location(), &pair()), None);
    let mut both = pair();
    let x509 = windlass_core::key::PrivateKey::generate_p256(&[7; 32]).unwrap();
    let der = STANDARD.encode(x509.to_pkcs8_der().unwrap().as_slice());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    both.insert("x509.pem".to_owned(), Zeroizing::new(pem.into_bytes()));
    let told = super::second_key(&location(), &both).unwrap();
    assert!(told.contains("x509.pem is the one that signs"), "{told}");
    assert!(told.contains("cosign.pub is not used"), "{told}");
    both.remove("cosign.pub");
    let told = super::second_key(&location(), &both).unwrap();
    assert!(told.contains("cosign.key is not used"), "{told}");
    let own = x509.public_key().to_pem();
    both.insert("cosign.pub".to_owned(), Zeroizing::new(own.into_bytes()));
    assert_eq!(super::second_key(&location(), &both), None);
}

#[test]
fn a_file_that_never_ends_is_no_key() {
    let error = file(&Input::of("/dev/zero")).unwrap_err().to_string();
    assert_eq!(error, "/dev/zero is larger than 1 MiB; that is not a key");
}
