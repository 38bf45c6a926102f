//! What logs need to know of a run.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::inspect::summary::Summary;

/// A run: where its pods are, and how it ended.
#[derive(Debug, Default)]
pub(super) struct RunState {
    /// Pods of earlier attempts, then that of the last.
    pub(super) pods: Vec<String>,
    /// How it ended.
    pub(super) end: Option<End>,
    /// When it began.
    pub(super) started: Option<Timestamp>,
    /// The task of its pipeline.
    pub(super) task: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    /// It failed, with this message.
    Failed(String),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    metadata: Labelled,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labelled {
    labels: Option<Labels>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labels {
    #[serde(rename = "tekton.dev/pipelineTask")]
    task: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    pod_name: Option<String>,
    retries_status: Option<Vec<Attempt>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Attempt {
    pod_name: Option<String>,
}

impl RunState {
    /// The state of a run as it was read.
    pub(super) fn of(run: &Value) -> Result<Self, serde_json::Error> {
        let summary = Summary::deserialize(run)?;
        let Object { metadata, status } = Object::deserialize(run)?;
        let status = status.unwrap_or_default();
        let earlier = status.retries_status.unwrap_or_default();
        let pods = earlier.into_iter().map(|attempt| attempt.pod_name);
        let condition = summary.status.condition();
        Ok(Self {
            pods: pods
                .chain([status.pod_name])
                .flatten()
                .filter(|name| !name.is_empty())
                .collect(),
            end: condition.and_then(|condition| match condition.status.as_str() {
                "True" => Some(End::Succeeded),
                "False" => Some(End::Failed(condition.message.clone())),
                _ => None,
            }),
            started: summary.status.start_time,
            task: metadata.labels.and_then(|labels| labels.task),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_pods_of_all_attempts_are_known_in_order() {
        let run = json!({
            "metadata": { "name": "a", "labels": { "tekton.dev/pipelineTask": "build" } },
            "status": {
                "podName": "third", "startTime": null,
                "retriesStatus": [{ "podName": "first" }, { "podName": "" }, { "podName": "second" }],
                "conditions": [{ "type": "Succeeded", "status": "False", "message": "no" }],
            },
        });
        let state = RunState::of(&run).unwrap();
        assert_eq!(state.pods, ["first", "second", "third"]);
        assert_eq!(state.end, Some(End::Failed("no".to_owned())));
        assert_eq!(state.task.as_deref(), Some("build"));
        let waiting = json!({ "metadata": { "name": "a", "labels": null }, "status": null });
        let state = RunState::of(&waiting).unwrap();
        assert!(state.pods.is_empty() && state.end.is_none());
    }
}
