//! `windlass tr` and `windlass pr` against the built-in cluster, as a person types them.

use serde_json::{Value, json};

use crate::scene::Scene;

fn scene() -> Scene {
    Scene::new(&["team-a"])
}

/// Standard output of a command that has to succeed.
#[track_caller]
fn output(scene: &Scene, words: &[&str]) -> String {
    let outcome = scene.shell.words(words);
    assert_eq!(outcome.code, 0, "{words:?}: {}", outcome.stderr);
    outcome.stdout
}

/// Standard error of a command that has to fail with exit code 2.
#[track_caller]
fn refusal(scene: &Scene, words: &[&str]) -> String {
    let outcome = scene.shell.words(words);
    assert_eq!(outcome.code, 2, "{words:?}");
    outcome.stderr
}

fn run(kind: &str, namespace: &str, name: &str, minute: usize) -> Value {
    let (uid, time) = (
        format!("uid-{name}"),
        format!("2026-01-01T00:{minute:02}:00Z"),
    );
    let artifact = format!("{}-{uid}", kind.to_lowercase());
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": kind,
        "metadata": {
            "name": name, "namespace": namespace, "uid": uid, "creationTimestamp": time,
            "labels": {"team": if minute.is_multiple_of(2) { "even" } else { "odd" }},
            "annotations": {
                "chains.tekton.dev/signed": "true",
                format!("chains.tekton.dev/signature-{artifact}"): "c2lnbmF0dXJl",
                format!("chains.tekton.dev/payload-{artifact}"): "eyJjb25kaXRpb25zIjpbXX0=",
            },
        },
        "status": {
            "startTime": time, "completionTime": time,
            "conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}],
            "steps": [{"name": "build-and-push", "terminated": {"reason": "Completed"}}],
        },
    })
}

#[test]
fn the_guide_takes_signature_and_payload_out_of_the_last_run() {
    let scene = scene();
    for (name, minute) in [("b-first", 1), ("a-last", 3), ("c-second", 2)] {
        scene.create(run("TaskRun", "default", name, minute));
    }
    scene.create(run("TaskRun", "team-a", "elsewhere", 9));
    let uid = output(
        &scene,
        &["tr", "describe", "--last", "-o", "jsonpath={.metadata.uid}"],
    );
    assert_eq!(uid, "uid-a-last", "no newline at the end");
    let path = |what: &str| {
        format!("jsonpath={{.metadata.annotations.chains\\.tekton\\.dev/{what}-taskrun-{uid}}}")
    };
    let signature = output(
        &scene,
        &["tr", "describe", "--last", "-o", &path("signature")],
    );
    assert_eq!(signature, "c2lnbmF0dXJl");
    let payload = output(&scene, &["tr", "desc", "-L", "-o", &path("payload")]);
    assert_eq!(payload, "eyJjb25kaXRpb25zIjpbXX0=");
}

#[test]
fn the_view_shows_the_steps_and_the_signature() {
    let scene = scene();
    scene.create(run("TaskRun", "team-a", "build", 1));
    let shown = output(&scene, &["taskrun", "describe", "build", "-n", "team-a"]);
    assert!(
        shown.contains(" NAME             STATUS\n build-and-push   Completed\n"),
        "{shown}"
    );
    assert!(
        shown.contains("signed: format tekton, payload of 17 bytes\n"),
        "{shown}"
    );
}

#[test]
fn words_behind_the_name_are_passed_over_as_by_tkn_and_a_kind_before_it_is_read() {
    let scene = scene();
    scene.create(run("TaskRun", "team-a", "build", 1));
    let shown = output(&scene, &["tr", "describe", "build", "-n", "team-a"]);
    for line in [
        "tr describe build other -n team-a",
        "tr describe build other more -n team-a",
        "tr describe taskrun build -n team-a",
        "tr describe tr build other -n team-a",
    ] {
        let outcome = scene.shell.run(line);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, shown, "{line}");
        let told = outcome.stderr.contains("not shown: other");
        assert_eq!(told, line.contains("other"), "{line}: {}", outcome.stderr);
    }
    let said = refusal(&scene, &["tr", "describe", "pipelinerun", "build"]);
    assert!(
        said.contains("windlass pipelinerun describe build"),
        "{said}"
    );
    // tkn refuses it here
    scene
        .shell
        .fail(2, "tr cancel build other -n team-a", "other");
}

#[test]
fn a_missing_run_is_named_with_its_namespace() {
    let scene = scene();
    let said = refusal(&scene, &["tr", "describe", "nope", "-n", "team-a"]);
    for part in ["TaskRun \"nope\"", "namespace \"team-a\"", "-n"] {
        assert!(said.contains(part), "{said}");
    }
    let said = refusal(&scene, &["pr", "describe", "--last"]);
    assert!(
        said.contains("no PipelineRuns found in namespace \"default\""),
        "{said}"
    );
    let said = refusal(&scene, &["tr", "describe"]);
    assert!(said.contains("or use --last"), "{said}");
    let said = refusal(&scene, &["tr", "describe", "../secrets/x"]);
    assert!(said.contains("cannot be the name"), "{said}");
}

