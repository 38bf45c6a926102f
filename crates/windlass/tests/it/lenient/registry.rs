//! Docker configurations as `docker login` leaves them.

use std::os::unix::fs::PermissionsExt as _;

use windlass_sandbox::registry::{Accounts, Authentication, Grant, Options, User};

use crate::shell::Shell;
use crate::verify::registry::ImageScene;

fn locked() -> ImageScene {
    let scene = ImageScene::new(Options {
        authentication: Authentication::Basic(Accounts::of([User::new(
            "dev",
            "sesame",
            [Grant::all("")],
        )])),
        ..Options::default()
    });
    scene.sign(&scene.key);
    scene
}

/// Installs a credential helper with this script.
fn install(scene: &ImageScene, name: &str, script: &str) {
    let folder = scene.shell.path("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("docker-credential-{name}"));
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_credential_helper_is_run_for_the_registry_that_it_is_for() {
    let mut scene = locked();
    let host = scene.registry.host();
    let answer = r#"echo '{"Username":"dev","Secret":"sesame"}'"#;
    // it answers for this registry alone, as it reads its name
    let script = format!("read server; [ \"$1 $server\" = \"get {host}\" ] && {answer}");
    install(&scene, "own", &script);
    for config in [
        r#"{"credsStore":"own"}"#.to_owned(),
        format!(
            r#"{{"auths":{{"{host}":{{}}}},"credHelpers":{{"{host}":"own"}},"credsStore":"no"}}"#
        ),
    ] {
        scene.shell.docker_config = Some(config);
        let outcome = scene.verify("");
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert_eq!(outcome.stderr, "Verified OK\n");
    }
}

#[test]
fn a_helper_that_is_missing_or_fails_is_named_where_nobody_else_is_let_in() {
    let mut scene = locked();
    install(&scene, "silent", "cat >/dev/null");
    install(&scene, "refusing", "echo credentials not found; exit 1");
    for (name, expected) in [
        (
            "ecr-login",
            "docker-credential-ecr-login: not used, it is not in PATH",
        ),
        (
            "silent",
            "docker-credential-silent: not used, it printed no credential",
        ),
        ("refusing", "log in to 127.0.0.1"),
        ("../bin/x", "log in to 127.0.0.1"),
    ] {
        scene.shell.docker_config = Some(format!(r#"{{"credsStore":"{name}"}}"#));
        let outcome = scene.verify("");
        assert_eq!(outcome.code, 2, "{name}");
        assert!(
            outcome.stderr.contains(expected),
            "{name}: {}",
            outcome.stderr
        );
        assert!(
            !outcome.stderr.contains("service account"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_configuration_without_a_credential_for_the_registry_is_no_warning() {
    let mut scene = ImageScene::new(Options::default());
    scene.sign(&scene.key);
    for config in [
        "{}",
        r#"{"credsStore":"ecr-login"}"#,
        r#"{"HttpHeaders":{"User-Agent":"x"}}"#,
        r#"{"auths":{"other.io":{"auth":"YTpi"},"127.0.0.1":{}},"credHelpers":{"gcr.io":"gcloud"}}"#,
        "no JSON",
    ] {
        scene.shell.docker_config = Some(config.to_owned());
        let outcome = scene.verify("");
        assert_eq!(outcome.stderr, "Verified OK\n", "{config}");
        let image = scene.image();
        let tree = scene.shell.run(&format!("tree {image}"));
        assert_eq!((tree.code, tree.stderr.as_str()), (0, ""), "{config}");
    }
}

#[test]
fn a_user_or_token_that_is_typed_is_the_only_one_that_is_used() {
    let mut scene = locked();
    let outcome = scene.verify("--registry-username dev --registry-password sesame");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let auth = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode("dev:sesame")
    };
    let host = scene.registry.host();
    let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}}}}"#);
    scene.shell.docker_config = Some(config);
    assert_eq!(scene.verify("").code, 0);
    for flags in [
        "--registry-username dev --registry-password wrong",
        "--registry-token wrong",
    ] {
        let outcome = scene.verify(flags);
        assert_eq!(outcome.code, 2, "{flags}");
        assert!(!outcome.stderr.contains("wrong,"), "{}", outcome.stderr);
    }
    assert_eq!(scene.verify("--registry-username dev").code, 2);
}

#[test]
fn an_error_of_a_registry_names_its_cause_in_words_of_its_own() {
    let shell = Shell::new();
    shell.fixture("keys/cosign3-p256/cosign.pub", "cosign.pub");
    for (host, cause) in [
        ("127.0.0.1:1", "the connection was refused"),
        ("nowhere.invalid", "its host name cannot be resolved"),
    ] {
        for verb in ["tree", "verify --key cosign.pub", "download signature"] {
            let outcome = shell.run(&format!("{verb} {host}/team/app:v1"));
            assert_eq!(outcome.code, 2, "{verb} {host}: {}", outcome.stderr);
            let text = &outcome.stderr;
            assert!(text.contains(cause), "{verb} {host}: {text}");
            for word in ["error sending", "client error", "os error", "dns error"] {
                assert!(!text.contains(word), "{verb} {host}: {text}");
            }
        }
    }
    shell.fail(
        2,
        "verify-blob --key https://127.0.0.1:1/key --signature cosign.pub cosign.pub",
        "there is no complete response: the connection was refused",
    );
    for (key, why) in [
        (
            "k8s://ns/Bad_Name",
            "\"Bad_Name\" cannot be the name of a secret",
        ),
        (
            "k8s://Bad/name",
            "\"Bad\" cannot be the name of a namespace",
        ),
        ("k8s://ns", "write k8s://<namespace>/<secret>"),
        ("k8s:///name", "write k8s://<namespace>/<secret>"),
    ] {
        let line = format!("verify-blob --key {key} --signature cosign.pub cosign.pub");
        shell.fail(2, &line, why);
    }
}

#[test]
fn a_digest_that_does_not_exist_has_no_tree() {
    let scene = ImageScene::new(Options::default());
    let image = scene.image();
    let (repository, _) = image.split_once(['@']).unwrap_or((&image, ""));
    let gone = format!("{repository}@sha256:{:064}", 5);
    scene
        .shell
        .fail(2, &format!("tree {gone}"), "was not found");
}
