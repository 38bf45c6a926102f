//! One shape for all verbs: targets, output formats, the system namespace, completions, manual pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::config::Config;
use windlass_core::dsse::IN_TOTO;
use windlass_core::format::Format;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_core::run::Run;

use crate::attest::runs;
use crate::envelope::sign;
use crate::scene::Scene;
use crate::shell::Shell;

fn finished(name: &str, uid: &str) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": { "name": name, "namespace": "team-a", "uid": uid },
        "spec": { "serviceAccountName": "bot", "taskRef": { "name": "build-image" } },
        "status": {
            "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
            "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z",
            "taskSpec": {},
        },
    })
}

/// The run with payload and signature, as the controller records them.
fn signed(mut run: Value, key: &PrivateKey) -> Value {
    let text = run.to_string();
    let read = Run::parse(text.as_bytes()).unwrap();
    let payload = Payload::of_run(&read, &Config::default(), Format::SlsaV1).unwrap();
    let envelope = sign(key, IN_TOTO, &payload.bytes).to_json();
    let short = read.short_key();
    run["metadata"]["annotations"] = json!({
        "chains.tekton.dev/signed": "true",
        format!("chains.tekton.dev/payload-{short}"): STANDARD.encode(payload.bytes),
        format!("chains.tekton.dev/signature-{short}"): STANDARD.encode(envelope),
    });
    run
}

/// A cluster with a run that is signed, one that was changed afterwards, and one that is not signed.
fn scene() -> Scene {
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let shell = Shell::new();
    shell.write("cosign.pub", key.public_key().to_pem());
    let scene = Scene::with(shell, &["team-a", "openshift-pipelines", "sandbox"]);
    scene.create(signed(finished("good", "u-1"), &key));
    let mut changed = signed(finished("changed", "u-2"), &key);
    changed["spec"]["serviceAccountName"] = json!("other");
    changed["status"]["startTime"] = json!("2026-01-01T00:00:01Z");
    scene.create(changed);
    scene.create(finished("plain", "u-3"));
    scene
}

#[test]
fn a_list_with_a_key_tells_which_runs_verify() {
    let scene = scene();
    let table = scene.shell.succeed("tr list -n team-a --key cosign.pub");
    let cell = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert!(
        table.lines().next().unwrap().ends_with("SIGNED   VERIFIED"),
        "{table}"
    );
    assert_eq!(
        [cell("good"), cell("changed"), cell("plain")],
        ["yes", "no", "---"]
    );
    // without a key there is no such column
    assert!(
        !scene
            .shell
            .succeed("tr list -n team-a")
            .contains("VERIFIED")
    );
    let other = PrivateKey::generate_p256(&[8; 32]).unwrap();
    scene.shell.write("other.pub", other.public_key().to_pem());
    let table = scene
        .shell
        .succeed("tr ls -n team-a --key other.pub --key cosign.pub --no-headers good");
    assert_eq!(table, "", "it is no Task that is called good");
    let table = scene
        .shell
        .succeed("tr ls -A --key other.pub --key cosign.pub");
    assert!(table.contains("NAMESPACE"), "{table}");
    assert!(
        table
            .lines()
            .any(|line| line.contains("good") && line.ends_with("yes")),
        "{table}"
    );
}

#[test]
fn chain_prints_what_was_signed_and_the_signature_as_tkn_did() {
    let scene = scene();
    let payload = |words: &str| scene.shell.run(&format!("chain payload -n team-a {words}"));
    let outcome = payload("good --key cosign.pub");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let statement: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        statement["predicateType"],
        "https://slsa.dev/provenance/v0.2"
    );
    assert_eq!(payload("taskrun/good -S").stdout, outcome.stdout);
    let refused = payload("changed --key cosign.pub");
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (1, ""),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("windlass verify taskrun/changed"),
        "{}",
        refused.stderr
    );
    assert_eq!(payload("changed -S").code, 0);
    let envelope = scene.shell.succeed("chain signature -n team-a good");
    scene.shell.write("envelope", &envelope);
    let line = "verify-blob-attestation --key cosign.pub --signature envelope --type slsaprovenance \
                --check-claims=false";
    scene.shell.succeed(line);
    scene.shell.fail(
        2,
        "chain signature -n team-a plain",
        "nothing is stored on taskrun/plain",
    );
    scene
        .shell
        .fail(2, "chain payload -S -n team-a gone", "there is no TaskRun");
    for target in ["taskrun/good", "taskrun good", "tr/good"] {
        let line = format!("chain signature -n team-a {target}");
        assert_eq!(scene.shell.succeed(&line), envelope, "{target}");
    }
    let name = scene
        .shell
        .succeed("tr describe --last -n team-a -o jsonpath={.metadata.name}");
    let last = scene.shell.run("chain signature -n team-a --last");
    let named = scene
        .shell
        .run(&format!("chain signature -n team-a {name}"));
    assert_eq!((last.code, last.stdout), (named.code, named.stdout));
}

