//! Verbs that users of cosign type, and the names of the originals.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use serde_json::Value;

use crate::attest::runs;
use crate::shell::Shell;

#[test]
fn a_login_is_added_to_the_docker_configuration_and_keeps_what_is_there() {
    let mut shell = Shell::new();
    let kept = r#"{"HttpHeaders":{"a":"b"},"auths":{"q.io":{"auth":"YTpi"}}}"#;
    shell.docker_config = Some(kept.to_owned());
    let outcome = shell.pipe(b"sesame\n", "login r.io:5000 -u alice --password-stdin");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("sesame"));
    let config: Value = serde_json::from_slice(&shell.read("docker/config.json")).unwrap();
    assert_eq!(config["HttpHeaders"]["a"], "b");
    assert_eq!(config["auths"]["q.io"]["auth"], "YTpi");
    assert_eq!(config["auths"]["r.io:5000"]["auth"], "YWxpY2U6c2VzYW1l");
    for (config, line, told) in [
        (
            "no JSON",
            "login r.io -u a -p b",
            "is not a Docker configuration",
        ),
        (
            r#"{"credsStore":"x"}"#,
            "login r.io -u a -p b",
            "docker-credential-x",
        ),
        (
            r#"{"auths":[]}"#,
            "login r.io -u a -p b",
            "is not an object",
        ),
        ("{}", "login r.io/team:v1 -u a -p b", "is not a registry"),
        ("{}", "login https:// -u a -p b", "is not a registry"),
        (
            "{}",
            "login https://a:b@r.io -u a -p b",
            "is not a registry",
        ),
        ("{}", "login ftp://r.io -u a -p b", "is not a registry"),
        ("{}", "login r.io -u a:b -p c", "has a colon"),
        (
            "{}",
            "login r.io -u a --password-stdin",
            "the password is empty",
        ),
    ] {
        shell.docker_config = Some(config.to_owned());
        shell.fail(2, line, told);
        assert_eq!(
            shell.read("docker/config.json"),
            config.as_bytes(),
            "{line}"
        );
    }
}

#[test]
fn a_login_takes_the_address_of_a_registry_as_docker_does() {
    let mut shell = Shell::new();
    shell.docker_config = Some("{}".to_owned());
    for address in [
        "https://r.io:5000",
        "https://r.io:5000/v2/",
        "http://r.io:5000",
    ] {
        shell.succeed(&format!("login {address} -u alice -p sesame"));
        let config: Value = serde_json::from_slice(&shell.read("docker/config.json")).unwrap();
        let auths = config["auths"].as_object().unwrap();
        assert_eq!(auths.keys().collect::<Vec<_>>(), ["r.io:5000"], "{address}");
    }
}

#[test]
fn the_environment_is_printed_without_secrets() {
    let shell = Shell::new().password(Some("sesame"));
    let shown = shell.succeed("env");
    assert!(shown.contains("COSIGN_PASSWORD=\"******\""), "{shown}");
    assert!(!shown.contains("sesame"), "{shown}");
    assert!(
        shell
            .succeed("env --show-sensitive-values")
            .contains("sesame")
    );
    let plain = shell.succeed("env --show-descriptions=false");
    assert!(!plain.contains('#'), "{plain}");
    let version: Value = serde_json::from_str(&shell.succeed("version --json")).unwrap();
    assert_eq!(
        version["gitVersion"],
        concat!("v", env!("CARGO_PKG_VERSION"))
    );
}

/// Calls windlass by a link with this name.
fn called(shell: &Shell, name: &str, words: &[&str]) -> Output {
    let link = shell.path(name);
    if !link.exists() {
        symlink(env!("CARGO_BIN_EXE_windlass"), &link).unwrap();
    }
    Command::new(link).args(words).output().unwrap()
}