#[test]
fn a_template_error_is_found_before_the_cluster_is_asked() {
    let scene = scene();
    let said = refusal(&scene, &["tr", "describe", "x", "-o", "jsonpath={.a[}"]);
    assert!(said.contains("column 4"), "{said}");
    let said = refusal(&scene, &["tr", "describe", "x", "-o", "go-template={{a}}"]);
    assert!(said.contains("line 1, column 3"), "{said}");
    assert_eq!(scene.cluster.requests(), []);
}

#[test]
fn a_template_of_go_is_applied_to_a_run_and_to_a_list() {
    let scene = scene();
    for (name, minute) in [("build", 1), ("test", 2)] {
        scene.create(run("TaskRun", "team-a", name, minute));
    }
    let template = "{{range .status.steps}}{{.name}}: {{.terminated.reason}}{{end}} {{.missing}}";
    for flags in [
        &["-o", &format!("go-template={template}")][..],
        &["-o", "go-template", "--template", template],
        &["-otemplate", &format!("--template={template}")],
        &["--template", template],
    ] {
        let words = ["tr", "describe", "build", "-n", "team-a"];
        let shown = output(&scene, &[&words, flags].concat());
        assert_eq!(shown, "build-and-push: Completed <no value>", "{flags:?}");
    }
    let names = "go-template={{range .items}}{{.metadata.name}} {{end}}";
    let shown = output(&scene, &["tr", "list", "-n", "team-a", "-o", names]);
    assert_eq!(shown, "test build ");
    let words = ["tr", "describe", "build", "-n", "team-a", "-o"];
    let said = refusal(
        &scene,
        &[&words[..], &["go-template=a\n{{.kind.x}}"]].concat(),
    );
    assert!(
        said.contains("line 2, column 3: there is no .x in a string"),
        "{said}"
    );
    let said = refusal(&scene, &[&words[..], &["go-template"]].concat());
    assert!(said.contains("go-template needs a template"), "{said}");
}

#[test]
fn a_run_is_chosen_at_a_terminal_only_unless_there_is_no_choice() {
    let scene = scene();
    let said = refusal(&scene, &["tr", "describe", "-F", "-n", "team-a"]);
    assert!(said.contains("no TaskRuns found"), "{said}");
    scene.create(run("TaskRun", "team-a", "build", 1));
    let words = ["tr", "describe", "-n", "team-a", "-o", "name", "--fzf"];
    let only = output(&scene, &words);
    assert_eq!(only, "taskrun.tekton.dev/build\n");
    scene.create(run("TaskRun", "team-a", "test", 2));
    for verb in ["describe", "logs"] {
        let said = refusal(&scene, &["tr", verb, "-F", "-n", "team-a"]);
        assert!(
            said.contains(
                "asks a person at a terminal, and there is none; name one of the 2 TaskRuns"
            ),
            "{said}"
        );
        assert!(said.contains("--last"), "{said}");
    }
    let newest = output(&scene, &[&words[..], &["--limit", "1"]].concat());
    assert_eq!(newest, "taskrun.tekton.dev/test\n");
    for named in ["--last", "test"] {
        let shown = output(&scene, &[&words[..], &[named]].concat());
        assert_eq!(shown, "taskrun.tekton.dev/test\n");
    }
}

#[test]
fn the_last_of_many_runs_is_found_in_pages_and_read_once() {
    let scene = scene();
    for index in 0..450 {
        let minute = if index == 123 { 59 } else { index % 50 };
        scene.create(run(
            "TaskRun",
            "default",
            &format!("run-{index:03}"),
            minute,
        ));
    }
    let name = output(&scene, &["tr", "describe", "--last", "-o", "name"]);
    assert_eq!(name, "taskrun.tekton.dev/run-123\n");
    let requests = scene.cluster.requests();
    let pages = requests
        .iter()
        .filter(|request| request.query.contains("limit=200"))
        .count();
    assert_eq!((pages, requests.len()), (3, 4), "{requests:?}");
}

