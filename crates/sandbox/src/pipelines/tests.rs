//! Pipeline runs from their creation to their last status, with real task runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::PipelineRunner;
use crate::cluster::{self, Cluster};
use crate::run_status;
use crate::steps::{Options, StepRunner};

mod examples;
mod refusals;

/// A cluster whose runs run.
struct Sandbox {
    cluster: Cluster,
    steps: StepRunner,
    pipelines: PipelineRunner,
}

impl Sandbox {
    async fn start() -> Self {
        let cluster = Cluster::start(cluster::Options::default()).await.unwrap();
        Self {
            steps: StepRunner::start(&cluster, Options::default()).unwrap(),
            pipelines: PipelineRunner::start(&cluster),
            cluster,
        }
    }

    /// Puts the documents of a YAML file in place.
    fn create(&self, documents: &str) {
        for document in documents.split("\n---\n") {
            let mut document: Value = serde_saphyr::from_str(document).unwrap();
            if document.get("apiVersion").is_none() {
                document["apiVersion"] = "tekton.dev/v1".into();
            }
            self.cluster.create(document).unwrap();
        }
    }

    fn get(&self, kind: &str, name: &str) -> Value {
        let found = self
            .cluster
            .get(&format!("{kind}.tekton.dev"), "default", name);
        found.unwrap_or_else(|| panic!("{kind} {name}"))
    }