#[test]
fn under_the_name_of_an_original_its_verbs_are_shown() {
    let shell = Shell::new();
    let help = |name: &str, words: &[&str]| {
        let output = called(&shell, name, words);
        String::from_utf8(output.stdout).unwrap()
    };
    let cosign = help("cosign", &["--help"]);
    assert!(cosign.contains("Usage: cosign "), "{cosign}");
    assert!(cosign.contains("\n  verify-blob "), "{cosign}");
    assert!(!cosign.contains("\n  taskrun"), "{cosign}");
    assert!(help("cosign", &["verify", "--help"]).contains("[default: json]"));
    let tkn = help("tkn", &["--help"]);
    assert!(tkn.contains("\n  taskrun "), "{tkn}");
    assert!(!tkn.contains("\n  verify"), "{tkn}");
}

#[test]
fn under_the_name_of_tkn_whatever_goes_wrong_ends_with_one_as_tkn_does() {
    let shell = Shell::new();
    for words in [
        &["tr", "list", "--kubeconfig", "absent"][..],
        &["tr", "list", "--no-such-flag"],
        &["hub", "search"],
    ] {
        let code = |name| called(&shell, name, words).status.code();
        assert_eq!(code("tkn"), Some(1), "{words:?}");
        assert_eq!(code("windlass"), Some(2), "{words:?}");
    }
    assert!(called(&shell, "tkn", &["version"]).status.success());
}

#[test]
fn what_this_version_cannot_sign_is_explained_as_not_signed() {
    let shell = runs::folder();
    for (key, value) in [
        ("artifacts.taskrun.signer", "kms"),
        ("signers.x509.fulcio.enabled", "true"),
        ("artifacts.taskrun.storage", "tekton,gcs"),
        ("transparency.url", "rekor.example"),
    ] {
        let more = "transparency.enabled: 'true', signers.x509.fulcio.provider: spiffe";
        let map = format!("kind: ConfigMap\ndata: {{{more}, {key}: '{value}'}}\n");
        shell.write("config.yaml", map);
        let text = shell.succeed("explain -f task.yaml --config config.yaml");
        let told = text
            .lines()
            .find(|line| line.contains("will not be signed, because"));
        assert!(told.is_some_and(|line| line.contains(key)), "{text}");
        let line = "explain -f task.yaml --config config.yaml -o json";
        let json: Value = serde_json::from_str(&shell.succeed(line)).unwrap();
        assert!(json["artifacts"][0]["refused"].is_string(), "{json}");
    }
    let plain = shell.succeed("explain -f task.yaml");
    assert!(!plain.contains("will not be signed"), "{plain}");
}

#[test]
fn a_verb_of_another_program_is_answered_with_what_to_type() {
    let shell = Shell::new();
    for verb in [
        "attach",
        "bundle",
        "clean",
        "dockerfile",
        "generate",
        "initialize",
        "manifest",
        "piv-tool",
        "pkcs11-tool",
        "signing-config",
        "sbom",
        "logout",
        "discover",
        "trusted-root",
        "upload",
        "task",
        "pipeline",
        "customrun",
        "eventlistener",
        "hub",
        "get",
        "logs",
        "ls",
        "rm",
    ] {
        shell.fail(
            2,
            &format!("{verb} x --flag"),
            &format!("windlass has no verb {verb}; "),
        );
    }
    shell.fail(2, "verfy x", "'verify', 'verify-");
    shell.fail(2, "r.io/app:v1", "r.io/app:v1 is no verb; write what to do");
    shell.fail(
        2,
        "download r.io/app:v1",
        "write `windlass download signature IMAGE`",
    );
    shell.fail(2, "download sbom r.io/app:v1", "--predicate-type spdxjson");
    for line in ["install --check", "install --image r.io/app:v1 --dry-run"] {
        shell.fail(2, line, "it only prints manifests; compare them with");
    }
    for line in ["uninstall --dry-run", "migrate --dry-run"] {
        let outcome = shell.run(line);
        assert!(
            !outcome.stderr.contains("unexpected argument"),
            "{line}: {}",
            outcome.stderr
        );
    }
    let tip = shell.run("payload -f x --last");
    assert_eq!(tip.code, 2);
    let flag = shell.run("pr cancel --last");
    assert!(!flag.stderr.contains("\n\n\n"), "{}", flag.stderr);
    assert!(!tip.stderr.contains("as a value"), "{}", tip.stderr);
}

