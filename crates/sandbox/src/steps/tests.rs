//! Task runs from their creation to their last status.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Options, StepRunner};
use crate::cluster::{self, Cluster};
use crate::run_status;

async fn carried_out(cluster: &Cluster, name: &str) -> Value {
    let mut newest = cluster.state().store().subscribe();
    tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            newest.mark_unchanged();
            let run = cluster.get("taskruns.tekton.dev", "default", name).unwrap();
            if run_status::is_finished(&run) {
                return run["status"].clone();
            }
            newest.changed().await.unwrap();
        }
    })
    .await
    .unwrap()
}

async fn run(spec: Value) -> Value {
    let cluster = Cluster::start(cluster::Options::default()).await.unwrap();
    let runner = StepRunner::start(&cluster, Options::default()).unwrap();
    create(&cluster, spec);
    let status = carried_out(&cluster, "r").await;
    runner.shutdown().await;
    cluster.shutdown().await;
    status
}

fn create(cluster: &Cluster, spec: Value) {
    let mut run = json!({"apiVersion": "tekton.dev/v1", "kind": "TaskRun"});
    run["metadata"] = json!({"name": "r"});
    run["spec"] = spec;
    cluster.create(run).unwrap();
}

fn condition(status: &Value) -> (&str, &str) {
    let condition = &status["conditions"][0];
    (
        condition["status"].as_str().unwrap(),
        condition["reason"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn results_are_read_with_their_last_newline() {
    let script = "printf 'a\\n' > $(results.x.path); echo '[\"1\"]' > $(results.l.path)";
    let status = run(json!({"taskSpec": {
        "results": [{"name": "x"}, {"name": "l", "type": "array"}],
        "steps": [{"image": "i", "script": script}],
    }}))
    .await;
    assert_eq!(condition(&status), ("True", "Succeeded"));
    assert_eq!(
        status["results"][0],
        json!({"name": "x", "type": "string", "value": "a\n"})
    );
    assert_eq!(status["results"][1]["value"], json!(["1"]));
    assert_eq!(status["steps"][0]["name"], "unnamed-0");
    assert_eq!(status["steps"][0]["terminated"]["reason"], "Completed");
    assert!(status["steps"][0].get("imageID").is_none());
}

#[tokio::test]
async fn parameters_are_filled_in_and_defaults_count() {
    let status = run(json!({
        "params": [{"name": "list", "value": ["a", "b c"]}],
        "taskSpec": {
            "params": [
                {"name": "list", "type": "array"},
                {"name": "text", "default": "t"},
                {"name": "map", "type": "object", "default": {"k": "v"}},
            ],
            "results": [{"name": "x"}],
            "steps": [{
                "image": "i",
                "command": ["sh", "-c", "printf '%s|' \"$E\" \"$@\" > $(results.x.path)", "sh"],
                "args": ["$(params.list[*])", "$(params[\"text\"])", "$(params.map.k)"],
                "env": [{"name": "E", "value": "$(context.taskRun.name)"}],
            }],
        },
    }))
    .await;
    assert_eq!(status["results"][0]["value"], "r|a|b c|t|v|");
    assert_eq!(
        status["taskSpec"]["steps"][0]["args"],
        json!(["a", "b c", "t", "v"])
    );
}

#[tokio::test]
async fn the_folder_of_credentials_exists_and_is_empty() {
    let script = "cd $(credentials.path) && ls -A | wc -l > $(results.x.path)";
    let status = run(json!({"taskSpec": {
        "results": [{"name": "x"}], "steps": [{"image": "i", "script": script}],
    }}))
    .await;
    assert_eq!(condition(&status), ("True", "Succeeded"));
    assert_eq!(status["results"][0]["value"], "0\n");
}

#[tokio::test]
async fn a_missing_parameter_fails_the_run_before_its_steps() {
    let status = run(json!({"taskSpec": {
        "params": [{"name": "p"}], "steps": [{"image": "i", "script": "true"}],
    }}))
    .await;
    assert_eq!(condition(&status), ("False", "TaskRunValidationFailed"));
    assert!(status.get("steps").is_none());
}

#[tokio::test]
async fn a_failed_step_skips_those_after_it() {
    let steps = json!([
        {"name": "a", "image": "i", "script": "exit 5", "onError": "continue"},
        {"name": "b", "image": "i", "script": "exit 3"},
        {"name": "c", "image": "i", "script": "true"},
    ]);
    let status = run(json!({"taskSpec": {"steps": steps}})).await;
    assert_eq!(condition(&status), ("False", "Failed"));
    let ends: Vec<&str> = status["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["terminationReason"].as_str().unwrap())
        .collect();
    assert_eq!(ends, ["Continued", "Error", "Skipped"]);
    assert_eq!(status["steps"][1]["terminated"]["exitCode"], 3);
}

#[tokio::test]
async fn a_run_over_its_time_is_killed_with_all_it_started() {
    let begun = std::time::Instant::now();
    let steps = json!([{"name": "a", "image": "i", "script": "sleep 300 & sleep 300"}]);
    let status = run(json!({"timeout": "300ms", "taskSpec": {"steps": steps}})).await;
    assert_eq!(condition(&status), ("False", "TaskRunTimeout"));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_cancelled_run_ends_as_cancelled() {
    let cluster = Cluster::start(cluster::Options::default()).await.unwrap();
    let runner = StepRunner::start(&cluster, Options::default()).unwrap();
    let steps = json!([{"name": "a", "image": "i", "script": "sleep 300"}]);
    create(
        &cluster,
        json!({"status": "TaskRunCancelled", "taskSpec": {"steps": steps}}),
    );
    let status = carried_out(&cluster, "r").await;
    assert_eq!(condition(&status), ("False", "TaskRunCancelled"));
    runner.shutdown().await;
}

#[tokio::test]
async fn shutting_down_kills_steps_and_leaves_the_run_unfinished() {
    let cluster = Cluster::start(cluster::Options::default()).await.unwrap();
    let runner = StepRunner::start(&cluster, Options::default()).unwrap();
    let steps = json!([{"name": "a", "image": "i", "script": "sleep 300"}]);
    let mut newest = cluster.state().store().subscribe();
    create(&cluster, json!({"taskSpec": {"steps": steps}}));
    loop {
        newest.changed().await.unwrap();
        let run = cluster.get("taskruns.tekton.dev", "default", "r").unwrap();
        if run["status"]["steps"][0]["running"].is_object() {
            break;
        }
    }
    runner.shutdown().await;
    let run = cluster.get("taskruns.tekton.dev", "default", "r").unwrap();
    assert!(!run_status::is_finished(&run));
}

#[tokio::test]
async fn a_secret_workspace_becomes_files() {
    let cluster = Cluster::start(cluster::Options::default()).await.unwrap();
    cluster
        .create(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "stringData": {"k": "v"}}),
        )
        .unwrap();
    let runner = StepRunner::start(&cluster, Options::default()).unwrap();
    let script = "cat $(workspaces.w.path)/k > $(results.x.path)";
    create(
        &cluster,
        json!({
            "workspaces": [{"name": "w", "secret": {"secretName": "s"}}],
            "taskSpec": {
                "workspaces": [{"name": "w"}, {"name": "o", "optional": true}],
                "results": [{"name": "x"}],
                "steps": [{"image": "i", "script": script}],
            },
        }),
    );
    assert_eq!(carried_out(&cluster, "r").await["results"][0]["value"], "v");
    runner.shutdown().await;
}

#[tokio::test]
async fn results_above_the_limit_fail_the_run() {
    let script = "head -c 5000 /dev/zero | tr '\\0' a > $(results.x.path)";
    let steps = json!([{"image": "i", "script": script}]);
    let status = run(json!({"taskSpec": {"results": [{"name": "x"}], "steps": steps}})).await;
    assert_eq!(
        condition(&status),
        ("False", "TaskRunResultLargerThanAllowedLimit")
    );
}
