//! `windlass resign` against the built-in cluster.

use serde_json::{Value, json};

use crate::controller::process::{Controller, finished_run, mark, scene, until};
use crate::scene::Scene;

/// A run with a mark.
fn marked(scene: &Scene, kind: &str, (namespace, name): (&str, &str), mark: &str) {
    scene.create(json!({
        "apiVersion": "tekton.dev/v1", "kind": kind,
        "metadata": {
            "namespace": namespace, "name": name, "labels": {"app": name},
            "annotations": {
                "chains.tekton.dev/signed": mark, "chains.tekton.dev/seal": "key seal",
                "chains.tekton.dev/retries": "3", "chains.tekton.dev/reason": "no",
                "chains.tekton.dev/payload-x": "cGF5bG9hZA==", "other": "stays",
            },
        },
        "spec": {},
    }));
}

/// The annotations of a run, by their names without the prefix.
fn annotations(scene: &Scene, resource: &str, (namespace, name): (&str, &str)) -> Vec<String> {
    let resource = format!("{resource}.tekton.dev");
    let run = scene.cluster.get(&resource, namespace, name).unwrap();
    let Value::Object(annotations) = &run["metadata"]["annotations"] else {
        return Vec::new();
    };
    let names = annotations.keys();
    names
        .map(|name| name.trim_start_matches("chains.tekton.dev/").to_owned())
        .collect()
}

/// What is left of a run whose mark was taken off.
const UNMARKED: [&str; 2] = ["payload-x", "other"];
const MARKED: usize = 6;

fn scene_with_runs() -> Scene {
    let scene = Scene::new(&["a", "b"]);
    marked(&scene, "TaskRun", ("a", "failed"), "failed");
    marked(&scene, "TaskRun", ("a", "signed"), "true");
    marked(&scene, "PipelineRun", ("a", "failed"), "failed");
    marked(&scene, "TaskRun", ("b", "failed"), "failed");
    scene
}

#[test]
fn the_mark_of_each_failed_run_is_taken_off_and_nothing_else() {
    let scene = scene_with_runs();
    let printed = scene.shell.succeed("resign --all-failed -n a");
    assert_eq!(
        printed,
        "taskrun.tekton.dev/failed in namespace a will be signed again\n\
         pipelinerun.tekton.dev/failed in namespace a will be signed again\n"
    );
    assert_eq!(annotations(&scene, "taskruns", ("a", "failed")), UNMARKED);
    assert_eq!(
        annotations(&scene, "pipelineruns", ("a", "failed")),
        UNMARKED
    );
    assert_eq!(
        annotations(&scene, "taskruns", ("a", "signed")).len(),
        MARKED
    );
    assert_eq!(
        annotations(&scene, "taskruns", ("b", "failed")).len(),
        MARKED
    );
    scene.shell.succeed("resign --all-failed -A");
    assert_eq!(annotations(&scene, "taskruns", ("b", "failed")), UNMARKED);
}

#[test]
fn a_selector_takes_marks_of_both_kinds_off_and_a_dry_run_takes_none() {
    let scene = scene_with_runs();
    let printed = scene.shell.succeed("resign -l app=signed -n a --dry-run");
    assert_eq!(
        printed,
        "taskrun.tekton.dev/signed in namespace a would be signed again\n"
    );
    assert_eq!(
        annotations(&scene, "taskruns", ("a", "signed")).len(),
        MARKED
    );
    scene.shell.succeed("resign -l app=signed -n a");
    assert_eq!(annotations(&scene, "taskruns", ("a", "signed")), UNMARKED);
    let outcome = scene.shell.run("resign -l app=nothing -n a");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""));
}

#[test]
fn a_name_means_one_run_and_what_is_missing_fails_after_the_others_are_done() {
    let scene = scene_with_runs();
    scene
        .shell
        .fail(2, "resign failed -n a", "is a task run and a pipeline run");
    assert_eq!(
        annotations(&scene, "taskruns", ("a", "failed")).len(),
        MARKED
    );
    scene
        .shell
        .fail(2, "resign missing signed -n a", "there is no run missing");
    assert_eq!(annotations(&scene, "taskruns", ("a", "signed")), UNMARKED);
    scene.shell.succeed("resign pr/failed -n a");
    assert_eq!(
        annotations(&scene, "pipelineruns", ("a", "failed")),
        UNMARKED
    );
    // there is no mark to take off any longer
    let outcome = scene.shell.run("resign pr/failed -n a");
    assert_eq!(outcome.code, 0);
    assert!(outcome.stderr.contains("has no mark"), "{}", outcome.stderr);
    for line in [
        "resign",
        "resign a --all-failed",
        "resign --all-failed -A -n a",
    ] {
        assert_eq!(scene.shell.run(line).code, 2, "{line}");
    }
}

#[test]
fn a_run_whose_mark_was_taken_off_is_signed_again_by_the_controller() {
    let scene = scene();
    finished_run(&scene, "a", "build");
    let controller = Controller::start(&scene, &["controller"]);
    let is_signed = || mark(&scene, "a", "build").as_deref() == Some("true");
    until("the run is signed", is_signed);
    let marks = scene.cluster.count("PATCH", "/taskruns/build");
    scene.shell.succeed("resign tr/build -n a");
    // the one of this command, and the one of the controller
    until("the run is written again", || {
        scene.cluster.count("PATCH", "/taskruns/build") >= marks + 2
    });
    until("the run is signed again", is_signed);
    controller.stop();
}

#[test]
fn runs_to_sign_again_are_named_in_the_words_of_every_verb() {
    let scene = scene_with_runs();
    scene.shell.succeed("resign pipelinerun --last -n a");
    let left = annotations(&scene, "pipelineruns", ("a", "failed"));
    assert_eq!(left, UNMARKED);
    let printed = scene
        .shell
        .succeed("resign taskrun failed signed -n a --dry-run");
    assert_eq!(printed.lines().count(), 2, "{printed}");
    let printed = scene.shell.succeed("resign --last -n b");
    assert!(
        printed.starts_with("taskrun.tekton.dev/failed in namespace b"),
        "{printed}"
    );
    for (line, why) in [
        (
            "resign failed --last -n a",
            "--last is the run created last",
        ),
        ("resign taskrun -n a", "the name of the taskrun is missing"),
        ("resign --last -A", "cannot be used with"),
    ] {
        scene.shell.fail(2, line, why);
    }
}
