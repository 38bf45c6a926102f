//! The task runs of a pipeline run, read from the cluster.
//!
//! A child is a task run that the pipeline run refers to, and that names it as its controller, with
//! its uid. The name alone is no proof: whoever may create a task run in the namespace chooses it, and
//! the label too. What is refused here counts as missing, with the reason.
//!
//! One list by Tekton's label gives most children. Task runs that only bear the label are dropped as
//! they come, and the list ends with the last child. The others are read by name. A deleted child
//! never comes back, and the pipeline run is attested without it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use kube::Client;
use windlass_core::run::{PipelineRun, TaskRun};

use super::call::{Call, CallError};
use super::list::{List, ListError, Listed, Source};
use super::path::check_name;
use super::peek::Identity;
use super::runs::{Head, RunId, RunKind, collection};

/// Label of a child that names its pipeline run.
const PIPELINE_RUN_LABEL: &str = "tekton.dev/pipelineRun";
/// Longest value of a label.
const LABEL_LIMIT: usize = 63;
/// Children asked for by name at once.
const AT_ONCE: usize = 8;
/// Most bytes of all children of a run together.
pub(crate) const LIMIT: usize = 32 << 20;

/// Why the children of a run could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildrenError {
    /// The API server refused or did not respond.
    #[error(transparent)]
    List(#[from] ListError),
    /// They are larger than what is read.
    #[error("the task runs of the pipeline run are larger than {LIMIT} bytes together")]
    TooLarge,
}

/// The task runs that a pipeline run refers to.
#[derive(Debug, Default)]
pub(crate) struct Children {
    /// Those that it controls, in no particular order; none if they are larger than what is kept.
    objects: Vec<Bytes>,
    /// Bytes of all of them, and how many are kept.
    bytes: usize,
    keep: usize,
    /// Why others are left out, by name, as "is …". Those that do not exist are not among them.
    pub(crate) refused: BTreeMap<String, String>,
}

/// Reads the task runs that a pipeline run refers to, and keeps them if they have at most `keep` bytes
/// together. Others are measured.
pub(crate) async fn read(
    client: &Client,
    id: &RunId,
    run: &PipelineRun<'_>,
    keep: usize,
) -> Result<Children, ChildrenError> {
    let mut children = Children {
        keep,
        ..Children::default()
    };
    let mut wanted = names(run);
    wanted.retain(|name| match check_name(name) {
        Ok(()) => true,
        Err(error) => {
            let why = format!("is not used: {error}");
            children.refused.insert(name.clone(), why);
            false
        }
    });
    if !wanted.is_empty() && id.name.len() <= LABEL_LIMIT {
        labelled(client, id, &mut wanted, &mut children).await?;
    }
    let missing = stream::iter(wanted).map(|name| get(client, id, name));
    let mut missing = missing.buffered(AT_ONCE);
    while let Some(child) = missing.try_next().await.map_err(ListError::Call)? {
        if let Some((name, object)) = child {
            children.add(name, object, &id.uid)?;
        }
    }
    Ok(children)
}

/// Reads those that bear the label, until nothing is wanted any more.
async fn labelled(
    client: &Client,
    id: &RunId,
    wanted: &mut BTreeSet<String>,
    children: &mut Children,
) -> Result<(), ChildrenError> {
    let source = Source {
        what: format!("task runs of {id}"),
        path: collection(RunKind::Task, Some(&id.namespace)),
        name: None,
        labels: Some(format!("{PIPELINE_RUN_LABEL}={}", id.name)),
    };
    let mut list = List::new(client, &source);
    while !wanted.is_empty() {
        match list.next().await? {
            None => break,
            Some(Listed::Object(object)) => {
                let name = Identity::peek(&object).name;
                if wanted.remove(&name) {
                    children.add(name, object, &id.uid)?;
                }
            }
            Some(Listed::TooLarge(object)) => {
                if wanted.remove(&object.name) {
                    let why = format!("is not used: {object}");
                    children.refused.insert(object.name, why);
                }
            }
        }
    }
    Ok(())
}

/// Names of the children that are task runs.
fn names(run: &PipelineRun<'_>) -> BTreeSet<String> {
    let references = run.status.child_references.iter();
    references
        .filter(|reference| reference.is_task_run())
        .map(|reference| reference.name.to_string())
        .filter(|name| !name.is_empty())
        .collect()
}