#[test]
fn a_run_is_named_in_the_same_words_for_every_verb_about_runs() {
    let scene = scene();
    let shell = &scene.shell;
    for target in ["taskrun/good", "tr/good", "taskrun good"] {
        shell.succeed(&format!("verify --key cosign.pub -n team-a {target}"));
        shell.succeed(&format!("trace --key cosign.pub -n team-a {target}"));
        shell.succeed(&format!("explain -n team-a {target}"));
        let payload = shell.succeed(&format!("payload -n team-a {target} -o json"));
        assert!(payload.contains("slsa.dev/provenance/v0.2"), "{payload}");
    }
    for verb in [
        "verify --key cosign.pub",
        "explain",
        "payload",
        "trace --key cosign.pub",
    ] {
        let last = shell.run(&format!("{verb} -n team-a --last"));
        assert!(last.code < 2, "{verb}: {}", last.stderr);
        shell.fail(2, &format!("{verb} -n team-a good --last"), "--last");
    }
    for target in ["good", "taskrun/good", "tr/good"] {
        shell.succeed(&format!("tr describe -n team-a {target}"));
    }
    let other = "tr describe -n team-a pr/release";
    shell.fail(2, other, "use `windlass pipelinerun describe release`");
    // as from a file
    let run = shell.succeed("tr describe good -n team-a -o yaml");
    shell.write("run.yaml", run);
    for line in ["-f run.yaml", "run.yaml"] {
        shell.succeed(&format!("verify --key cosign.pub {line}"));
        shell.succeed(&format!("explain {line}"));
        let from_file = shell.succeed(&format!("payload {line}"));
        assert_eq!(from_file, shell.succeed("payload -n team-a taskrun/good"));
    }
    let path = "jsonpath={.predicate.builder.id}";
    assert_eq!(
        shell.words(&["payload", "run.yaml", "-o", path]).stdout,
        "https://tekton.dev/chains/v2"
    );
    shell.fail(2, "explain registry.example.com/app:v1", "names no run");
    shell.fail(2, "payload no-such.yaml", "there is no file");
}

fn settings(namespace: &str, builder: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "chains-config", "namespace": namespace },
        "data": { "builder.id": builder },
    })
}

#[test]
fn the_system_namespace_is_the_only_one_with_chains_config_and_is_told() {
    let scene = scene();
    let explain = |words: &str| {
        scene
            .shell
            .run(&format!("payload -n team-a taskrun/good {words}"))
    };
    scene.create(settings("openshift-pipelines", "https://b.example"));
    let outcome = explain("");
    assert!(
        outcome.stdout.contains("https://b.example"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome
            .stderr
            .contains("using chains-config of namespace openshift-pipelines"),
        "{}",
        outcome.stderr
    );
    scene.create(settings("sandbox", "https://other.example"));
    let outcome = explain("");
    assert_eq!(outcome.code, 2);
    assert!(
        outcome
            .stderr
            .contains("openshift-pipelines and sandbox; choose"),
        "{}",
        outcome.stderr
    );
    let outcome = explain("--system-namespace sandbox");
    assert!(
        outcome.stdout.contains("https://other.example"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stderr.contains("using"), "{}", outcome.stderr);
}

#[test]
fn a_key_is_not_taken_from_a_namespace_that_anybody_may_have_made() {
    let scene = scene();
    scene.create(settings("sandbox", "https://b.example"));
    scene
        .shell
        .succeed("generate-key-pair k8s://sandbox/signing-secrets");
    scene.shell.fail(
        2,
        "audit -A --verify",
        "which no installation of Chains has; name it with --system-namespace",
    );
    let named = scene
        .shell
        .run("audit -A --verify --system-namespace sandbox");
    assert_eq!(named.code, 1, "{}", named.stderr);
    let told = "which no installation of Chains has; name it with --chains-namespace";
    scene.shell.fail(2, "chain payload -n team-a good", told);
}

#[test]
fn chain_finds_the_key_where_the_settings_are() {
    let scene = scene();
    scene.create(settings("openshift-pipelines", "https://b.example"));
    let key = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "signing-secrets", "namespace": "openshift-pipelines"},
        "data": {"cosign.pub": STANDARD.encode(scene.shell.read("cosign.pub"))},
    });
    scene.create(key);
    let outcome = scene.shell.run("chain payload -n team-a good");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let told = "using chains-config of namespace openshift-pipelines";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
}

