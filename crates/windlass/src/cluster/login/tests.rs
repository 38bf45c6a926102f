//! Programs of a shell, in place of those of a cloud.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::*;

/// Text that no error may repeat.
const SECRET: &str = "tok-3f9a";

fn program(script: &str) -> ExecConfig {
    serde_json::from_value(json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "Never",
    }))
    .unwrap()
}

const fn terms(audience: Audience, milliseconds: u64) -> Terms {
    Terms {
        audience,
        is_interactive: false,
        patience: Duration::from_millis(milliseconds),
    }
}

const LONG: u64 = 60_000;

async fn refusal(script: &str) -> String {
    let ran = run_within(&program(script), terms(Audience::Nobody, LONG)).await;
    let why = ran.err().unwrap();
    assert!(!why.contains(SECRET), "{why}");
    why
}

fn naming(exec: ExecConfig) -> Config {
    let mut config = Config::new("https://127.0.0.1:1".parse().unwrap());
    config.auth_info.exec = Some(exec);
    config
}

#[tokio::test]
async fn what_a_program_says_and_prints_is_in_no_error() {
    for (script, expected) in [
        (
            "echo tok-3f9a >&2; echo tok-3f9a; exit 3",
            "it ended with code 3",
        ),
        ("kill -9 $$", "a signal ended it"),
        ("echo tok-3f9a", "what it printed is no ExecCredential"),
        ("echo '{\"status\": \"tok-3f9a\"}'", "no ExecCredential"),
        ("echo '{\"kind\": \"ExecCredential\"}'", "has no status"),
        ("true", "it printed nothing"),
        (
            "echo '{\"apiVersion\": \"client.authentication.k8s.io/v1beta1\"}'",
            "another version than client.authentication.k8s.io/v1,",
        ),
        ("head -c 2000000 /dev/zero", "more than 1 MiB"),
    ] {
        let why = refusal(script).await;
        assert!(why.contains(expected), "{script}: {why}");
    }
    let told = |audience| ended(ExitStatus::default(), audience);
    assert!(told(Audience::Nobody).contains("run it by itself"));
    assert_eq!(told(Audience::Person), "it ended with code 0");
    let mut missing = program("");
    missing.command = Some("no-such-program".to_owned());
    let ran = run_within(&missing, terms(Audience::Person, LONG)).await;
    assert!(ran.err().unwrap().contains("No such file"));
    missing.command = None;
    let ran = run_within(&missing, terms(Audience::Person, LONG)).await;
    assert!(ran.err().unwrap().contains("names no command"));
}

