//! Key pairs in files.

use std::os::unix::fs::PermissionsExt as _;

use crate::shell::Shell;

#[test]
fn a_new_key_pair_signs_and_verifies() {
    let shell = Shell::new().password(Some("secret"));
    let made = shell.run("generate-key-pair");
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(
        made.stderr,
        "Private key written to cosign.key\nPublic key written to cosign.pub\n"
    );
    shell.write("payload", "hello\n");
    let signature = shell.succeed("sign-blob --key cosign.key --tlog-upload=false -y payload");
    shell.write("signature", &signature);
    let verified = shell.run("verify-blob --key cosign.pub --signature signature payload");
    assert_eq!(
        (verified.code, verified.stderr.as_str()),
        (0, "Verified OK\n")
    );
    assert_eq!(
        shell.succeed("public-key --key cosign.key").as_bytes(),
        shell.read("cosign.pub")
    );
}

#[test]
fn the_private_key_is_readable_by_its_owner_only() {
    let shell = Shell::new();
    for line in ["generate-key-pair", "generate-key-pair --force"] {
        shell.succeed(line);
        let mode = std::fs::metadata(shell.path("cosign.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{line}");
    }
}

#[test]
fn existing_keys_are_overwritten_on_demand_only() {
    let shell = Shell::new();
    shell.succeed("generate-key-pair --output-key-prefix release");
    let first = shell.read("release.key");
    let again = "generate-key-pair --output-key-prefix release";
    shell.fail(
        2,
        again,
        "release.key exists and was not changed; use --force",
    );
    assert_eq!(shell.read("release.key"), first);
    shell.succeed("generate-key-pair --output-key-prefix release --force");
    assert_ne!(shell.read("release.key"), first);
    shell.write("only.pub", "");
    let only = "generate-key-pair --output-key-prefix only";
    shell.fail(2, only, "only.pub exists and was not changed");
    assert!(!shell.path("only.key").exists());
}

#[test]
fn a_password_may_be_piped_in_and_counts_byte_for_byte() {
    let shell = Shell::new().password(None);
    let made = shell.pipe(b"secret\n", "generate-key-pair");
    assert!(
        made.stderr
            .starts_with("warning: the password from the pipe ends with a newline")
    );
    assert_eq!(
        shell.pipe(b"secret\n", "public-key --key cosign.key").code,
        0
    );
    let wrong = shell.pipe(b"secret", "public-key --key cosign.key");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .stderr
            .contains("the password does not decrypt the key"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn keys_made_by_cosign_work_from_a_file_and_from_the_environment() {
    let shell = Shell::new();
    for folder in [
        "cosign2-p256",
        "cosign3-p256",
        "import-ed25519",
        "import-rsa4096",
    ] {
        for name in ["cosign.pub", "blob.sig"] {
            shell.fixture(&format!("keys/{folder}/{name}"), name);
        }
        shell.fixture("keys/blob.txt", "blob.txt");
        shell.succeed("verify-blob --key cosign.pub --signature blob.sig blob.txt");
    }
    shell.fail(
        2,
        "public-key --key env://NOT_SET",
        "environment variable NOT_SET is not set",
    );
}

#[test]
fn a_key_that_cannot_be_used_is_named_with_the_reason() {
    let shell = Shell::new().password(Some("wrong"));
    shell.fixture("keys/cosign3-p256/cosign.key", "cosign.key");
    shell.write("empty", "");
    shell.write("payload", "x");
    let whole = String::from_utf8(shell.read("cosign.key")).unwrap();
    shell.write("short", &whole[..300]);
    let sign = |key: &str| format!("sign-blob --key {key} payload");
    shell.fail(
        2,
        &sign("cosign.key"),
        "file cosign.key: the password does not decrypt the key",
    );
    shell.fail(2, &sign("empty"), "file empty: the key is empty");
    shell.fail(
        2,
        &sign("short"),
        "has no END line, the key looks cut short",
    );
    shell.fail(
        2,
        &sign("missing"),
        "cannot read the key file missing: No such file",
    );
    shell.fail(2, &sign("gitlab://x"), "are not supported; give a file");
    shell.fail(2, &sign("awskms://x"), "is malformed");
    shell.fixture("keys/cosign3-p256/cosign.pub", "cosign.pub");
    shell.fail(2, &sign("cosign.pub"), "found a public key");
    shell.fail(
        2,
        "sign-blob --key cosign.key --tlog-upload=true payload",
        "no transparency log is named; give its address with --rekor-url",
    );
}
