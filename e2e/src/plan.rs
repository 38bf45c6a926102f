//! Runs as Tekton's controller would make and finish them, in any number.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::api::Api;

/// How long one request is repeated.
const LIMIT: Duration = Duration::from_secs(120);
/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// The two kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A run of one task.
    TaskRun,
    /// A run of a pipeline.
    PipelineRun,
}

/// A run that is to be.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// Which kind it is of.
    pub kind: Kind,
    /// Where it is made.
    pub namespace: String,
    /// What it is called there.
    pub name: String,
    /// The value of its label `load`.
    pub batch: String,
    /// How many steps its task has.
    pub steps: usize,
    /// Repository and digest of the image that it has built.
    pub image: Option<(String, String)>,
    /// The pipeline run that it is a task of.
    pub parent: Option<String>,
    /// The task runs of a pipeline run.
    pub children: Vec<String>,
}

impl RunPlan {
    /// The run of one task with two steps, which builds nothing.
    pub fn task(namespace: &str, name: &str, batch: &str) -> Self {
        Self {
            kind: Kind::TaskRun,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            batch: batch.to_owned(),
            steps: 2,
            image: None,
            parent: None,
            children: Vec::new(),
        }
    }

    /// The collection that it belongs to, on the API server.
    pub fn collection(&self) -> String {
        let plural = self.kind.plural();
        format!("/apis/tekton.dev/v1/namespaces/{}/{plural}", self.namespace)
    }

    /// Where it is on the API server.
    pub fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.name)
    }

    fn steps(&self) -> impl Iterator<Item = String> {
        (0..self.steps).map(|number| format!("step-{number}"))
    }

    fn task_spec(&self) -> Value {
        let step = |name: String| {
            json!({
                "name": name, "image": "registry.example.com/tools/builder:1.4",
                "script": "#!/bin/sh\nset -eu\nmake -C \"$(params.folder)\" build\n",
            })
        };
        json!({
            "params": [{ "name": "folder", "type": "string", "default": "." }],
            "steps": self.steps().map(step).collect::<Vec<_>>(),
        })
    }

    fn object(&self) -> Value {
        let mut labels = json!({ "load": self.batch });
        if let Some(parent) = &self.parent {
            labels["tekton.dev/pipelineRun"] = json!(parent);
            labels["tekton.dev/pipelineTask"] = json!(self.name);
        }
        let spec = match self.kind {
            Kind::TaskRun => json!({
                "params": [{ "name": "folder", "value": self.name }],
                "taskSpec": self.task_spec(),
            }),
            Kind::PipelineRun => json!({ "pipelineSpec": { "tasks": self.tasks() } }),
        };
        json!({
            "apiVersion": "tekton.dev/v1", "kind": self.kind.name(),
            "metadata": { "name": self.name, "labels": labels },
            "spec": spec,
        })
    }

    fn tasks(&self) -> Vec<Value> {
        let tasks = self.children.iter();
        tasks
            .map(|name| json!({ "name": name, "taskRef": { "name": "build" } }))
            .collect()
    }

    fn status(&self) -> Value {
        let mut status = json!({
            "startTime": "2026-11-23T10:00:00Z",
            "completionTime": "2026-11-23T10:03:00Z",
            "conditions": [{
                "type": "Succeeded", "status": "True", "reason": "Succeeded",
                "lastTransitionTime": "2026-11-23T10:03:00Z",
                "message": "All Steps have completed executing",
            }],
        });
        if self.kind == Kind::PipelineRun {
            let children = self.children.iter().map(|name| {
                json!({
                    "apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": name,
                    "pipelineTaskName": name,
                })
            });
            status["childReferences"] = children.collect();
            status["pipelineSpec"] = json!({ "tasks": self.tasks() });
            return status;
        }
        let steps = self.steps().map(|name| {
            json!({
                "name": name, "container": format!("step-{name}"),
                "imageID": format!("registry.example.com/tools/builder@sha256:{}", "a1".repeat(32)),
                "terminated": {
                    "exitCode": 0, "reason": "Completed", "startedAt": "2026-11-23T10:00:01Z",
                    "finishedAt": "2026-11-23T10:02:59Z",
                },
            })
        });
        status["steps"] = steps.collect();
        status["podName"] = json!(format!("{}-pod", self.name));
        status["taskSpec"] = self.task_spec();
        status["results"] = self.results();
        status
    }

    fn results(&self) -> Value {
        let mut results = vec![
            (
                "CHAINS-GIT_URL",
                "https://git.example.com/team/app.git".to_owned(),
            ),
            ("CHAINS-GIT_COMMIT", "b2".repeat(20)),
        ];
        if let Some((repository, digest)) = &self.image {
            results.push(("IMAGE_URL", repository.clone()));
            results.push(("IMAGE_DIGEST", digest.clone()));
        }
        let result = |(name, value)| json!({ "name": name, "type": "string", "value": value });
        results.into_iter().map(result).collect()
    }
}

impl Kind {
    /// What it is called in paths.
    pub fn plural(self) -> &'static str {
        match self {
            Self::TaskRun => "taskruns",
            Self::PipelineRun => "pipelineruns",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::TaskRun => "TaskRun",
            Self::PipelineRun => "PipelineRun",
        }
    }
}

/// Makes a namespace with an account for its runs, unless it is there.
pub async fn make_namespace(api: &Api, name: &str) -> Result<()> {
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name },
    });
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" },
    });
    let accounts = format!("/api/v1/namespaces/{name}/serviceaccounts");
    for (path, object) in [("/api/v1/namespaces", namespace), (&accounts, account)] {
        create(api, path, &object).await?;
    }
    Ok(())
}

/// Makes an object, unless it is there already, as often as that takes.
async fn create(api: &Api, path: &str, object: &Value) -> Result<()> {
    insist(|| async {
        match api.create(path, object).await {
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            other => other.map(drop),
        }
    })
    .await
    .with_context(|| format!("cannot create {} in {path}", object["metadata"]["name"]))
}

/// Makes a run, which has not ended.
pub async fn create_run(api: &Api, plan: &RunPlan) -> Result<()> {
    create(api, &plan.collection(), &plan.object()).await
}

/// Lets a run end that was made.
pub async fn finish(api: &Api, plan: &RunPlan) -> Result<()> {
    let (path, status) = (
        format!("{}/status", plan.path()),
        json!({ "status": plan.status() }),
    );
    insist(|| async { api.merge(&path, &status).await.map(drop) })
        .await
        .with_context(|| format!("cannot finish {path}"))
}

/// Makes runs and lets them end at once, several at a time.
pub async fn run_all(api: &Api, plans: &[RunPlan], at_once: usize) -> Result<()> {
    let runs = futures::stream::iter(plans.iter().map(Ok));
    let run = async |plan| {
        create_run(api, plan).await?;
        finish(api, plan).await
    };
    runs.try_for_each_concurrent(at_once, run).await
}

/// Does something until it succeeds: the API server may be away for a while.
async fn insist<F: Future<Output = Result<(), kube::Error>>>(ask: impl Fn() -> F) -> Result<()> {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(()) => return Ok(()),
            // the request itself is wrong
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 404 | 422) => {
                bail!("{status:?}")
            }
            Err(error) if begun.elapsed() > LIMIT => return Err(error.into()),
            Err(_) => sleep(PAUSE).await,
        }
    }
}