#[test]
fn a_verb_that_is_left_out_is_a_question_and_no_error() {
    let shell = Shell::new();
    for line in [
        "", "taskrun", "pr", "registry", "chain", "download", "help", "--help",
    ] {
        let help = shell.succeed(line);
        assert!(help.contains("\nUsage: windlass"), "{line}: {help}");
        assert!(
            help.contains("\nExamples:\n  windlass") || help.contains("windlass demo"),
            "{help}"
        );
    }
    assert_eq!(shell.succeed("-v"), shell.succeed("--version"));
}

#[test]
fn the_version_names_commit_and_date_or_says_that_it_does_not_know() {
    let shell = Shell::new();
    let version: Value = serde_json::from_str(&shell.succeed("version --json")).unwrap();
    for member in ["gitCommit", "buildDate"] {
        assert!(version[member].is_string(), "{version}");
    }
    assert!(shell.succeed("version").contains("\ncommit "));
}

#[test]
fn a_run_where_an_image_is_meant_is_not_looked_for_in_a_registry() {
    let shell = Shell::new();
    for run in ["taskrun/build", "pr/release", "TaskRuns.tekton.dev/build"] {
        for line in [
            "tree RUN",
            "triangulate RUN",
            "download signature RUN",
            "download attestation RUN",
            "copy RUN r.io/app:v1",
            "copy r.io/app:v1 RUN",
            "save --dir x RUN",
            "load --dir x RUN",
            "sign --key k RUN",
            "attest --predicate x --key k RUN",
            "verify-attestation --key k RUN",
            "registry check RUN",
        ] {
            let line = line.replace("RUN", run);
            let told = format!("`windlass trace {run}` and `windlass explain {run}` show");
            shell.fail(2, &line, &told);
        }
    }
}

#[test]
fn an_image_where_a_run_is_meant_is_told_as_it_was_typed() {
    let shell = Shell::new();
    shell.fail(
        2,
        "explain build",
        "error: build names no run; write taskrun/NAME",
    );
    shell.fail(
        2,
        "payload pod/x",
        "error: pod/x is not a run, which is taskrun/NAME or pipelinerun/NAME",
    );
    let told = "r.io/app:v1 is an image; give what to attest of it with --predicate FILE";
    shell.fail(2, "attest --key k --type slsaprovenance r.io/app:v1", told);
    shell.fail(2, "attest --key k build", "build names no run");
}

#[test]
fn a_number_that_is_none_is_told_in_one_sentence() {
    let shell = Shell::new();
    for (line, told) in [
        ("tr delete --keep N", "expected a whole number, 0 or more"),
        (
            "pr delete --keep-since N",
            "expected a whole number, 0 or more",
        ),
        (
            "tr list --limit N",
            "use 0, which shows all, or a positive number",
        ),
        (
            "trace --key k --depth N x",
            "expected a whole number from 0 to 20",
        ),
        (
            "trace --key k --most N x",
            "expected a whole number from 1 to 200",
        ),
        ("dev --port N", "expected a port, 1 to 65535"),
        ("dev --registry-port N", "expected a port, 1 to 65535"),
        (
            "dev --registry-failures N",
            "expected a whole number, 0 or more",
        ),
        (
            "controller --concurrency N",
            "expected a whole number, 0 or more",
        ),
    ] {
        for number in ["-1", "x", "1.5", "99999999999999999999999"] {
            let line = line.replace(" N", &format!(" {number}"));
            shell.fail(2, &line, told);
        }
    }
}