#[test]
fn a_list_is_sorted_limited_and_selected() {
    let scene = scene();
    for minute in 0..60 {
        scene.create(run(
            "PipelineRun",
            "default",
            &format!("run-{minute:02}"),
            minute,
        ));
    }
    scene.create(run("PipelineRun", "team-a", "other", 30));
    let names = output(
        &scene,
        &[
            "pr",
            "ls",
            "--limit",
            "2",
            "--label",
            "team=even",
            "-o",
            "name",
        ],
    );
    assert_eq!(
        names,
        "pipelinerun.tekton.dev/run-58\npipelinerun.tekton.dev/run-56\n"
    );
    let path = "jsonpath={range .items[*]}{.metadata.name}{\"\\n\"}{end}";
    let names = output(&scene, &["pr", "list", "--limit", "1", "-o", path]);
    assert_eq!(names, "run-59\n");
    let table = output(&scene, &["pr", "list", "-A"]);
    assert_eq!(table.lines().count(), 62);
    assert!(table.starts_with("NAMESPACE   NAME     STARTED"), "{table}");
    assert!(table.trim_end().ends_with("yes"), "{table}");
}

#[test]
fn a_limit_of_zero_shows_every_run_whatever_else_is_asked_for() {
    let scene = scene();
    for (kind, name) in [("TaskRun", "t"), ("PipelineRun", "p")] {
        for minute in 0..3 {
            scene.create(run(kind, "default", &format!("{name}{minute}"), minute));
        }
        scene.create(run(kind, "team-a", &format!("{name}-other"), 9));
    }
    for (line, expected) in [
        ("tr list --limit 0 -o name", 3),
        ("tr list --limit=0 --no-headers", 3),
        ("tr list -A --limit 0 --no-headers", 4),
        ("pr list --limit 0 --reverse -o name", 3),
        ("pr list --limit 2 --limit 0 --no-headers", 3),
        ("pr list -A --limit=0 -o name", 4),
        ("pr list -A -n none --limit=0 -o name", 4),
        ("tr list -n none -A --limit 0 --no-headers", 4),
        ("tr list --limit 9 --no-headers", 3),
        ("tr list --limit 1 --no-headers", 1),
    ] {
        let listed = scene.shell.succeed(line);
        assert_eq!(listed.lines().count(), expected, "{line}: {listed}");
    }
}

#[test]
fn an_empty_list_is_no_error() {
    let scene = scene();
    let outcome = scene.shell.run("tr list");
    assert_eq!(outcome.code, 0);
    assert_eq!(outcome.stdout, "");
    let note = "No TaskRuns found in namespace \"default\"\n";
    assert_eq!(outcome.stderr, note);
    let json = scene.shell.succeed("tr list -o json");
    let list: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(list["items"], json!([]));
}

#[test]
fn a_pipeline_run_is_shown_with_its_task_runs() {
    let scene = scene();
    let mut pipeline = run("PipelineRun", "default", "release", 1);
    pipeline["status"]["childReferences"] = json!([
        {"name": "release-build", "kind": "TaskRun", "pipelineTaskName": "build"},
    ]);
    scene.create(pipeline);
    let mut task = run("TaskRun", "default", "release-build", 1);
    task["metadata"]["labels"] = json!({"tekton.dev/pipelineRun": "release"});
    scene.create(task);
    let shown = output(&scene, &["pr", "describe", "release"]);
    assert!(shown.contains(" release-build   build "), "{shown}");
    assert!(shown.contains("0s         Succeeded   yes"), "{shown}");
}

#[test]
fn a_limit_of_zero_is_none() {
    let scene = scene();
    for minute in 0..3 {
        for kind in ["TaskRun", "PipelineRun"] {
            scene.create(run(kind, "default", &format!("run-{minute}"), minute));
        }
    }
    for kind in ["tr", "pr"] {
        let names = |more: &str| {
            let names = scene.shell.succeed(&format!("{kind} list -o name {more}"));
            names.lines().count()
        };
        for (limit, count) in [
            ("--limit 0", 3),
            ("--limit=0", 3),
            ("--limit 2", 2),
            ("", 3),
        ] {
            assert_eq!(names(limit), count, "{kind} {limit}");
        }
        let table = scene.shell.run(&format!("{kind} list --limit 0"));
        assert_eq!(table.stdout.lines().count(), 4);
        assert_eq!(table.stderr, "");
    }
}

#[test]
fn a_list_is_turned_round_and_shown_without_headings() {
    let scene = scene();
    for minute in 0..3 {
        let name = format!("run-{minute}");
        let mut one = run("TaskRun", "default", &name, minute);
        one["metadata"]["labels"]["tekton.dev/task"] = json!(if minute == 1 { "a" } else { "b" });
        scene.create(one);
    }
    let list = |flags: &str| scene.shell.succeed(&format!("tr list {flags}"));
    let rows = list("--no-headers");
    assert_eq!(rows.lines().count(), 3, "{rows}");
    assert!(rows.starts_with("run-2 "), "{rows}");
    let rows = list("--reverse --no-headers");
    assert!(rows.starts_with("run-0 "), "{rows}");
    let rows = list("b --no-headers");
    assert_eq!(rows.lines().count(), 2, "{rows}");
    assert!(list("a -o name").ends_with("run-1\n"));
}
