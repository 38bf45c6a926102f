//! The task runs of a pipeline run, read from the cluster.
//!
//! One list by Tekton's label gives most of them; the others are read by name. A deleted child
//! never comes back, and the pipeline run is attested without it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use kube::Client;
use windlass_core::run::{PipelineRun, RunError, TaskRun};

use super::call::{Call, CallError};
use super::list::{ListError, Pages, Source};
use super::runs::{Head, RunId, RunKind, collection};

/// Label of a child that names its pipeline run.
const PIPELINE_RUN_LABEL: &str = "tekton.dev/pipelineRun";
/// Longest value of a label.
const LABEL_LIMIT: usize = 63;
/// Children asked for by name at once.
const AT_ONCE: usize = 8;

/// Reads the task runs that a pipeline run refers to, in no particular order. Those that no longer
/// exist, or that belong to another pipeline run of the same name, are left out.
pub(crate) async fn read(
    client: &Client,
    id: &RunId,
    run: &PipelineRun<'_>,
) -> Result<Vec<Bytes>, ListError> {
    let mut wanted = names(run);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut children: Vec<Bytes> = Vec::new();
    if id.name.len() <= LABEL_LIMIT {
        let source = Source {
            what: format!("task runs of {id}"),
            path: collection(RunKind::Task, Some(&id.namespace)),
            name: None,
            labels: Some(format!("{PIPELINE_RUN_LABEL}={}", id.name)),
        };
        let mut pages = Pages::new(client, &source);
        while let Some(page) = pages.next().await? {
            let objects = page.objects.iter();
            children.extend(objects.filter_map(|object| {
                let child = RunId::of(RunKind::Task, object)?;
                let is_wanted = wanted.remove(&child.name);
                is_wanted.then(|| Bytes::copy_from_slice(object))
            }));
        }
    }
    let missing = stream::iter(wanted).map(|name| get(client, id, name));
    let missing: Vec<Option<Bytes>> = missing.buffered(AT_ONCE).try_collect().await?;
    children.extend(missing.into_iter().flatten());
    children.retain(|child| !belongs_elsewhere(child, &id.uid));
    Ok(children)
}

/// Names of the children that are task runs.
fn names(run: &PipelineRun<'_>) -> BTreeSet<String> {
    let references = run.status.child_references.iter();
    references
        .filter(|reference| matches!(&*reference.kind, "TaskRun" | ""))
        .map(|reference| reference.name.to_string())
        .filter(|name| !name.is_empty())
        .collect()
}

async fn get(client: &Client, parent: &RunId, name: String) -> Result<Option<Bytes>, CallError> {
    let id = RunId {
        kind: RunKind::Task,
        namespace: parent.namespace.clone(),
        name,
        uid: String::new(),
    };
    let call = Call::get(format!("read {id}"), id.path());
    match call.send(client).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether another pipeline run controls this task run: one of the same name, made anew.
fn belongs_elsewhere(child: &[u8], uid: &str) -> bool {
    let head = serde_json::from_slice::<Head<'_>>(child);
    head.is_ok_and(|head| {
        let owner = head.metadata.controlling_pipeline_run();
        owner.is_some_and(|owner| &*owner.uid != uid)
    })
}

/// The children that can be read, and what is wrong with each of the others, by name.
pub(crate) fn parse(children: &[Bytes]) -> (Vec<TaskRun<'_>>, BTreeMap<String, RunError>) {
    let (mut runs, mut unreadable) = (Vec::new(), BTreeMap::new());
    for child in children {
        match TaskRun::parse(child) {
            Ok(run) => runs.push(run),
            Err(error) => {
                let id = RunId::of(RunKind::Task, child);
                unreadable.insert(id.map_or_else(String::new, |id| id.name), error);
            }
        }
    }
    (runs, unreadable)
}
