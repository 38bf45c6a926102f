//! Kubeconfigs as people have them.

use serde_json::{Value, json};

use crate::scene::Scene;
use crate::shell::{Outcome, Shell};

/// A shell whose `$KUBECONFIG` is this text.
fn listed(scene: &Scene, list: &str) -> Outcome {
    scene.shell.with(&[("KUBECONFIG", list)], &["tr", "list"])
}

fn scene() -> Scene {
    let scene = Scene::new(&[]);
    scene.shell.write("good", scene.cluster.kubeconfig());
    scene.create(json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": { "name": "there", "namespace": "default" },
        "spec": { "taskRef": { "name": "x" } },
    }));
    scene
}

#[test]
fn files_of_the_list_that_do_not_exist_are_passed_over() {
    let scene = scene();
    for list in [
        "gone:good",
        "good:gone",
        ":gone::good:",
        "good:good",
        "gone:good:also-gone",
    ] {
        let outcome = listed(&scene, list);
        assert_eq!(outcome.code, 0, "{list}: {}", outcome.stderr);
        assert!(outcome.stdout.contains("there"), "{list}");
    }
    let outcome = listed(&scene, "gone:also-gone");
    assert_eq!(outcome.code, 2);
    let expected = "no kubeconfig of $KUBECONFIG exists (gone, also-gone)";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
}

#[test]
fn a_token_file_may_end_with_a_line_end() {
    let scene = scene();
    let config: Value = serde_saphyr::from_str(&scene.cluster.kubeconfig()).unwrap();
    let token = config["users"][0]["user"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    for (number, end) in ["", "\n", "\r\n", " \n", "\n\n"].iter().enumerate() {
        let mut config = config.clone();
        let file = format!("token-{number}");
        scene.shell.write(&file, format!("{token}{end}"));
        config["users"][0]["user"] = json!({ "tokenFile": file });
        scene.shell.write("with-file", config.to_string());
        let outcome = listed(&scene, "with-file");
        assert_eq!(outcome.code, 0, "{end:?}: {}", outcome.stderr);
    }
    let mut config = config;
    scene.shell.write("wrong", "wrong\n");
    config["users"][0]["user"] = json!({ "tokenFile": "wrong" });
    scene.shell.write("with-file", config.to_string());
    let outcome = listed(&scene, "with-file");
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("log in to the cluster again"),
        "{}",
        outcome.stderr
    );
    config["users"][0]["user"] = json!({ "tokenFile": "gone" });
    scene.shell.write("with-file", config.to_string());
    let outcome = listed(&scene, "with-file");
    assert!(
        outcome.stderr.contains("cannot read the token file"),
        "{}",
        outcome.stderr
    );
}

/// The kubeconfig of the scene, changed at one place.
fn changed(scene: &Scene, change: impl FnOnce(&mut Value)) -> Outcome {
    let mut config: Value = serde_saphyr::from_str(&scene.cluster.kubeconfig()).unwrap();
    change(&mut config);
    scene.shell.write("changed", config.to_string());
    listed(scene, "changed")
}

