//! `logs`, `cancel` and `delete` of runs, against the built-in cluster.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};
use windlass_sandbox::{Fault, FaultAnswer, Reply};

use crate::scene::Scene;
use crate::shell::Shell;

fn scene() -> Scene {
    Scene::new(&["team-a"])
}

/// A run that has ended, or runs.
fn run(kind: &str, name: &str, minute: usize, status: &str) -> Value {
    let time = format!("2026-01-01T00:{minute:02}:00Z");
    let end = (status != "Unknown").then_some(&time);
    json!({
        "apiVersion": "tekton.dev/v1", "kind": kind,
        "metadata": { "name": name, "namespace": "team-a", "uid": format!("uid-{name}") },
        "spec": { "taskRef": { "name": "build" } },
        "status": {
            "startTime": time, "completionTime": end, "podName": format!("{name}-pod"),
            "conditions": [{ "type": "Succeeded", "status": status, "message": "it said no" }],
        },
    })
}

fn pod(name: &str, phase: &str, containers: &[(&str, &str)]) -> Value {
    let names: Vec<Value> = containers
        .iter()
        .map(|(name, _)| json!({ "name": name }))
        .collect();
    let statuses: Vec<Value> = containers
        .iter()
        .map(|(name, state)| json!({ "name": name, "state": { *state: {} } }))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "team-a" },
        "spec": { "containers": names, "initContainers": [{ "name": "prepare" }] },
        "status": { "phase": phase, "containerStatuses": statuses,
            "initContainerStatuses": [{ "name": "prepare", "state": { "terminated": {} } }] },
    })
}

/// The log of a container of a pod, read so many times.
fn log(scene: &Scene, pod: &str, container: &str, text: &str) {
    let answer = FaultAnswer::Status(Reply {
        media_type: Some("text/plain".to_owned()),
        ..Reply::from(200).body(text)
    });
    let mut fault = Fault::new("GET", &format!("/pods/{pod}/log"), answer);
    fault.query_contains = format!("container={container}");
    scene.cluster.fail(fault);
}

const FIRST: &str = "2026-01-01T00:00:01Z ";

fn with_logs() -> Scene {
    let scene = scene();
    scene.create(run("TaskRun", "build", 1, "True"));
    let steps = [("step-clone", "terminated"), ("step-push", "terminated")];
    scene.create(pod("build-pod", "Succeeded", &steps));
    log(
        &scene,
        "build-pod",
        "step-clone",
        &format!("{FIRST}one\n{FIRST}two"),
    );
    log(
        &scene,
        "build-pod",
        "step-push",
        &format!("{FIRST}pushed\n"),
    );
    log(&scene, "build-pod", "prepare", &format!("{FIRST}ready\n"));
    scene
}

