//! Keys that are imported.

use windlass_core::key::PrivateKey;

use super::scene::pem;
use crate::shell::Shell;

#[test]
fn a_key_in_pem_is_encrypted_and_signs_as_the_same_key() {
    let mut shell = Shell::new();
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    shell.write("openssl.pem", pem(&key));
    shell.write("app", "content");
    shell.password = Some("sesame".to_owned());
    shell.succeed("import-key-pair --key openssl.pem");
    let public = shell.read("import-cosign.pub");
    assert_eq!(public, key.public_key().to_pem().as_bytes());
    let private = String::from_utf8(shell.read("import-cosign.key")).unwrap();
    assert!(
        private.contains("BEGIN ENCRYPTED SIGSTORE PRIVATE KEY"),
        "{private}"
    );
    let signature = shell.succeed("sign-blob --key import-cosign.key app");
    assert_eq!(signature, shell.succeed("sign-blob --key openssl.pem app"));
    shell.fail(
        2,
        "import-key-pair -k openssl.pem",
        "exists and was not changed",
    );
    shell.succeed("import-key-pair -k openssl.pem --yes");
    shell.succeed("import-key-pair -k=openssl.pem -o release");
    assert_eq!(shell.read("release.pub"), public);
}

#[test]
fn what_is_no_key_or_is_encrypted_is_told() {
    let shell = Shell::new();
    for (text, why) in [
        ("", "cannot use the key in key.pem"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "found a public key",
        ),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "decrypt it first",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "key.pem",
        ),
    ] {
        shell.write("key.pem", text);
        shell.fail(2, "import-key-pair --key key.pem", why);
    }
    shell.fail(2, "import-key-pair --key none.pem", "cannot read none.pem");
    assert!(!shell.path("import-cosign.key").exists());
}