#[test]
fn an_address_without_a_scheme_is_completed_and_one_without_a_place_is_refused() {
    let scene = scene();
    let config: Value = serde_saphyr::from_str(&scene.cluster.kubeconfig()).unwrap();
    let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
    let bare = server.trim_start_matches("https://");
    let set = |server: &str| {
        let server = json!(server);
        changed(&scene, |config| {
            config["clusters"][0]["cluster"]["server"] = server;
        })
    };
    for server in [
        bare.to_owned(),
        format!("{bare}/"),
        format!("HTTPS://{bare}"),
    ] {
        let outcome = set(&server);
        assert_eq!(outcome.code, 0, "{server}: {}", outcome.stderr);
    }
    for server in [
        "/",
        "https://",
        "ftp://h",
        "unix:///x",
        "https://h:99999",
        "a b",
    ] {
        let outcome = set(server);
        assert_eq!(outcome.code, 2, "{server}");
        let expected = "the server of its cluster is not a URL of http or https";
        assert!(
            outcome.stderr.contains(expected),
            "{server}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn no_credential_of_a_kubeconfig_reaches_an_error_or_makes_a_panic() {
    let scene = scene();
    let credential = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"s3cret\\n"}}"#;
    let header = "a line end or another character that no header can have";
    for (user, expected) in [
        (json!({ "token": "s3cret\nX" }), header),
        (json!({ "token": "", "as": "s3cret\nX" }), header),
        (logs_in(&format!("printf '{credential}'")), header),
        (
            logs_in("echo s3cret"),
            "what it printed is no ExecCredential",
        ),
        (
            logs_in("echo s3cret; echo log in first >&2; exit 3"),
            "it ended with code 3; install",
        ),
        (logs_in("echo '{}'"), "its ExecCredential has no status"),
        (
            json!({ "auth-provider": { "name": "gcp" } }),
            "its auth-provider is not supported",
        ),
        (
            json!({ "client-certificate-data": "eA==" }),
            "it has no client-key",
        ),
    ] {
        let shown = user.to_string();
        let outcome = changed(&scene, |config| config["users"][0]["user"] = user);
        assert_eq!(outcome.code, 2, "{shown}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(expected),
            "{shown}: {}",
            outcome.stderr
        );
        for word in ["s3cret", "panicked", "KUBERNETES_EXEC_INFO"] {
            assert!(
                !outcome.stderr.contains(word),
                "{shown}: {}",
                outcome.stderr
            );
        }
    }
    for (key, value, expected) in [
        (
            "proxy-url",
            "socks5://u:s3cret@127.0.0.1:1",
            "its proxy-url is not one of",
        ),
        (
            "server",
            "https://u:s3cret@127.0.0.1:1",
            "the server is https://127.0.0.1:1/",
        ),
        ("tls-server-name", "a b", "its tls-server-name"),
    ] {
        let outcome = changed(&scene, |config| {
            config["clusters"][0]["cluster"][key] = json!(value);
        });
        assert_eq!(outcome.code, 2, "{value}");
        assert!(
            outcome.stderr.contains(expected),
            "{value}: {}",
            outcome.stderr
        );
        assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
    }
}

