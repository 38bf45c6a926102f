//! Several documents in a file, and standard input in every verb that reads.

use crate::attest::runs;
use crate::shell::Shell;

/// A folder in which `task.yaml` and a second run are also in `both.yaml`.
fn folder() -> Shell {
    let shell = runs::folder();
    let second = runs::task().replace("name: build\n", "name: second\n");
    shell.write("second.yaml", &second);
    let both = format!("---\n{}---\n# nothing\n---\n{second}---\n", runs::task());
    shell.write("both.yaml", both);
    shell
}

#[test]
fn a_run_is_taken_from_several_documents_as_from_a_list() {
    let shell = folder();
    let alone = shell.succeed("payload -f second.yaml");
    assert_eq!(shell.succeed("payload -f both.yaml --name second"), alone);
    for verb in ["payload", "explain", "attest --key cosign.key"] {
        shell.succeed(&format!("{verb} -f both.yaml --name taskrun/second"));
        let line = format!("{verb} -f both.yaml");
        shell.fail(
            2,
            &line,
            "taskrun/build, taskrun/second; choose one with --name",
        );
    }
}

#[test]
fn a_document_after_which_nothing_comes_is_the_only_one() {
    let shell = folder();
    let alone = shell.succeed("payload -f task.yaml");
    for text in [
        format!("{}---\n", runs::task()),
        format!("--- # exported\n{}...\n", runs::task()),
        format!("{}---\napiVersion: v1\nkind: Pod\n", runs::task()),
    ] {
        shell.write("file.yaml", text);
        assert_eq!(shell.succeed("payload -f file.yaml"), alone);
    }
}

#[test]
fn an_error_of_yaml_says_what_is_wrong_in_words_of_its_own() {
    let shell = folder();
    let doubled = runs::task().replace("kind: TaskRun\n", "kind: TaskRun\nkind: TaskRun\n");
    shell.write("doubled.yaml", doubled);
    shell.fail(
        2,
        "payload -f doubled.yaml",
        "the member \"kind\" is there twice at line 3",
    );
    for (name, text) in [
        ("doubled", None),
        ("tab", Some("kind: TaskRun\n\tmetadata: {}\n".to_owned())),
        ("alias", Some("kind: *unknown\n".to_owned())),
        ("open", Some("kind: [TaskRun\n".to_owned())),
        ("text", Some("just a text\n".to_owned())),
        ("list", Some("- kind: TaskRun\n".to_owned())),
    ] {
        let file = format!("{name}.yaml");
        if let Some(text) = text {
            shell.write(&file, text);
        }
        let outcome = shell.run(&format!("payload -f {file}"));
        assert_eq!(outcome.code, 2, "{name}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(&file), "{name}: {}", outcome.stderr);
        for word in ["Policy", "from_str", "Options", "Error {"] {
            assert!(!outcome.stderr.contains(word), "{name}: {}", outcome.stderr);
        }
    }
}

#[test]
fn every_verb_that_reads_a_file_reads_standard_input() {
    let shell = folder();
    let task = runs::task();
    let both = shell.read("both.yaml");
    let pipe = |input: &[u8], line: &str| {
        let outcome = shell.pipe(input, line);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        outcome.stdout
    };
    for line in [
        "payload -f -",
        "explain -f -",
        "attest --key cosign.key -f -",
    ] {
        pipe(task.as_bytes(), line);
        pipe(&both, &format!("{line} --name second"));
    }
    pipe(task.as_bytes(), "payload -f pipeline.yaml --child -");
    pipe(
        b"kind: ConfigMap\ndata: {}\n",
        "payload -f task.yaml --config -",
    );
    let envelope = shell.succeed("attest -f task.yaml --key cosign.key");
    shell.write("own.pub", shell.succeed("public-key --key cosign.key"));
    pipe(envelope.as_bytes(), "verify --key own.pub -");
    shell.fail(2, "payload -f - --child -", "only one of");
}

#[test]
fn every_run_of_a_file_is_verified_unless_one_is_named() {
    let shell = folder();
    shell.write("own.pub", shell.succeed("public-key --key cosign.key"));
    let annotated = |file: &str, key: &str| {
        let run = String::from_utf8(shell.read(file)).unwrap();
        let envelope = shell.succeed(&format!("attest -f {file} --key {key}"));
        let encoded = {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(envelope)
        };
        let marks = format!(
            "  annotations: {{chains.tekton.dev/signed: 'true', \
             chains.tekton.dev/signature-taskrun-u-build: {encoded}}}\nstatus:\n"
        );
        run.replacen("status:\n", &marks, 1)
    };
    let [good, also] = ["task.yaml", "second.yaml"].map(|file| annotated(file, "cosign.key"));
    shell.write("good.yaml", format!("{good}---\n{also}"));
    let report = shell.succeed("verify --key own.pub good.yaml");
    assert!(report.contains("taskrun/build in good.yaml"), "{report}");
    assert!(report.contains("taskrun/second in good.yaml"), "{report}");
    shell.succeed("generate-key-pair --output-key-prefix other");
    let bad = annotated("second.yaml", "other.key");
    shell.write("bad.yaml", format!("{good}---\n{bad}"));
    shell.fail(
        1,
        "verify --key own.pub bad.yaml",
        "taskrun/second in bad.yaml",
    );
    shell.succeed("verify --key own.pub --name build bad.yaml");
    shell.fail(
        1,
        "verify --key own.pub --name taskrun/second bad.yaml",
        "invalid",
    );
}
