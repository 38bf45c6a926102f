//! `windlass tr` and `windlass pr` against the built-in cluster, as a person types them.

use std::process::Output;

use serde_json::{Value, json};
use windlass_sandbox::{Cluster, Options};

type Outcome = Result<(), Box<dyn std::error::Error>>;

struct Shell {
    cluster: Cluster,
    folder: tempfile::TempDir,
}

impl Shell {
    async fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let namespaces = vec!["team-a".to_owned()];
        let cluster = Cluster::start(Options {
            namespaces,
            ..Options::default()
        })
        .await?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("kubeconfig"), cluster.kubeconfig())?;
        Ok(Self { cluster, folder })
    }

    async fn windlass(&self, arguments: &[&str]) -> std::io::Result<Output> {
        tokio::process::Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(arguments)
            .env_remove("KUBECONFIG")
            .arg("--kubeconfig")
            .arg(self.folder.path().join("kubeconfig"))
            .output()
            .await
    }

    /// Standard output of a command that has to succeed.
    async fn output(&self, arguments: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
        let output = self.windlass(arguments).await?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Standard error of a command that has to fail with exit code 2.
    async fn refusal(&self, arguments: &[&str]) -> std::io::Result<String> {
        let output = self.windlass(arguments).await?;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn create(&self, object: Value) {
        let created = self.cluster.create(object);
        assert!(created.is_ok(), "{created:?}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_takes_signature_and_payload_out_of_the_last_run() -> Outcome {
    let shell = Shell::start().await?;
    for (name, minute) in [("b-first", 1), ("a-last", 3), ("c-second", 2)] {
        shell.create(run("TaskRun", "default", name, minute));
    }
    shell.create(run("TaskRun", "team-a", "elsewhere", 9));
    let uid = shell
        .output(&["tr", "describe", "--last", "-o", "jsonpath={.metadata.uid}"])
        .await?;
    assert_eq!(uid, "uid-a-last", "no newline at the end");
    let path = |what: &str| {
        format!("jsonpath={{.metadata.annotations.chains\\.tekton\\.dev/{what}-taskrun-{uid}}}")
    };
    let signature = shell
        .output(&["tr", "describe", "--last", "-o", &path("signature")])
        .await?;
    assert_eq!(signature, "c2lnbmF0dXJl");
    let payload = shell
        .output(&["tr", "desc", "-L", "-o", &path("payload")])
        .await?;
    assert_eq!(payload, "eyJjb25kaXRpb25zIjpbXX0=");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_shows_the_steps_and_the_signature() -> Outcome {
    let shell = Shell::start().await?;
    shell.create(run("TaskRun", "team-a", "build", 1));
    let shown = shell
        .output(&["taskrun", "describe", "build", "-n", "team-a"])
        .await?;
    assert!(
        shown.contains(" NAME               STATUS\n ∙ build-and-push   Completed\n"),
        "{shown}"
    );
    assert!(
        shown.contains("signed: format tekton, payload of 17 bytes\n"),
        "{shown}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_run_is_named_with_its_namespace() -> Outcome {
    let shell = Shell::start().await?;
    let said = shell
        .refusal(&["tr", "describe", "nope", "-n", "team-a"])
        .await?;
    for part in ["TaskRun \"nope\"", "namespace \"team-a\"", "-n"] {
        assert!(said.contains(part), "{said}");
    }
    let said = shell.refusal(&["pr", "describe", "--last"]).await?;
    assert!(
        said.contains("no PipelineRuns found in namespace \"default\""),
        "{said}"
    );
    let said = shell.refusal(&["tr", "describe"]).await?;
    assert!(said.contains("or use --last"), "{said}");
    let said = shell.refusal(&["tr", "describe", "../secrets/x"]).await?;
    assert!(said.contains("cannot be the name"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_error_is_found_before_the_cluster_is_asked() -> Outcome {
    let shell = Shell::start().await?;
    let said = shell
        .refusal(&["tr", "describe", "x", "-o", "jsonpath={.a[}"])
        .await?;
    assert!(said.contains("column 4"), "{said}");
    let said = shell
        .refusal(&["tr", "describe", "x", "-o", "go-template={{.a}}"])
        .await?;
    assert!(said.contains("Go templates are not supported"), "{said}");
    assert_eq!(shell.cluster.requests(), []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_many_runs_is_found_in_pages_and_read_once() -> Outcome {
    let shell = Shell::start().await?;
    for index in 0..450 {
        let minute = if index == 123 { 59 } else { index % 50 };
        shell.create(run(
            "TaskRun",
            "default",
            &format!("run-{index:03}"),
            minute,
        ));
    }
    let name = shell
        .output(&["tr", "describe", "--last", "-o", "name"])
        .await?;
    assert_eq!(name, "taskrun.tekton.dev/run-123\n");
    let requests = shell.cluster.requests();
    let pages = requests
        .iter()
        .filter(|request| request.query.contains("limit=200"))
        .count();
    assert_eq!((pages, requests.len()), (3, 4), "{requests:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_sorted_limited_and_selected() -> Outcome {
    let shell = Shell::start().await?;
    for minute in 0..60 {
        shell.create(run(
            "PipelineRun",
            "default",
            &format!("run-{minute:02}"),
            minute,
        ));
    }
    shell.create(run("PipelineRun", "team-a", "other", 30));
    let names = shell
        .output(&[
            "pr",
            "ls",
            "--limit",
            "2",
            "--label",
            "team=even",
            "-o",
            "name",
        ])
        .await?;
    assert_eq!(
        names,
        "pipelinerun.tekton.dev/run-58\npipelinerun.tekton.dev/run-56\n"
    );
    let path = "jsonpath={range .items[*]}{.metadata.name}{\"\\n\"}{end}";
    let names = shell
        .output(&["pr", "list", "--limit", "1", "-o", path])
        .await?;
    assert_eq!(names, "run-59\n");
    let table = shell.output(&["pr", "list", "-A"]).await?;
    assert_eq!(table.lines().count(), 62);
    assert!(table.starts_with("NAMESPACE   NAME     STARTED"), "{table}");
    assert!(table.trim_end().ends_with("yes"), "{table}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_is_no_error() -> Outcome {
    let shell = Shell::start().await?;
    let output = shell.windlass(&["tr", "list"]).await?;
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout)?, "");
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(said, "No TaskRuns found in namespace \"default\"\n");
    let json = shell.output(&["tr", "list", "-o", "json"]).await?;
    assert_eq!(serde_json::from_str::<Value>(&json)?["items"], json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_run_is_shown_with_its_task_runs() -> Outcome {
    let shell = Shell::start().await?;
    let mut pipeline = run("PipelineRun", "default", "release", 1);
    pipeline["status"]["childReferences"] = json!([
        {"name": "release-build", "kind": "TaskRun", "pipelineTaskName": "build"},
    ]);
    shell.create(pipeline);
    let mut task = run("TaskRun", "default", "release-build", 1);
    task["metadata"]["labels"] = json!({"tekton.dev/pipelineRun": "release"});
    shell.create(task);
    let shown = shell.output(&["pr", "describe", "release"]).await?;
    assert!(shown.contains(" ∙ release-build   build "), "{shown}");
    assert!(shown.contains("0s         Succeeded   yes"), "{shown}");
    Ok(())
}
