//! Runs as `kubectl get` exports them.

use crate::shell::Shell;

/// Hex digits of an image's digest.
pub const HEX: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// A finished task run that built an image.
pub fn task() -> String {
    format!(
        "apiVersion: tekton.dev/v1
kind: TaskRun
metadata:
  name: build
  namespace: team-a
  uid: u-build
  labels: {{tekton.dev/pipelineTask: build, tekton.dev/pipelineRun: release}}
  ownerReferences:
  - {{apiVersion: tekton.dev/v1, kind: PipelineRun, name: release, uid: u-release, controller: true}}
status:
  conditions: [{{type: Succeeded, status: 'True'}}]
  startTime: '2026-01-01T00:00:00Z'
  taskSpec: {{}}
  completionTime: '2026-01-01T00:01:00Z'
  results:
  - {{name: app-IMAGE_URL, type: string, value: 'r.io/app:1'}}
  - {{name: app-IMAGE_DIGEST, type: string, value: 'sha256:{HEX}'}}
"
    )
}

/// The pipeline run whose only task run it is.
pub fn pipeline() -> String {
    "apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: release, namespace: team-a, uid: u-release}
status:
  conditions: [{type: Succeeded, status: 'True'}]
  pipelineSpec: {tasks: [{name: build}]}
  childReferences: [{kind: TaskRun, name: build, pipelineTaskName: build}]
"
    .to_owned()
}

/// A `List` of these.
pub fn list(items: &[String]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| format!("- {}", item.trim_end().replace('\n', "\n  ")))
        .collect();
    format!("apiVersion: v1\nkind: List\nitems:\n{}\n", items.join("\n"))
}

/// A folder with these runs, and cosign's key and password of the fixtures.
pub fn folder() -> Shell {
    let shell = Shell::new().password(Some("sesame"));
    shell.write("task.yaml", task());
    shell.write("pipeline.yaml", pipeline());
    shell.write("list.yaml", list(&[task(), pipeline()]));
    let deep = "kind: ConfigMap\ndata:\n  artifacts.pipelinerun.enable-deep-inspection: 'true'\n";
    shell.write("deep.yaml", deep);
    shell.fixture("keys/cosign3-p256/cosign.key", "cosign.key");
    shell.fixture("keys/cosign3-p256/cosign.pub", "cosign.pub");
    shell
}
