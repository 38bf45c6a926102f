use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-01-01T00:12:00Z".parse().unwrap()
}

#[test]
fn a_task_run_is_shown_like_tkn_shows_it() {
    let run = json!({
        "metadata": {
            "name": "build-x", "namespace": "team-a", "uid": "u-1",
            "labels": {"b": "2", "a": "1"},
            "annotations": {"big": "A".repeat(5000), LAST_APPLIED: "{}"},
        },
        "spec": {
            "taskRef": {"name": "build"}, "serviceAccountName": "builder", "timeout": "1h0m0s",
            "params": [{"name": "url", "value": "https://x"}, {"name": "list", "value": ["a", "b"]}],
            "workspaces": [{"name": "source", "persistentVolumeClaim": {"claimName": "c"}},
                           {"name": "tmp", "subPath": "d", "emptyDir": {}}],
        },
        "status": {
            "startTime": "2026-01-01T00:10:00Z", "completionTime": "2026-01-01T00:10:45Z",
            "conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}],
            "results": [{"name": "digest", "value": "sha256:ab\n"}],
            "steps": [
                {"name": "git-source-sourcerepo-p2sk8", "terminated": {"reason": "Completed"}},
                {"name": "echo", "running": {}},
            ],
        },
    });
    let expected = format!(
        "\
Name:              build-x
Namespace:         team-a
Task Ref:          build
Service Account:   builder
Timeout:           1h0m0s
Signature:         not yet
Labels:
 a=1
 b=2
Annotations:
 big={}… (5000 bytes)

Status

STARTED         DURATION    STATUS
2 minutes ago   45s         Succeeded

Params

 NAME   VALUE
 url    https://x
 list   [a b]

Results

 NAME     VALUE
 digest   sha256:ab

Workspaces

 NAME     SUB PATH   WORKSPACE BINDING
 source   ---        PersistentVolumeClaim (claimName=c)
 tmp      d          EmptyDir (emptyDir=)

Steps

 NAME                          STATUS
 git-source-sourcerepo-p2sk8   Completed
 echo                          Running
",
        "A".repeat(64)
    );
    let shown = text(Kind::Task, &run, &HashMap::new(), now(), Look::PLAIN);
    assert_eq!(shown, expected);
}

#[test]
fn a_pipeline_run_lists_its_task_runs_and_their_signatures() {
    let run = json!({
        "metadata": {"name": "release", "namespace": "team-a"},
        "spec": {"pipelineRef": {"name": "all"}, "taskRunTemplate": {"serviceAccountName": "bot"},
                 "timeouts": {"pipeline": "1h0m0s"}},
        "status": {
            "conditions": [{"type": "Succeeded", "status": "False", "reason": "Failed",
                            "message": "Tasks failed\u{1b}[2J\nsee logs"}],
            "childReferences": [{"name": "release-build", "pipelineTaskName": "build"},
                                {"name": "gone", "pipelineTaskName": "test"}],
            "skippedTasks": [{"name": "deploy", "reason": "Parent Tasks were skipped"}],
        },
    });
    let child = json!({
        "metadata": {"name": "release-build", "uid": "u-1", "annotations": {
            "chains.tekton.dev/signed": "true", "chains.tekton.dev/seal": "SHA256:x MEUC u-1",
        }},
        "status": {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}]},
    });
    let child = Summary::deserialize(&child).unwrap();
    let children = HashMap::from([("release-build".to_owned(), child)]);
    let shown = text(Kind::Pipeline, &run, &children, now(), Look::PLAIN);
    for line in [
        "Pipeline Ref:      all\n",
        "Tasks failed\\u{1b}[2J\nsee logs\n",
        " Pipeline:   1h0m0s\n",
        " release-build   build       ---       ---        Succeeded   yes\n",
        " gone            test        ---       ---        ---         ---\n",
        " deploy   Parent Tasks were skipped\n",
    ] {
        assert!(shown.contains(line), "{line:?} is not in\n{shown}");
    }
}

#[test]
fn a_run_of_nulls_and_wrong_types_is_still_shown() {
    for run in [
        json!({}),
        json!({"metadata": {"name": 1, "labels": null, "annotations": []},
               "spec": {"params": null, "workspaces": {}}, "status": null}),
        json!({"metadata": {"name": "\u{1b}]0;evil\u{7}"}, "status": {"steps": [null, 1, "x"]}}),
    ] {
        let shown = text(Kind::Task, &run, &HashMap::new(), now(), Look::PLAIN);
        assert!(shown.starts_with("Name:"), "{shown}");
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
            "{shown}"
        );
    }
}