#[test]
fn an_authority_that_is_none_or_another_one_is_told_in_words_of_its_own() {
    let scene = scene();
    for (data, expected) in [
        (json!("bm9wZW0="), "its certificate-authority is not PEM"),
        (
            Value::Null,
            "signed by an authority that the kubeconfig does not trust; check certificate-authority",
        ),
    ] {
        let outcome = changed(&scene, |config| {
            config["clusters"][0]["cluster"]["certificate-authority-data"] = data;
        });
        assert_eq!(outcome.code, 2);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("UnknownIssuer"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_token_has_blanks_around_it_wherever_it_is() {
    let scene = scene();
    let outcome = changed(&scene, |config| {
        let token = config["users"][0]["user"]["token"].as_str().unwrap();
        let token = format!(" {token}\n");
        config["users"][0]["user"]["token"] = json!(token);
    });
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[test]
fn every_cause_of_a_bad_kubeconfig_is_told_once_with_what_to_do() {
    let shell = Shell::new();
    let cluster = |server: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
             clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
             contexts: [{{name: a, context: {{cluster: c, user: u}}}}, {{name: b, context: {{cluster: no, user: u}}}}, {{name: d, context: {{cluster: c, user: no}}}}]\n\
             users: [{{name: u, user: {{}}}}]\n"
        )
    };
    shell.write("binary", [0xff, 0, 0x9f]);
    shell.write("braces", "{{{{");
    shell.write("empty", "");
    shell.write("down", cluster("http://127.0.0.1:1"));
    shell.write("plugin", cluster("http://127.0.0.1:1").replace("user: {}", "user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never}}"));
    for (name, from, to) in [
        (
            "no-file",
            "server:",
            "certificate-authority: gone.crt, server:",
        ),
        ("no-token", "user: {}", "user: {tokenFile: gone}"),
        ("no-url", "http://127.0.0.1:1", "::"),
        ("no-server", "server: 'http://127.0.0.1:1'", ""),
    ] {
        shell.write(name, cluster("http://127.0.0.1:1").replace(from, to));
    }
    for (flags, expected) in [
        ("-k down -c d", "no user \"no\", which its context names"),
        (
            "-k no-file",
            "cannot read its certificate-authority gone.crt",
        ),
        ("-k no-token", "cannot read the token file gone"),
        ("-k no-url", "is not a URL"),
        ("-k no-server", "has no server"),
        ("-k .", "cannot read the kubeconfig .: Is a directory"),
        (
            "--kubeconfig gone",
            "cannot read the kubeconfig gone: No such file",
        ),
        (
            "--kubeconfig binary",
            "the kubeconfig binary is damaged: it is not text",
        ),
        (
            "--kubeconfig braces",
            "the kubeconfig braces is damaged: it is not a kubeconfig",
        ),
        ("--kubeconfig empty", "no current-context"),
        (
            "--kubeconfig down --context z",
            "no context \"z\"; choose another one",
        ),
        ("--kubeconfig down -c b", "no cluster \"no\""),
        (
            "-k down",
            "the connection was refused; the server is http://127.0.0.1:1",
        ),
        ("-k plugin", "no-such-plugin"),
    ] {
        let outcome = shell.run(&format!("tr list {flags}"));
        assert_eq!(outcome.code, 2, "{flags}");
        let text = &outcome.stderr;
        assert!(text.contains(expected), "{flags}: {text}");
        let steps = ["--kubeconfig", "--context", "the right context"];
        assert!(
            steps.iter().any(|step| text.contains(step)),
            "{flags}: {text}"
        );
        assert!(text.len() < 400, "{flags}: {text}");
        for word in ["ServiceError", "client error", "Invalid UTF-8", "incluster"] {
            assert!(!text.contains(word), "{flags}: {text}");
        }
    }
}

/// The user of a kubeconfig who logs in with a program of the shell.
fn logs_in(script: &str) -> Value {
    json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "IfAvailable",
        "command": "sh", "args": ["-c", script],
    } })
}

#[test]
fn a_program_for_logging_in_is_run_once_for_a_verb() {
    let scene = scene();
    for ends in ["", ", \"expirationTimestamp\": \"2099-01-01T00:00:00Z\""] {
        let outcome = changed(&scene, |config| {
            let token = config["users"][0]["user"]["token"].as_str().unwrap();
            let script = format!(
                "echo 'a note for people' >&2; echo x >> ran; \
                 echo '{{\"status\": {{\"token\": \"{token}\"{ends}}}}}'"
            );
            config["users"][0]["user"] = logs_in(&script);
        });
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert!(outcome.stdout.contains("there"), "{}", outcome.stdout);
        assert_eq!(outcome.stderr, "a note for people\n");
        assert_eq!(scene.shell.read("ran"), b"x\n");
        std::fs::remove_file(scene.shell.path("ran")).unwrap();
    }
}

#[test]
fn what_a_program_for_logging_in_says_goes_to_the_person_and_into_no_error_or_log() {
    let scene = scene();
    let script = "echo tok-3f9a >&2; echo tok-3f9a; exit 3";
    let set = |config: &mut Value| config["users"][0]["user"] = logs_in(script);
    let outcome = changed(&scene, set);
    assert_eq!(outcome.code, 2);
    assert_eq!(
        outcome.stderr,
        "tok-3f9a\nerror: cannot log in to the cluster: sh, which the kubeconfig names for that, does \
         not work: it ended with code 3; install or repair it, or choose another context with \
         --context\n"
    );
    assert_eq!(outcome.stdout, "");
    let outcome = scene.shell.run("controller --kubeconfig changed");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let text = outcome.stderr + &outcome.stdout;
    assert!(
        text.contains("it ended with code 3, and what it said is not in the log"),
        "{text}"
    );
    assert!(!text.contains("tok-3f9a"), "{text}");
}