#[tokio::test]
async fn a_program_that_hangs_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("echo $$ > {}; exec sleep 600", file.display());
    let begun = Instant::now();
    let ran = run_within(&program(&script), terms(Audience::Nobody, 1500)).await;
    let why = ran.err().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{why}");
    assert!(
        why.contains("did not end within 1.5s and was stopped"),
        "{why}"
    );
    let pid = std::fs::read_to_string(&file).unwrap();
    let process = Path::new("/proc").join(pid.trim());
    let ends = Instant::now() + Duration::from_secs(30);
    // one that was killed may wait to be collected
    let runs = || {
        let state = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        state.contains("sleep") && !state.contains(") Z ")
    };
    while runs() {
        assert!(Instant::now() < ends, "it still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(minutes(Duration::from_secs(300)), "5 minutes");
    assert_eq!(minutes(Duration::from_secs(60)), "a minute");
}

#[test]
fn only_a_person_at_a_terminal_is_asked_and_waited_for() {
    use ExecInteractiveMode::{Always, IfAvailable, Never};
    let of = |audience, mode: Option<&_>, has_terminal| Terms::of(audience, mode, has_terminal);
    for (mode, has_terminal, asks, minutes) in [
        (Some(&Never), true, false, 5),
        (Some(&IfAvailable), true, true, 30),
        (Some(&IfAvailable), false, false, 5),
        (None, true, true, 30),
        (Some(&Always), true, true, 30),
    ] {
        let terms = of(Audience::Person, mode, has_terminal).unwrap();
        assert_eq!(terms.is_interactive, asks, "{mode:?}");
        assert_eq!(terms.patience.as_secs(), minutes * 60, "{mode:?}");
    }
    let why = of(Audience::Person, Some(&Always), false).unwrap_err();
    assert!(why.contains("there is none"), "{why}");
    assert!(of(Audience::Nobody, Some(&Always), true).is_err());
    let terms = of(Audience::Nobody, None, true).unwrap();
    assert!(!terms.is_interactive);
    assert_eq!(terms.patience.as_secs(), 60);
}

#[tokio::test]
async fn a_program_is_told_how_it_runs_and_gives_a_token() {
    let script = r#"
        case "$KUBERNETES_EXEC_INFO" in
            *'"interactive":false'*) token="$NAME-$1" ;;
        esac
        echo "{\"kind\": \"ExecCredential\", \"status\": {\"token\": \"$token\"}}"
    "#;
    let mut exec = program(script);
    let args = exec.args.as_mut().unwrap();
    args.extend(["sh".to_owned(), "word".to_owned()]);
    let pair = [("name", "NAME"), ("value", "given")];
    let pair = pair.map(|(key, value)| (key.to_owned(), value.to_owned()));
    exec.env = Some(vec![HashMap::from(pair)]);
    let (config, renewal) = credential(naming(exec), Audience::Nobody).await.unwrap();
    let token = config.auth_info.token.unwrap();
    assert_eq!(token.expose_secret(), "given-word");
    assert!(renewal.0.is_none());
    assert!(config.auth_info.exec.is_none());
}

#[tokio::test]
async fn a_certificate_with_its_key_is_taken_and_half_of_one_is_not() {
    let script = |status: Value| format!("printf '%s' '{}'", json!({ "status": status }));
    let both = json!({ "clientCertificateData": "CERT", "clientKeyData": "KEY" });
    let (config, _) = credential(naming(program(&script(both))), Audience::Nobody)
        .await
        .unwrap();
    let data = config.auth_info.client_certificate_data.unwrap();
    assert_eq!(data, STANDARD.encode("CERT"));
    let key = config.auth_info.client_key_data.unwrap();
    assert_eq!(key.expose_secret(), STANDARD.encode("KEY"));
    for status in [json!({}), json!({ "clientCertificateData": "CERT" })] {
        let made = credential(naming(program(&script(status))), Audience::Nobody);
        let why = made.await.err().unwrap().to_string();
        assert!(why.contains("neither a token nor a certificate"), "{why}");
    }
    let bad = json!({ "token": "tok-3f9a\nx" });
    let made = credential(naming(program(&script(bad))), Audience::Nobody);
    let why = made.await.err().unwrap().to_string();
    assert!(why.contains("line end") && !why.contains(SECRET), "{why}");
}

#[tokio::test]
async fn a_token_that_ends_is_renewed_and_one_that_is_valid_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    let script = |ends: &str| {
        format!(
            "echo x >> {count}; n=$(wc -l < {count}); echo \"{{status: {{token: t$n, \
             expirationTimestamp: '{ends}'}}}}\"",
            count = count.display()
        )
    };
    for (ends, tokens) in [
        ("2099-01-01T00:00:00Z", ["Bearer t1", "Bearer t1"]),
        ("2020-01-01T00:00:00Z", ["Bearer t2", "Bearer t3"]),
    ] {
        let _ = std::fs::remove_file(&count);
        let config = naming(program(&script(ends)));
        let (config, renewal) = credential(config, Audience::Nobody).await.unwrap();
        assert!(config.auth_info.token.is_none());
        let source = renewal.0.unwrap();
        for token in tokens {
            assert_eq!(source.header().await.unwrap(), token, "{ends}");
        }
    }
}