async fn get(
    client: &Client,
    parent: &RunId,
    name: String,
) -> Result<Option<(String, Bytes)>, CallError> {
    let id = RunId {
        kind: RunKind::Task,
        namespace: parent.namespace.clone(),
        name,
        uid: String::new(),
    };
    let call = Call::get(format!("read {id}"), id.path());
    match call.send(client).await {
        Ok(object) => Ok(Some((id.name, object))),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Children {
    /// Takes a task run in if the pipeline run of this uid controls it.
    fn add(&mut self, name: String, object: Bytes, uid: &str) -> Result<(), ChildrenError> {
        if let Some(why) = refusal(&object, uid) {
            self.refused.insert(name, format!("is not used: {why}"));
            return Ok(());
        }
        self.bytes += object.len();
        if self.bytes > LIMIT {
            return Err(ChildrenError::TooLarge);
        }
        if self.bytes <= self.keep {
            self.objects.push(object);
        } else {
            self.objects = Vec::new();
        }
        Ok(())
    }

    /// How many bytes they have if that is more than what was to be kept.
    pub(crate) fn excess(&self) -> Option<usize> {
        (self.bytes > self.keep).then_some(self.bytes)
    }

    /// The children as the API server sent them.
    pub(crate) fn objects(&self) -> &[Bytes] {
        &self.objects
    }

    /// The children that can be read. The others join those that are left out.
    pub(crate) fn parse<'c>(
        objects: &'c [Bytes],
        refused: &mut BTreeMap<String, String>,
    ) -> Vec<TaskRun<'c>> {
        let mut runs = Vec::new();
        for object in objects {
            match TaskRun::parse(object) {
                Ok(run) => runs.push(run),
                Err(error) => {
                    let name = Identity::peek(object).name;
                    refused.insert(name, format!("is unreadable: {error}"));
                }
            }
        }
        runs
    }
}

/// Why a task run of the right name is no child of the pipeline run of this uid.
fn refusal(object: &[u8], uid: &str) -> Option<&'static str> {
    let Ok(head) = serde_json::from_slice::<Head<'_>>(object) else {
        return Some("its metadata cannot be read");
    };
    match head.metadata.controlling_pipeline_run() {
        Some(owner) if *owner.uid == *uid && !uid.is_empty() => None,
        Some(_) => Some("another pipeline run controls it"),
        None if head
            .metadata
            .owner_references
            .iter()
            .any(|owner| owner.controller) =>
        {
            Some("something else controls it")
        }
        None => Some("no pipeline run controls it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(owner: &str) -> String {
        format!(r#"{{"metadata":{{"name":"c","ownerReferences":[{owner}]}}}}"#)
    }

    #[test]
    fn only_what_the_pipeline_run_controls_by_its_uid_is_its_child() {
        let owner = |version: &str, kind: &str, uid: &str, controls: &str| {
            child(&format!(
                r#"{{"apiVersion":"{version}","kind":"{kind}","name":"p","uid":"{uid}"{controls}}}"#
            ))
        };
        let controls = r#","controller":true"#;
        for version in ["tekton.dev/v1", "tekton.dev/v1beta1"] {
            let object = owner(version, "PipelineRun", "u", controls);
            assert_eq!(refusal(object.as_bytes(), "u"), None, "{version}");
        }
        let refused = [
            (child(""), "no pipeline run"),
            (
                owner("tekton.dev/v1", "PipelineRun", "other", controls),
                "another",
            ),
            (
                owner("tekton.dev/v1", "PipelineRun", "", controls),
                "another",
            ),
            (
                owner("tekton.dev/v1", "PipelineRun", "u", ""),
                "no pipeline run",
            ),
            (
                owner(
                    "tekton.dev/v1",
                    "PipelineRun",
                    "u",
                    r#","controller":false"#,
                ),
                "no pipeline",
            ),
            (
                owner("tekton.dev/v1", "CustomRun", "u", controls),
                "something else",
            ),
            (
                owner("example.com/v1", "PipelineRun", "u", controls),
                "something else",
            ),
            (
                owner("tekton.dev.evil/v1", "PipelineRun", "u", controls),
                "something else",
            ),
            (r#"{"metadata":7}"#.to_owned(), "cannot be read"),
        ];
        for (object, why) in refused {
            let found = refusal(object.as_bytes(), "u").unwrap();
            assert!(found.contains(why), "{object}: {found}");
        }
        let unnamed = owner("tekton.dev/v1", "PipelineRun", "", controls);
        assert!(refusal(unnamed.as_bytes(), "").is_some());
    }
}
