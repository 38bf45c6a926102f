//! Plugins that are shell scripts, most of them hostile.

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::config;

use super::super::signer::KmsSigner;
use super::super::trial::{self, LEVELS};
use super::*;
use crate::sign::kms::plugins::Plugins;
use crate::telemetry::recorded::Log;

const PUBLIC: &str =
    include_str!("../../../../../core/tests/fixtures/keys/cosign3-p256/cosign.pub");

/// A folder with a plugin `sigstore-kms-scripted`.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(script: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.install("sigstore-kms-scripted", script);
        folder
    }

    /// Writes a program by another process: while this one has it open for writing, what it starts
    /// elsewhere may have it open as well, and it could not be run.
    fn install(&self, name: &str, script: &str) {
        let mut child = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(self.path(name))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let script = format!("#!/bin/sh\n{script}\n");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(script.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn set_mode(&self, name: &str, mode: u32) {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(name), mode).unwrap();
    }

    fn means(&self, variables: &[&str]) -> Means {
        Means {
            plugins: Plugins::OfController {
                folder: self.0.path().to_owned(),
                variables: variables.iter().map(|name| (*name).to_owned()).collect(),
            },
            ..Means::of(&config::Kms::default())
        }
    }

    async fn open(&self, key: &str) -> Result<Plugin, KmsError> {
        Plugin::open(&self::key(key), &self.means(&[])).await
    }

    async fn error(&self) -> String {
        trial::text(&self.open("scripted://key").await.unwrap_err())
    }
}

fn key(text: &str) -> PluginKey {
    use super::super::reference::Reference;
    match text.parse() {
        Ok(Reference::Plugin(key)) => key,
        other => panic!("{text}: {other:?}"),
    }
}

/// A response with the public key of the fixtures.
fn public() -> String {
    json!({ "publicKey": { "publicKeyPEM": STANDARD.encode(PUBLIC) } }).to_string()
}

#[tokio::test]
async fn a_plugin_is_asked_as_sigstores_libraries_ask_and_by_no_shell() {
    let folder = Folder::new(&format!(
        "here=$(dirname \"$0\"); printf '%s\\n' \"$#\" \"$@\" > \"$here/arguments\"; cat > \"$here/input\"; \
         pwd > \"$here/pwd\"; echo '{}'",
        public()
    ));
    let plugin = folder.open("scripted://$(id) 'x' `y`").await.unwrap();
    assert_eq!(plugin.public_key().to_pem(), PUBLIC);
    let asked = |line: usize| -> Value {
        let arguments = folder.read("arguments");
        let lines: Vec<_> = arguments.lines().collect();
        assert_eq!((lines[0], lines[1], lines.len()), ("2", "v1", 3));
        serde_json::from_str(lines[line]).unwrap()
    };
    let options = json!({
        "protocolVersion": "v1", "keyResourceID": "$(id) 'x' `y`", "hashFunc": 5, "rpcOptions": {},
    });
    let expected = json!({
        "initOptions": options, "methodName": "publicKey",
        "publicKey": { "publicKeyOptions": { "rpcOptions": {} } },
    });
    assert_eq!(asked(2), expected);
    assert_eq!(folder.read("input"), "");
    assert_eq!(folder.read("pwd"), "/\n");
    plugin.sign(b"a message").await.unwrap_err();
    let expected = json!({
        "initOptions": options, "methodName": "signMessage",
        "signMessage": { "signOptions": { "rpcOptions": {}, "messageOptions": {} } },
    });
    assert_eq!(asked(2), expected);
    assert_eq!(folder.read("input"), "a message");
}

#[tokio::test]
async fn a_plugin_of_the_controller_gets_the_listed_variables_and_no_other() {
    let script = format!(
        "tr '\\0' '\\n' < /proc/$$/environ > \"$(dirname \"$0\")/environment\"; echo '{}'",
        public()
    );
    let folder = Folder::new(&script);
    folder.open("scripted://key").await.unwrap();
    assert_eq!(folder.read("environment"), "");
    let means = folder.means(&["HOME", "WINDLASS_THERE_IS_NO_SUCH_VARIABLE"]);
    Plugin::open(&key("scripted://key"), &means).await.unwrap();
    let home = std::env::var("HOME").unwrap();
    assert_eq!(folder.read("environment"), format!("HOME={home}\n"));
    folder.install("sigstore-kms-pkcs11", &script);
    let pin = key("pkcs11:token=t?pin-value=planted-pin");
    Plugin::open(&pin, &folder.means(&[])).await.unwrap();
    assert_eq!(
        folder.read("environment"),
        "COSIGN_PKCS11_PIN=planted-pin\n"
    );
}

#[tokio::test]
async fn a_response_that_is_of_no_use_is_named_and_not_repeated() {
    let other = STANDARD.encode("planted words");
    for (script, expected) in [
        ("echo planted words", "no response of the protocol v1"),
        ("echo '[]'", "no response of the protocol v1"),
        ("echo '{\"publicKey\":7}'", "no response of the protocol v1"),
        ("echo planted words >&2; exit 3", "ended with exit status 3"),
        ("exit 0", "ended with exit status 0"),
        ("kill -9 $$", "signal 9 ended it"),
        (
            "echo '{\"errorMessage\":\"planted words\"}'",
            "it reports an error, which is not repeated here",
        ),
        (
            "echo '{\"signMessage\":{\"signature\":\"planted\"}}'",
            "to something else than it was asked",
        ),
        ("echo '{}'", "to something else than it was asked"),
        (
            "echo '{\"publicKey\":{\"publicKeyPEM\":\"planted words\"}}'",
            "not base64",
        ),
        (
            &format!("echo '{{\"publicKey\":{{\"publicKeyPEM\":\"{other}\"}}}}'"),
            "cannot use the public key",
        ),
        ("yes planted", "it printed more than 262144 bytes"),
        (
            "yes planted >&2 & yes planted",
            "it printed more than 262144 bytes",
        ),
    ] {
        let log = Log::default();
        let guard = log.record(LEVELS);
        let error = Folder::new(script).error().await;
        drop(guard);
        assert!(error.contains(expected), "{script}: {error}");
        trial::search(&log);
    }
}