#[test]
fn completions_offer_runs_namespaces_and_formats() {
    let scene = scene();
    let mut hostile = finished("hostile", "u-9");
    hostile["metadata"]["name"] = json!("$(touch owned)");
    // an API server would refuse the name; a malicious one might not
    let _ = scene.cluster.create(hostile);
    let offered = |words: &[&str]| -> Vec<String> {
        let line = [&["__complete", "--"][..], words].concat();
        let outcome = scene.shell.words(&line);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        outcome.stdout.lines().map(str::to_owned).collect()
    };
    assert_eq!(
        offered(&["tr", "describe", "-n", "team-a", ""]),
        ["changed", "good", "plain"]
    );
    assert_eq!(
        offered(&["verify", "-n", "team-a", "taskrun/g"]),
        ["taskrun/good"]
    );
    assert_eq!(offered(&["verify", "pipe"]), ["pipelinerun/"]);
    assert!(offered(&["tr", "list", "-n", "te"]).contains(&"team-a".to_owned()));
    assert_eq!(offered(&["trace", "-o", "s"]), ["svg"]);
    assert_eq!(offered(&["tr", "list", "-o", "y"]), ["yaml"]);
    // without a cluster there is nothing to offer, and nothing is said
    let nowhere = Shell::new().words(&["__complete", "--", "tr", "describe", ""]);
    assert_eq!(
        (
            nowhere.code,
            nowhere.stdout.as_str(),
            nowhere.stderr.as_str()
        ),
        (0, "", "")
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = scene.shell.succeed(&format!("completions {shell}"));
        assert!(script.contains("windlass __complete -- "), "{shell}");
    }
}

#[test]
fn the_script_for_bash_completes_in_bash() {
    let scene = scene();
    std::fs::create_dir_all(scene.shell.path("bin")).unwrap();
    let link = scene.shell.path("bin/windlass");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_windlass"), link).unwrap();
    scene
        .shell
        .write("script", scene.shell.succeed("completions bash"));
    let complete = |words: &str| {
        let script = format!(
            "source ./script; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
             COMP_LINE='{words}'; COMP_POINT=${{#COMP_LINE}}; \
             _windlass_names windlass \"${{COMP_WORDS[COMP_CWORD]}}\" \
             \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let output = std::process::Command::new("bash")
            .args(["--norc", "-c", &script])
            .current_dir(scene.shell.path("."))
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", scene.shell.path("bin").display()),
            )
            .env("KUBECONFIG", scene.shell.path("kubeconfig"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("windlass tr describe -n team-a g"), "good");
    // verbs and flags are those of the script
    assert!(complete("windlass trac").contains("trace"));
    assert!(complete("windlass tr describe --la").contains("--last"));
}

#[test]
fn help_is_never_a_strip_of_single_words() {
    let shell = Shell::new();
    let width = |columns: &str| {
        let help = shell.with(&[("COLUMNS", columns)], &["tr", "logs", "--help"]);
        let lines = help.stdout.lines();
        lines.map(|line| line.chars().count()).max().unwrap()
    };
    for columns in ["0", "1", "5", "39"] {
        assert_eq!(width(columns), width("40"), "COLUMNS={columns}");
    }
    assert!(width("90") > width("40"));
}

#[test]
fn every_verb_has_a_manual_page() {
    let shell = Shell::new();
    let outcome = shell.run("man pages");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let mut names = vec!["windlass".to_owned()];
    let mut seen = 0;
    while let Some(name) = names.pop() {
        let page = String::from_utf8(shell.read(&format!("pages/{name}.1"))).unwrap();
        assert!(
            page.starts_with(&format!(".TH \"{}\" 1", name.to_uppercase())),
            "{page}"
        );
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH EXIT STATUS"] {
            assert!(page.contains(section), "{name} lacks {section}");
        }
        let below = page.split(".TP\n\\fB").skip(1);
        names.extend(below.map(|rest| rest.split("\\fR").next().unwrap().replace("\\-", "-")));
        seen += 1;
    }
    assert!(seen > 35, "only {seen} pages were found");
    let page = String::from_utf8(shell.read("pages/windlass-trace.1")).unwrap();
    assert!(page.contains("\\-\\-depth <COUNT>"), "{page}");
    assert!(page.contains(".nf\nExamples:"), "{page}");
}

#[test]
fn images_and_accounts_are_shown_for_programs_too() {
    let scene =
        crate::verify::registry::ImageScene::new(windlass_sandbox::registry::Options::default());
    scene.sign(&scene.key);
    let tree = scene
        .shell
        .succeed(&format!("tree -o json {}", scene.image()));
    let tree: Value = serde_json::from_str(&tree).unwrap();
    assert_eq!(tree["image"], scene.image());
    assert_eq!(
        tree["attached"][0]["mediaType"],
        "application/vnd.dev.cosign.simplesigning.v1+json"
    );
    let path = "jsonpath={.attached[0].place}";
    let place = scene
        .shell
        .words(&["tree", "-o", path, &scene.image()])
        .stdout;
    assert_eq!(place, format!("tag sha256-{}.sig", scene.hex()));
    let cluster = Scene::new(&["team-a"]);
    cluster.create(json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": "bot", "namespace": "team-a" },
    }));
    let line = format!(
        "registry check -o json -n team-a --service-account bot {}",
        scene.tagged()
    );
    let outcome = cluster.shell.run(&line);
    let check: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(check["canPush"], outcome.code == 0, "{check:#}");
    assert_eq!(check["serviceAccount"], "bot");
    assert_eq!(check["credentials"].as_array().unwrap().len(), 1);
    // a folder with runs, for the verbs without a cluster
    let files = runs::folder();
    files.succeed("payload list.yaml --name taskrun/build -o yaml");
}
