//! `--key NAME://KEY`: keys of plugins, in every verb that takes a key. The plugins are scripts.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::shell::Shell;

const KEY: &str = "scripted://release";

/// A shell script that signs with the key file of a folder, by windlass itself. `before` comes first.
pub fn script(folder: &str, before: &str) -> String {
    let windlass = env!("CARGO_BIN_EXE_windlass");
    format!(
        r#"#!/bin/sh
{before}
case "$2" in
*'"methodName":"publicKey"'*)
    printf '{{"publicKey":{{"publicKeyPEM":"%s"}}}}' "$(base64 < {folder}/cosign.pub | tr -d '\n')" ;;
*'"methodName":"signMessage"'*)
    printf '{{"signMessage":{{"signature":"%s"}}}}' \
        "$(COSIGN_PASSWORD= {windlass} sign-blob --key {folder}/cosign.key -)" ;;
esac
"#
    )
}

/// Writes a program by another process: one that this process has open for writing, another thread's
/// command may have open as well, and it could not be run.
pub fn install(path: &std::path::Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// A shell with a key pair, and this script in its `PATH`, which begins with these lines.
fn shell(before: &str) -> Shell {
    let shell = Shell::new();
    shell.succeed("generate-key-pair");
    let folder = shell.path("").display().to_string();
    install(
        &shell.path("bin/sigstore-kms-scripted"),
        &script(&folder, before),
    );
    shell.write("blob", "content");
    shell
}

#[test]
fn a_key_of_a_plugin_in_the_path_signs_and_verifies_files() {
    let shell = shell("");
    let pem = shell.succeed(&format!("public-key --key {KEY}"));
    assert_eq!(pem.as_bytes(), shell.read("cosign.pub"));
    let signature = shell.succeed(&format!("sign-blob --key {KEY} blob"));
    shell.write("signature", signature);
    for key in [KEY, "cosign.pub"] {
        shell.succeed(&format!(
            "verify-blob --key {key} --signature signature blob"
        ));
    }
    shell.write("other", "something else");
    shell.fail(
        1,
        &format!("verify-blob --key {KEY} --signature signature other"),
        "",
    );
}

#[test]
fn the_folder_of_plugins_counts_before_the_path_and_nobody_else_may_write_to_it() {
    let shell = shell("");
    let folder = shell.path("plugins");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.display().to_string();
    let words = ["public-key", "--key", KEY];
    let run = || shell.with(&[("WINDLASS_KMS_PLUGIN_DIR", &folder)], &words);
    let outcome = run();
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("install it there"),
        "{}",
        outcome.stderr
    );
    let plugin = shell.path("plugins/sigstore-kms-scripted");
    let own = shell.path("").display().to_string();
    install(&plugin, &script(&own, ""));
    assert_eq!(run().code, 0);
    let chmod = Command::new("chmod").arg("o+w").arg(&plugin).status();
    assert!(chmod.unwrap().success());
    let outcome = run();
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("is not run"), "{}", outcome.stderr);
}