#[tokio::test]
async fn what_a_plugin_says_of_a_failure_counts_whatever_its_exit_status() {
    let folder = Folder::new(&format!("echo '{}'; exit 9", public()));
    folder.open("scripted://key").await.unwrap();
}

#[tokio::test]
async fn a_signature_that_the_public_key_does_not_verify_is_none() {
    // of the right form, and of nothing
    let signature = "MAYCAQECAQE=";
    let folder = Folder::new(&format!(
        "case \"$2\" in *signMessage*) echo '{{\"signMessage\":{{\"signature\":\"{signature}\"}}}}';; \
         *) echo '{}';; esac",
        public()
    ));
    let reference = "scripted://key".parse().unwrap();
    let opened = KmsSigner::open(&reference, &folder.means(&[]), &Arc::default()).await;
    let error = trial::text(&opened.unwrap_err());
    assert!(error.contains("does not verify"), "{error}");
}

#[tokio::test]
async fn a_plugin_that_does_not_end_is_ended_with_all_that_it_started() {
    let folder = Folder::new("sleep 600 & echo $! > \"$(dirname \"$0\")/child\"; sleep 600");
    let mut program = folder
        .means(&[])
        .plugins
        .find(&key("scripted://key"))
        .unwrap();
    program.patience = Duration::from_secs(2);
    let begun = Instant::now();
    let failure = process::run(&program, "{}", b"").await.unwrap_err();
    assert_eq!(failure.to_string(), "it did not end within 2 s");
    assert!(begun.elapsed() < Duration::from_secs(60));
    gone(folder.read("child").trim()).await;
}

#[tokio::test]
async fn what_a_plugin_leaves_behind_is_ended_and_not_waited_for() {
    let folder = Folder::new(&format!(
        "sleep 600 & echo $! > \"$(dirname \"$0\")/child\"; echo '{}'",
        public()
    ));
    let begun = Instant::now();
    folder.open("scripted://key").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    gone(folder.read("child").trim()).await;
}

/// Waits until a process has ended; a zombie has.
async fn gone(process: &str) {
    for _ in 0..500 {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat"));
        if state.is_err() || state.is_ok_and(|state| state.contains(") Z ")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process {process} is still there");
}

#[tokio::test]
async fn plugins_are_off_unless_a_folder_is_named() {
    let means = Means::of(&config::Kms::default());
    for (text, name) in [("scripted://key", "scripted"), ("pkcs11:token=t", "pkcs11")] {
        let error = Plugin::open(&key(text), &means).await.unwrap_err();
        let error = trial::text(&error);
        assert!(error.contains("plugins are off"), "{error}");
        assert!(error.contains(&format!("sigstore-kms-{name},")), "{error}");
        assert!(error.contains("--kms-plugin-dir"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_others_may_have_put_there_is_not_run() {
    let run = format!("touch \"$(dirname \"$0\")/ran\"; echo '{}'", public());
    let folder = Folder::new(&run);
    let file = "sigstore-kms-scripted";
    folder.open("scripted://key").await.unwrap();
    std::fs::remove_file(folder.path("ran")).unwrap();
    for (name, mode) in [
        (file, 0o775),
        (file, 0o757),
        ("", 0o777),
        ("", 0o1777),
        ("", 0o770),
    ] {
        let usual = std::fs::metadata(folder.path(name)).unwrap().permissions();
        folder.set_mode(name, mode);
        let error = folder.error().await;
        folder.set_mode(name, usual.mode());
        assert!(
            error.contains("is not run: user"),
            "{name} {mode:o}: {error}"
        );
    }
    folder.set_mode(file, 0o644);
    assert!(folder.error().await.contains("is no program"));
    std::fs::remove_file(folder.path(file)).unwrap();
    assert!(folder.error().await.contains("does not exist; install it"));
    std::fs::create_dir(folder.path(file)).unwrap();
    assert!(folder.error().await.contains("is no program"));
    std::fs::remove_dir(folder.path(file)).unwrap();
    let elsewhere = Folder::new(&run);
    symlink(elsewhere.path(file), folder.path(file)).unwrap();
    assert!(folder.error().await.contains("outside of its folder"));
    assert!(!folder.path("ran").exists());
    std::fs::remove_file(folder.path(file)).unwrap();
    folder.install("program", &run);
    symlink("program", folder.path(file)).unwrap();
    folder.open("scripted://key").await.unwrap();
}

#[tokio::test]
async fn the_folder_of_plugins_is_absolute() {
    let plugins = Plugins::OfController {
        folder: "plugins".into(),
        variables: Vec::new(),
    };
    let error = trial::text(&plugins.find(&key("scripted://key")).unwrap_err());
    assert!(error.contains("is not absolute"), "{error}");
}