#[test]
fn logs_are_shown_step_by_step_as_tkn_shows_them() {
    for (flags, expected) in [
        ("", "[clone] one\n[clone] two\n\n[push] pushed\n\n"),
        ("--prefix=false", "one\ntwo\n\npushed\n\n"),
        ("-s push", "[push] pushed\n\n"),
        ("-s push -t", "[push] 2026-01-01T00:00:01Z pushed\n\n"),
        ("-f", "[clone] one\n[clone] two\n\n[push] pushed\n\n"),
        (
            "--all",
            "[prepare] ready\n\n[clone] one\n[clone] two\n\n[push] pushed\n\n",
        ),
    ] {
        let target = if flags.is_empty() { "--last" } else { "build" };
        let line = format!("tr logs {target} -n team-a {flags}");
        let shown = with_logs().shell.run(&line);
        assert_eq!(shown.code, 0, "{flags}: {}", shown.stderr);
        assert_eq!(shown.stdout, expected, "{flags}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_named_and_the_others_are_shown() {
    let scene = with_logs();
    let shown = scene.shell.run("tr logs build -s none -n team-a");
    assert_eq!(shown.code, 2);
    assert!(
        shown.stderr.contains("its steps are clone, push"),
        "{}",
        shown.stderr
    );
    scene.create(run("TaskRun", "swept", 2, "False"));
    let shown = scene.shell.run("tr logs swept -n team-a");
    assert_eq!(shown.code, 2);
    assert!(
        shown.stderr.contains("pod swept-pod is gone"),
        "{}",
        shown.stderr
    );
    assert!(
        shown.stderr.contains("swept has failed: it said no"),
        "{}",
        shown.stderr
    );
    let mut waiting = run("TaskRun", "waiting", 3, "Unknown");
    waiting["status"]["podName"] = json!("");
    scene.create(waiting);
    scene.shell.fail(2, "tr logs waiting -n team-a", "--follow");
    scene
        .shell
        .fail(2, "tr logs nope -n team-a", "there is no TaskRun");
    scene.shell.fail(2, "tr logs -n team-a", "or use --last");
}

/// An API server that sends these objects by the end of their path; a log breaks off behind its first
/// line, and is whole the next time.
fn breaking(objects: Vec<(&'static str, String)>, log: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut logs = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut first = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut first).unwrap();
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap() > 2 {
                header.clear();
            }
            let path = first.split([' ', '?']).nth(1).unwrap().to_owned();
            let body = match objects.iter().find(|(end, _)| path.ends_with(end)) {
                Some((_, object)) => object.as_str(),
                None => log,
            };
            let mut sent = body;
            if path.ends_with("/log") {
                logs += 1;
                if logs == 1 {
                    sent = &body[..=body.find('\n').unwrap()];
                }
            }
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{sent}"
            )
            .unwrap();
        }
    });
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
         clusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]\n\
         contexts: [{{name: a, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    )
}

#[test]
fn a_log_that_breaks_off_is_read_on_behind_its_last_line() {
    let objects = vec![
        (
            "/taskruns/build",
            run("TaskRun", "build", 1, "True").to_string(),
        ),
        (
            "/pods/build-pod",
            pod("build-pod", "Succeeded", &[("step-a", "terminated")]).to_string(),
        ),
    ];
    let text = "2026-01-01T00:00:01Z one\n2026-01-01T00:00:02Z two\n";
    let mut shell = Shell::new();
    shell.kubeconfig = Some(breaking(objects, text));
    let shown = shell.succeed("tr logs build -f -n team-a");
    assert_eq!(shown, "[a] one\n[a] two\n\n");
    let shown = shell.succeed("tr logs build -n team-a");
    assert_eq!(shown, "[a] one\n[a] two\n\n");
}

fn child(name: &str, task: &str, minute: usize, status: &str) -> Value {
    let mut child = run("TaskRun", name, minute, status);
    child["metadata"]["labels"] =
        json!({ "tekton.dev/pipelineRun": "release", "tekton.dev/pipelineTask": task });
    child["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "release",
        "uid": "uid-release", "controller": true,
    }]);
    child
}

fn pipeline(status: &str) -> Scene {
    let scene = scene();
    scene.create(run("PipelineRun", "release", 1, status));
    for (name, task, minute, status) in [
        ("release-b", "test", 3, "False"),
        ("release-a", "build", 2, "True"),
    ] {
        scene.create(child(name, task, minute, status));
        let pod_name = format!("{name}-pod");
        scene.create(pod(&pod_name, "Succeeded", &[("step-x", "terminated")]));
        log(&scene, &pod_name, "step-x", &format!("{FIRST}{task} ran\n"));
    }
    scene
}

#[test]
fn the_logs_of_a_pipeline_run_are_those_of_its_tasks_in_order() {
    for (flags, expected) in [
        ("", "[build : x] build ran\n\n[test : x] test ran\n\n"),
        ("-t test", "[test : x] test ran\n\n"),
        ("--log-failed", "[test : x] test ran\n\n"),
    ] {
        let shown = pipeline("False")
            .shell
            .run(&format!("pr logs release -n team-a {flags}"));
        assert_eq!(shown.code, 0, "{flags}: {}", shown.stderr);
        assert_eq!(shown.stdout, expected, "{flags}");
        assert!(shown.stderr.contains("release has failed: it said no"));
    }
    let shown = pipeline("False").shell.run("pr logs release -n team-a -f");
    assert!(shown.stdout.contains("build ran") && shown.stdout.contains("test ran"));
    for (status, code) in [("True", 0), ("False", 1), ("Unknown", 2)] {
        let shown = pipeline(status).shell.run("pr logs release -E -n team-a");
        assert_eq!(shown.code, code, "{status}: {}", shown.stderr);
    }
    pipeline("True")
        .shell
        .fail(2, "pr logs release -t none -n team-a", "has no task none");
}