    /// Waits until a run is as it should be.
    async fn until(&self, kind: &str, name: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let mut newest = self.cluster.state().store().subscribe();
        let wait = async {
            loop {
                newest.mark_unchanged();
                let found = self
                    .cluster
                    .get(&format!("{kind}.tekton.dev"), "default", name);
                if let Some(run) = found.filter(|run| is_right(run)) {
                    return run;
                }
                newest.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
        waited.unwrap_or_else(|_| panic!("{kind} {name}: {:#}", self.get(kind, name)["status"]))
    }

    /// The pipeline run `r` once it has ended.
    async fn ended(&self) -> Value {
        self.until("pipelineruns", "r", run_status::is_finished)
            .await
    }

    fn change(&self, kind: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let storage = if kind == "PipelineRun" {
            "pipelineruns"
        } else {
            "taskruns"
        };
        let key = crate::cluster::store::Key::new(storage, "default", name);
        let part = crate::cluster::route::Part::Whole;
        run_status::change(
            self.cluster.state(),
            "tekton.dev/v1",
            kind,
            &key,
            part,
            change,
        );
    }

    async fn end(self) {
        self.pipelines.shutdown().await;
        self.steps.shutdown().await;
        self.cluster.shutdown().await;
    }
}

/// Status and reason of the condition.
fn condition(run: &Value) -> (&str, &str) {
    let condition = run_status::condition(run).unwrap();
    (
        condition["status"].as_str().unwrap(),
        condition["reason"].as_str().unwrap(),
    )
}

fn message(run: &Value) -> &str {
    run_status::condition(run).unwrap()["message"]
        .as_str()
        .unwrap()
}

/// The results of a run as an object.
fn results(run: &Value) -> Value {
    let mut all = json!({});
    for result in run["status"]["results"].as_array().into_iter().flatten() {
        all[result["name"].as_str().unwrap()] = result["value"].clone();
    }
    all
}

/// Tasks that were skipped, with the reason.
fn skipped(run: &Value) -> Vec<(&str, &str)> {
    let all = run["status"]["skippedTasks"]
        .as_array()
        .into_iter()
        .flatten();
    all.map(|one| {
        (
            one["name"].as_str().unwrap(),
            one["reason"].as_str().unwrap(),
        )
    })
    .collect()
}

/// The names of the children, in the order of the status.
fn children(run: &Value) -> Vec<&str> {
    let all = run["status"]["childReferences"]
        .as_array()
        .into_iter()
        .flatten();
    all.map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_children_of_a_pipeline_run_are_its_own_as_tekton_writes_them() {
    let sandbox = Sandbox::start().await;
    sandbox.create(
        "kind: PipelineRun
metadata:
  name: r
  labels: {team: shop}
  annotations: {note: kept, chains.tekton.dev/signed: \"true\"}
spec:
  taskRunTemplate: {serviceAccountName: builder}
  pipelineSpec:
    tasks:
    - name: one
      displayName: First of $(context.pipelineRun.name)
      taskSpec:
        results: [{name: word}]
        steps: [{name: s, image: busybox, script: printf hello > $(results.word.path)}]
    - name: two
      params: [{name: word, value: $(tasks.one.results.word)}]
      when: [{input: $(tasks.one.results.word), operator: in, values: [hello]}]
      taskSpec:
        params: [{name: word}]
        results: [{name: twice}]
        steps: [{name: s, image: busybox, script: printf '$(params.word) $(params.word)' > $(results.twice.path)}]
    results: [{name: all, value: $(tasks.two.results.twice)}]
",
    );
    let run = sandbox.ended().await;
    assert_eq!(condition(&run), ("True", "Succeeded"));
    assert_eq!(
        message(&run),
        "Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 0"
    );
    assert_eq!(results(&run), json!({"all": "hello hello"}));
    assert_eq!(run["metadata"]["labels"]["tekton.dev/pipeline"], "r");
    let references = &run["status"]["childReferences"];
    assert_eq!(
        references[0],
        json!({"apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "name": "r-one", "pipelineTaskName": "one", "displayName": "First of r"})
    );
    let when = json!([{"input": "hello", "operator": "in", "values": ["hello"]}]);
    assert_eq!(references[1]["whenExpressions"], when);
    assert!(run["status"]["startTime"].is_string() && run["status"]["completionTime"].is_string());
    assert_eq!(
        run["status"]["pipelineSpec"]["tasks"][0]["displayName"],
        "First of r"
    );

    let child = sandbox.get("taskruns", "r-two");
    let owner = &child["metadata"]["ownerReferences"][0];
    assert_eq!(
        *owner,
        json!({"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "r",
        "uid": run["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true})
    );
    let labels = &child["metadata"]["labels"];
    for (label, value) in [
        ("team", "shop"),
        ("tekton.dev/pipeline", "r"),
        ("tekton.dev/pipelineRun", "r"),
        ("tekton.dev/pipelineTask", "two"),
        ("tekton.dev/memberOf", "tasks"),
    ] {
        assert_eq!(labels[label], value, "{label}");
    }
    assert_eq!(labels["tekton.dev/pipelineRunUID"], run["metadata"]["uid"]);
    assert_eq!(child["metadata"]["annotations"], json!({"note": "kept"}));
    assert_eq!(child["spec"]["serviceAccountName"], "builder");
    assert_eq!(child["spec"]["timeout"], "1h0m0s");
    assert_eq!(
        child["spec"]["params"],
        json!([{"name": "word", "value": "hello"}])
    );
    sandbox.end().await;
}

#[tokio::test]
async fn a_cancelled_pipeline_run_cancels_what_runs() {
    let sandbox = Sandbox::start().await;
    sandbox.create(SLOW);
    sandbox.until("taskruns", "r-slow", runs).await;
    sandbox.change("PipelineRun", "r", |run| {
        run["spec"]["status"] = "Cancelled".into();
    });
    let run = sandbox.ended().await;
    assert_eq!(condition(&run), ("False", "Cancelled"));
    assert_eq!(message(&run), "PipelineRun \"r\" was cancelled");
    assert_eq!(children(&run), ["r-slow"]);
    let child = sandbox
        .until("taskruns", "r-slow", run_status::is_finished)
        .await;
    assert_eq!(condition(&child), ("False", "TaskRunCancelled"));
    assert!(message(&child).contains("the PipelineRun it belongs to has been cancelled"));
    sandbox.end().await;
}

#[tokio::test]
async fn a_gracefully_cancelled_pipeline_run_still_runs_finally() {
    let sandbox = Sandbox::start().await;
    sandbox.create(SLOW);
    sandbox.until("taskruns", "r-slow", runs).await;
    sandbox.change("PipelineRun", "r", |run| {
        run["spec"]["status"] = "CancelledRunFinally".into();
    });
    let run = sandbox.ended().await;
    assert_eq!(condition(&run), ("False", "Cancelled"));
    assert_eq!(children(&run), ["r-slow", "r-last"]);
    assert_eq!(skipped(&run), [("after", "PipelineRun was stopping")]);
    assert!(run["status"]["finallyStartTime"].is_string());
    sandbox.end().await;
}

#[tokio::test]
async fn a_gracefully_stopped_pipeline_run_finishes_what_runs() {
    let sandbox = Sandbox::start().await;
    sandbox.create(&SLOW.replace(
        "sleep 300",
        "while [ ! -e $(workspaces.w.path)/go ]; do sleep 0.05; done",
    ));
    let child = sandbox.until("taskruns", "r-slow", runs).await;
    sandbox.change("PipelineRun", "r", |run| {
        run["spec"]["status"] = "StoppedRunFinally".into();
    });
    assert!(!run_status::is_finished(&child));
    sandbox.create(
        "kind: TaskRun
metadata: {name: go}
spec:
  workspaces: [{name: w, persistentVolumeClaim: {claimName: shared}}]
  taskSpec: {steps: [{image: busybox, script: touch $(workspaces.w.path)/go}]}
",
    );
    let run = sandbox.ended().await;
    assert_eq!(condition(&run), ("False", "Cancelled"));
    assert_eq!(
        skipped(&run),
        [("after", "PipelineRun was gracefully stopped")]
    );
    assert_eq!(condition(&sandbox.get("taskruns", "r-slow")).0, "True");
    sandbox.end().await;
}

#[tokio::test]
async fn a_pipeline_run_over_its_time_cancels_what_runs() {
    let sandbox = Sandbox::start().await;
    sandbox.create(&SLOW.replace(
        "spec:\n  workspaces",
        "spec:\n  timeouts: {pipeline: 500ms}\n  workspaces",
    ));
    let run = sandbox.ended().await;
    assert_eq!(condition(&run), ("False", "PipelineRunTimeout"));
    assert_eq!(
        message(&run),
        "PipelineRun \"r\" failed to finish within \"500ms\""
    );
    let child = sandbox
        .until("taskruns", "r-slow", run_status::is_finished)
        .await;
    assert!(
        message(&child).contains("has timed out"),
        "{}",
        message(&child)
    );
    sandbox.end().await;
}

#[tokio::test]
async fn tasks_over_their_time_are_followed_by_finally() {
    let sandbox = Sandbox::start().await;
    sandbox.create(&SLOW.replace(
        "spec:\n  workspaces",
        "spec:\n  timeouts: {tasks: 500ms}\n  workspaces",
    ));
    let run = sandbox.ended().await;
    assert_eq!(condition(&run), ("False", "PipelineRunTimeout"));
    let expected = "PipelineRun \"r\" failed due to tasks failed to finish within \"500ms\"";
    assert_eq!(message(&run), expected);
    assert_eq!(children(&run), ["r-slow", "r-last"]);
    sandbox.end().await;
}

#[tokio::test]
async fn a_task_is_retried_as_often_as_it_may_be() {
    let sandbox = Sandbox::start().await;
    let pipeline = |least: &str| {
        format!(
            "kind: PipelineRun
metadata: {{name: r}}
spec:
  pipelineSpec:
    tasks:
    - name: flaky
      retries: 2
      taskSpec:
        results: [{{name: attempt}}]
        steps: [{{image: busybox, script: printf $(context.task.retry-count) > $(results.attempt.path); test $(context.task.retry-count) -ge {least}}}]
    results: [{{name: attempt, value: $(tasks.flaky.results.attempt)}}]
"
        )
    };
    sandbox.create(&pipeline("2"));
    let run = sandbox.ended().await;
    assert_eq!(condition(&run), ("True", "Succeeded"));
    assert_eq!(results(&run), json!({"attempt": "2"}));
    let child = sandbox.get("taskruns", "r-flaky");
    let earlier = child["status"]["retriesStatus"].as_array().unwrap();
    assert_eq!(earlier.len(), 2);
    assert_eq!(earlier[0]["podName"], "r-flaky-pod");
    assert_eq!(earlier[1]["podName"], "r-flaky-pod-retry1");
    assert_eq!(child["status"]["podName"], "r-flaky-pod-retry2");
    assert!(earlier[1].get("retriesStatus").is_none());
    sandbox.end().await;

    let sandbox = Sandbox::start().await;
    sandbox.create(&pipeline("3"));
    assert_eq!(condition(&sandbox.ended().await), ("False", "Failed"));
    sandbox.end().await;
}

#[tokio::test]
async fn a_pipeline_run_that_is_pending_starts_once_it_is_not() {
    let sandbox = Sandbox::start().await;
    let pending = "kind: PipelineRun
metadata: {name: r}
spec:
  status: PipelineRunPending
  pipelineSpec:
    tasks: [{name: a, taskSpec: {steps: [{image: busybox, script: 'true'}]}}]
";
    sandbox.create(pending);
    // one that is created later has ended
    sandbox.create(
        &pending
            .replace("name: r", "name: s")
            .replace("  status: PipelineRunPending\n", ""),
    );
    sandbox
        .until("pipelineruns", "s", run_status::is_finished)
        .await;
    assert!(sandbox.get("pipelineruns", "r").get("status").is_none());
    sandbox.change("PipelineRun", "r", |run| {
        run["spec"]["status"] = Value::Null;
    });
    assert_eq!(condition(&sandbox.ended().await), ("True", "Succeeded"));
    sandbox.end().await;
}

fn runs(run: &Value) -> bool {
    run["status"]["steps"][0]["running"].is_object()
}

/// A task that takes its time, one after it, and one in `finally`.
const SLOW: &str = "kind: PipelineRun
metadata: {name: r}
spec:
  workspaces: [{name: w, persistentVolumeClaim: {claimName: shared}}]
  pipelineSpec:
    tasks:
    - name: slow
      taskSpec: {steps: [{image: busybox, script: 'sleep 300'}]}
      workspaces: [{name: w}]
    - name: after
      runAfter: [slow]
      taskSpec: {steps: [{image: busybox, script: 'true'}]}
    finally:
    - name: last
      taskSpec: {steps: [{image: busybox, script: 'true'}]}
";
