use std::collections::BTreeMap;

use k8s_openapi::ByteString;

use super::{KeyRef, private_of, public_of};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/fixtures/keys");

fn entries(names: &[&str]) -> BTreeMap<String, ByteString> {
    let read = |name: &&str| std::fs::read(format!("{FOLDER}/cosign3-p256/{name}")).unwrap();
    names
        .iter()
        .map(|name| ((*name).to_owned(), ByteString(read(name))))
        .collect()
}

fn location() -> super::Location {
    "ns/signing-secrets".parse().unwrap()
}

#[test]
fn references_are_told_apart_by_their_scheme() {
    assert!(matches!("k8s://ns/name".parse(), Ok(KeyRef::Secret(_))));
    assert!(matches!("env://KEY".parse(), Ok(KeyRef::Environment(name)) if name == "KEY"));
    assert!(matches!("a/b.pub".parse(), Ok(KeyRef::File(_))));
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
    let error = "awskms:///alias/x"
        .parse::<KeyRef>()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("keys at `awskms://` are not supported yet"),
        "{error}"
    );
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
fn an_empty_secret_is_told_from_one_whose_password_is_wrong() {
    let error = private_of(&location(), &BTreeMap::new())
        .unwrap_err()
        .to_string();
    assert!(error.contains("holds no key"), "{error}");
    let error = private_of(&location(), &entries(&["cosign.key"])).unwrap_err();
    let text = format!("{:#}", anyhow::Error::new(error));
    assert!(
        text.contains("cosign.key and cosign.password of secret signing-secrets"),
        "{text}"
    );
    assert!(text.ends_with("the password is empty"), "{text}");
}