#[test]
fn a_run_is_cancelled_unless_it_has_ended() {
    let scene = scene();
    scene.create(run("TaskRun", "build", 1, "Unknown"));
    scene.create(run("TaskRun", "ended", 1, "True"));
    let told = scene.shell.succeed("tr cancel build -n team-a");
    assert_eq!(told, "TaskRun cancelled: build\n");
    let status = |kind: &str, name: &str| {
        let run = scene.cluster.get(kind, "team-a", name).unwrap();
        run["spec"]["status"].as_str().map(str::to_owned)
    };
    assert_eq!(
        status("taskruns.tekton.dev", "build").as_deref(),
        Some("TaskRunCancelled")
    );
    scene.shell.fail(
        2,
        "tr cancel ended -n team-a",
        "has already ended (Succeeded)",
    );
    assert_eq!(status("taskruns.tekton.dev", "ended"), None);
    scene
        .shell
        .fail(2, "tr cancel nope -n team-a", "there is no TaskRun");
    for (number, (flags, expected)) in [
        ("", "Cancelled"),
        ("--grace stoppedrunfinally", "StoppedRunFinally"),
        ("--grace=CancelledRunFinally", "CancelledRunFinally"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("release-{number}");
        scene.create(run("PipelineRun", &name, 1, "Unknown"));
        scene
            .shell
            .succeed(&format!("pr cancel {name} {flags} -n team-a"));
        let found = status("pipelineruns.tekton.dev", &name);
        assert_eq!(found.as_deref(), Some(expected), "{flags}");
    }
}

#[test]
fn the_newest_run_can_be_cancelled_and_is_never_deleted_unnamed() {
    let scene = scene();
    for (kind, list) in [("TaskRun", "tr"), ("PipelineRun", "pr")] {
        let name = format!("new-{list}");
        scene.create(run(kind, &format!("old-{list}"), 1, "True"));
        let mut newest = run(kind, &name, 2, "Unknown");
        newest["metadata"]["creationTimestamp"] = json!("2126-01-01T00:00:00Z");
        scene.create(newest);
        let plural = format!("{}s.tekton.dev", kind.to_lowercase());
        for flag in ["--last", "-L"] {
            let line = format!("{list} delete {flag} -f -n team-a");
            let why = "--last is not supported: another run may become the newest one";
            scene.shell.fail(2, &line, why);
        }
        let flag = if list == "tr" { "--last" } else { "-L" };
        let told = scene
            .shell
            .succeed(&format!("{list} cancel {flag} -n team-a"));
        assert_eq!(told, format!("{kind} cancelled: {name}\n"));
        let cancelled = scene.cluster.get(&plural, "team-a", &name).unwrap();
        assert!(cancelled["spec"]["status"].is_string(), "{cancelled}");
        let both = format!("{list} cancel {name} --last -n team-a");
        assert_eq!(scene.shell.run(&both).code, 2);
        let none = format!("{list} cancel -n team-a");
        scene
            .shell
            .fail(2, &none, &format!("name a {kind}, or use --last"));
        let missing = scene.shell.run(&format!("{list} cancel --last -n none"));
        assert_eq!(missing.code, 2, "{}", missing.stdout);
        assert!(
            missing.stderr.contains(&format!("no {kind}s found")),
            "{}",
            missing.stderr
        );
    }
}

/// The task runs that are left.
fn left(scene: &Scene) -> Vec<String> {
    let runs = scene.cluster.list("taskruns.tekton.dev");
    let names = runs
        .iter()
        .map(|run| run["metadata"]["name"].as_str().unwrap().to_owned());
    names.collect()
}

fn four() -> Scene {
    let scene = scene();
    for (name, minute, status) in [
        ("a", 1, "True"),
        ("b", 2, "False"),
        ("c", 3, "True"),
        ("running", 4, "Unknown"),
    ] {
        scene.create(run("TaskRun", name, minute, status));
    }
    scene
}

#[test]
fn runs_are_deleted_when_somebody_says_yes() {
    let scene = four();
    let outcome = scene.shell.pipe(b"n\n", "tr delete a -n team-a");
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stdout.contains("delete TaskRun(s): \"a\" (y/n)"),
        "{}",
        outcome.stdout
    );
    let outcome = scene.shell.pipe(b"", "tr delete --all -n team-a");
    assert!(outcome.stderr.contains("use --force"), "{}", outcome.stderr);
    scene.shell.fail(2, "tr delete -n team-a", "or use --all");
    scene
        .shell
        .fail(2, "tr delete ../x -f -n team-a", "cannot be the name");
    assert_eq!(left(&scene), ["a", "b", "c", "running"]);
    let outcome = scene
        .shell
        .pipe(b"what\ny\n", "tr rm a nope running -n team-a");
    assert_eq!(outcome.code, 2, "one of them does not exist");
    assert!(
        outcome
            .stdout
            .ends_with("TaskRuns deleted: \"a\", \"running\"\n"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stderr.contains("there is no TaskRun \"nope\""),
        "{}",
        outcome.stderr
    );
    assert_eq!(left(&scene), ["b", "c"]);
}

#[test]
fn flags_that_select_leave_what_runs_and_the_newest() {
    for (flags, expected) in [
        ("--all", &["running"][..]),
        ("--all --ignore-running=false", &[]),
        ("--keep 1", &["c", "running"]),
        ("--keep 5", &["a", "b", "c", "running"]),
        ("--keep-since 1", &["running"]),
        ("--task other", &["a", "b", "c", "running"]),
    ] {
        let scene = four();
        scene
            .shell
            .succeed(&format!("tr delete {flags} -f -n team-a"));
        assert_eq!(left(&scene), expected, "{flags}");
    }
    let scene = four();
    scene.create(run("PipelineRun", "release", 1, "Unknown"));
    scene.create(child("of-release", "build", 5, "True"));
    scene.shell.succeed("tr delete --all -f -n team-a");
    assert_eq!(
        left(&scene),
        ["of-release", "running"],
        "its pipeline run would run it again"
    );
    let outcome = scene.shell.pipe(b"y\n", "tr delete of-release -n team-a");
    assert!(
        outcome.stderr.contains("will run it again"),
        "{}",
        outcome.stderr
    );
    assert_eq!(left(&scene), ["running"]);
    scene.shell.succeed("pr delete release -f -n team-a");
    assert!(scene.cluster.list("pipelineruns.tekton.dev").is_empty());
}

#[test]
fn who_may_not_delete_is_told_and_the_exit_status_says_so() {
    let scene = four();
    let refused = FaultAnswer::Status(403.into());
    scene
        .cluster
        .fail(Fault::new("DELETE", "/taskruns/b", refused));
    let outcome = scene.shell.run("tr delete a b c -f -n team-a");
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("cannot delete"),
        "{}",
        outcome.stderr
    );
    assert_eq!(left(&scene), ["b", "running"]);
}

#[test]
fn a_run_is_named_with_or_without_its_kind_in_every_verb() {
    let scene = four();
    for verb in ["describe", "logs", "cancel", "delete -f"] {
        for name in ["taskrun/nope", "tr/nope", "taskruns.tekton.dev/nope"] {
            let line = format!("tr {verb} {name} -n team-a");
            scene.shell.fail(2, &line, "there is no TaskRun \"nope\"");
        }
        let (plain, _) = verb.split_once(' ').unwrap_or((verb, ""));
        let told = format!("pr/nope is no TaskRun; use `windlass pipelinerun {plain} nope`");
        let line = format!("tr {verb} pr/nope -n team-a");
        scene.shell.fail(2, &line, &told);
    }
    let before = left(&scene);
    let line = format!("tr delete -f -n team-a tr/{}", before[0]);
    scene.shell.succeed(&line);
    assert_eq!(left(&scene), before[1..]);
}