#[test]
fn what_a_plugin_says_goes_to_the_terminal_of_the_one_who_runs_it_as_one_line_without_controls() {
    let shell = shell(
        r#"echo 'to the user' >&2; printf '%s' '{"errorMessage":"no\n\u001b[31mtoken"}'; exit"#,
    );
    let outcome = shell.run(&format!("public-key --key {KEY}"));
    assert_eq!(outcome.code, 2);
    for text in [
        "to the user\n",
        "the plugin reports: no  [31mtoken\n",
        "it reports an error, which is printed above",
    ] {
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
}

#[test]
fn a_plugin_that_does_not_exist_is_named() {
    let shell = Shell::new();
    for (key, name) in [
        ("absent://k", "absent"),
        ("pkcs11:token=t;object=k", "pkcs11"),
    ] {
        let text = format!(
            "the plugin sigstore-kms-{name} does not exist; install it in a folder of PATH"
        );
        shell.fail(2, &format!("public-key --key {key}"), &text);
    }
}

#[test]
fn a_plugin_has_the_environment_of_the_user_but_the_password_of_a_key_file() {
    let before = "tr '\\0' '\\n' < /proc/$$/environ > environment; printf '%s ' \"$@\" > arguments";
    let shell = shell(before);
    let outcome = shell.with(&[("OTHER", "variable")], &["public-key", "--key", KEY]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let environment = String::from_utf8(shell.read("environment")).unwrap();
    assert!(environment.contains("OTHER=variable\n"), "{environment}");
    assert!(!environment.contains("COSIGN_PASSWORD"), "{environment}");
}

#[test]
fn the_pin_of_a_pkcs11_uri_gets_into_the_environment_of_the_plugin_and_nowhere_else() {
    let before = "tr '\\0' '\\n' < /proc/$$/environ > environment; printf '%s ' \"$@\" > arguments";
    let shell = shell(before);
    let own = shell.path("").display().to_string();
    install(
        &shell.path("bin/sigstore-kms-pkcs11"),
        &script(&own, before),
    );
    let key = "pkcs11:token=t;object=k?module-path=/lib/m.so&pin-value=planted%2Dpin";
    let outcome = shell.words(&["sign-blob", "--key", key, "blob"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let read = |name| String::from_utf8(shell.read(name)).unwrap();
    let (environment, arguments) = (read("environment"), read("arguments"));
    for line in [
        "COSIGN_PKCS11_PIN=planted-pin\n",
        "SIGSTORE_KMS_PKCS11_MODULES=/lib/m.so\n",
    ] {
        assert!(environment.contains(line), "{environment}");
    }
    let resource = r#""keyResourceID":"token=t;object=k?module-path=/lib/m.so""#;
    assert!(arguments.contains(resource), "{arguments}");
    assert!(!arguments.contains("planted"), "{arguments}");
    install(
        &shell.path("bin/sigstore-kms-pkcs11"),
        "#!/bin/sh\nexit 1\n",
    );
    let outcome = shell.words(&["sign-blob", "--key", key, "blob"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("exit status 1"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("planted"), "{}", outcome.stderr);
}

#[test]
fn an_error_of_the_arguments_repeats_no_pin_and_no_password() {
    let shell = Shell::new();
    for key in [
        "pkcs11:token=t;object=k?pin-value=%planted",
        "pkcs11:token=t;pin-value=planted",
        "acme://k?pin-value=planted",
        "https://user:planted@host.example.com/key.pub",
    ] {
        for format in [&[][..], &["-o", "json"]] {
            let outcome = shell.words(&[&["verify", "--key", key, "f"], format].concat());
            let told = format!("{}{}", outcome.stdout, outcome.stderr);
            assert_eq!(outcome.code, 2, "{told}");
            assert!(told.contains("--key <"), "{told}");
            assert!(!told.contains("planted"), "{told}");
        }
    }
}

/// A shell with a plugin in its `PATH` that has no key yet, and makes one when it is told to; `create` says
/// how.
fn maker(create: &str) -> Shell {
    let shell = Shell::new();
    let folder = shell.path("plugin");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.display().to_string();
    let key = script(&folder, "");
    let script = format!(
        r#"#!/bin/sh
case "$2" in
*'"methodName":"defaultAlgorithm"'*)
    printf '{{"defaultAlgorithm":{{"defaultAlgorithm":"ecdsa-p256"}}}}'; exit ;;
*'"methodName":"createKey"'*)
    printf '%s\n' "$2" >> {folder}/created
    cd {folder} && {create}; exit ;;
esac
test -e {folder}/cosign.pub || {{ printf '{{"errorMessage":"no such key"}}'; exit; }}
{key}"#
    );
    install(&shell.path("bin/sigstore-kms-scripted"), &script);
    shell.write("blob", "content");
    shell
}

/// What makes a key pair in the folder of the plugin, and says so.
fn makes() -> String {
    let windlass = env!("CARGO_BIN_EXE_windlass");
    format!(
        r#"COSIGN_PASSWORD= {windlass} generate-key-pair 2> log && printf '{{"createKey":{{"publicKeyPEM":"%s"}}}}' "$(base64 < cosign.pub | tr -d '\n')""#
    )
}

const CREATE: &str = "generate-key-pair --kms scripted://release";

#[test]
fn a_plugin_creates_a_key_that_signs_and_creates_it_once() {
    let shell = maker(&makes());
    shell.succeed(CREATE);
    let public = shell.read("cosign.pub");
    assert_eq!(public, shell.read("plugin/cosign.pub"));
    let asked = String::from_utf8(shell.read("plugin/created")).unwrap();
    assert!(asked.contains(r#""algorithm":"ecdsa-p256""#), "{asked}");
    assert!(asked.contains(r#""keyResourceID":"release""#), "{asked}");
    let signature = shell.succeed(&format!("sign-blob --key {KEY} blob"));
    shell.write("signature", signature);
    shell.succeed("verify-blob --key cosign.pub --signature signature blob");
    shell.fail(2, CREATE, "exists");
    assert_eq!(shell.read("plugin/cosign.pub"), public);
    let asked = String::from_utf8(shell.read("plugin/created")).unwrap();
    assert_eq!(asked.lines().count(), 1, "{asked}");
}

#[test]
fn a_plugin_that_creates_no_key_is_told_and_no_public_key_is_written() {
    for (create, why) in [
        (
            r#"printf '{"errorMessage":"planted"}'"#,
            "it reports an error",
        ),
        ("printf nonsense", "no response of the protocol v1"),
        // it says that it did, and has none
        (
            r#"printf '{"createKey":{"publicKeyPEM":"AAAA"}}'"#,
            "it reports an error",
        ),
    ] {
        let shell = maker(create);
        shell.fail(2, CREATE, why);
        assert!(!shell.path("cosign.pub").exists(), "{create}");
    }
    let shell = maker(&makes());
    shell.fail(2, &format!("{CREATE} --force"), "is never replaced");
    assert!(!shell.path("plugin/created").exists());
}
