//! What is refused before anything runs, with Tekton's reasons.

use serde_json::Value;

use super::{Sandbox, condition, message};

/// A run of one task with these fields of the run's specification, of the pipeline and of the task.
fn run(run: &str, pipeline: &str, task: &str) -> String {
    format!(
        "kind: PipelineRun
metadata: {{name: r}}
spec:
  {run}
  pipelineSpec:
    {pipeline}
    tasks:
    - name: a
      taskSpec:
        results: [{{name: x}}]
        steps: [{{image: busybox, script: touch $(results.x.path)}}]
    - name: b
      {task}
"
    )
}

const TASK: &str = "taskSpec: {steps: [{image: busybox, script: 'true'}]}";

type Case = (String, &'static str, &'static str);

/// Documents whose parameters or references are wrong.
fn of_values() -> Vec<Case> {
    vec![
        (
            run("", "", "taskRef: {name: gone}"),
            "CouldntGetTask",
            "tasks.tekton.dev \"gone\" not found",
        ),
        (
            "kind: PipelineRun\nmetadata: {name: r}\nspec: {pipelineRef: {name: gone}}".to_owned(),
            "CouldntGetPipeline",
            "pipelines.tekton.dev \"gone\" not found",
        ),
        (
            run("", "params: [{name: p}]", TASK),
            "ParameterMissing",
            "pipelineRun missing parameters: [p]",
        ),
        (
            run(
                "params: [{name: p, value: text}]",
                "params: [{name: p, type: array}]",
                TASK,
            ),
            "ParameterTypeMismatch",
            "parameters have inconsistent types : [p]",
        ),
        (
            run(
                "params: [{name: p, value: {a: b}}]",
                "params: [{name: p, type: object, properties: {a: {}, c: {}}}]",
                TASK,
            ),
            "ObjectParameterMissKeys",
            "[p.c]",
        ),
        (
            run(
                "params: [{name: p, value: [a]}]",
                "params: [{name: p, type: array}]",
                "params: [{name: q, value: '$(params.p[5])'}]\n      taskSpec: {params: [{name: q}], steps: [{image: i, script: 'true'}]}",
            ),
            "ParamArrayIndexingInvalid",
            "non-existent param references:[$(params.p[5])]",
        ),
    ]
}

/// Documents whose tasks are wrong.
fn of_tasks() -> Vec<Case> {
    vec![
        (
            run("", "workspaces: [{name: w}]", TASK),
            "InvalidWorkspaceBindings",
            "workspace with name \"w\"",
        ),
        (
            run("taskRunSpecs: [{pipelineTaskName: c}]", "", TASK),
            "InvalidTaskRunSpecs",
            "defined wrong taskName: \"c\"",
        ),
        (
            run("", "", &format!("runAfter: [b]\n      {TASK}")),
            "PipelineInvalidGraph",
            "cycle detected",
        ),
        (
            run("", "", &format!("runAfter: [c]\n      {TASK}")),
            "PipelineInvalidGraph",
            "c wasn't present",
        ),
        (
            run(
                "",
                "",
                "taskSpec: {params: [{name: p}], steps: [{image: i, script: 'true'}]}",
            ),
            "PipelineValidationFailed",
            "missing values for these params which have no default values: [p]",
        ),
        (
            run(
                "",
                "",
                "params: [{name: p, value: $(tasks.a.results.y)}]\n      taskSpec: {params: [{name: p}], steps: [{image: i, script: 'true'}]}",
            ),
            "InvalidTaskResultReference",
            "\"y\" is not a named result returned by pipeline task \"a\"",
        ),
        (
            run(
                "",
                "results: [{name: r, value: $(tasks.a.results.y)}]",
                TASK,
            ),
            "InvalidPipelineResultReference",
            "\"y\" is not a named result",
        ),
        (
            run("resources: []", "", "taskSpec: {resources: {}, steps: []}"),
            "PipelineValidationFailed",
            "must not set the field(s): spec.resources",
        ),
        (
            run(
                "",
                "",
                "taskSpec: {steps: [{image: i, script: 'rm -rf $(params.dir)/x'}]}",
            ),
            "PipelineValidationFailed",
            "non-existent variable in pipeline task \"b\": $(params.dir)",
        ),
        (
            run("timeouts: {pipeline: 1s, tasks: 2s}", "", TASK),
            "PipelineValidationFailed",
            "longer",
        ),
    ]
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_before_anything_of_it_runs() {
    for (document, reason, text) in of_values().into_iter().chain(of_tasks()) {
        let sandbox = Sandbox::start().await;
        sandbox.create(&document);
        let run = sandbox.ended().await;
        assert_eq!(
            condition(&run),
            ("False", reason),
            "{document}: {}",
            message(&run)
        );
        assert!(
            message(&run).contains(text),
            "{document}: {}",
            message(&run)
        );
        assert_eq!(
            sandbox.cluster.list("taskruns.tekton.dev"),
            Vec::<Value>::new(),
            "{document}"
        );
        sandbox.end().await;
    }
}

#[tokio::test]
async fn a_variable_of_a_named_task_is_refused_as_well() {
    let sandbox = Sandbox::start().await;
    sandbox.create("kind: Task\nmetadata: {name: t}\nspec: {steps: [{image: i, script: 'rm -rf $(params.dir)/x'}]}");
    sandbox.create(&run(
        "params: [{name: dir, value: d}]",
        "",
        "taskRef: {name: t}",
    ));
    let run = sandbox.ended().await;
    assert_eq!(condition(&run).1, "PipelineValidationFailed");
    assert!(
        message(&run).ends_with("$(params.dir)"),
        "{}",
        message(&run)
    );
    sandbox.end().await;
}

#[tokio::test]
async fn parameters_that_would_fill_the_memory_are_refused() {
    let sandbox = Sandbox::start().await;
    let value = "x".repeat(100_000);
    let script = "$(params.p)".repeat(1000);
    let task = format!("taskSpec: {{steps: [{{image: i, script: 'echo {script}'}}]}}");
    sandbox.create(&run(
        &format!("params: [{{name: p, value: {value}}}]"),
        "",
        &task,
    ));
    let run = sandbox.ended().await;
    assert_eq!(condition(&run).1, "PipelineValidationFailed");
    assert!(
        message(&run).contains("with its parameters filled in"),
        "{}",
        message(&run)
    );
    sandbox.end().await;
}
