//! Which of the runs in a namespace are deleted.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use kube::Client;
use serde::Deserialize;
use windlass_core::run::Kind;

use crate::cli::output::{self, clean};
use crate::cluster::runs::RunId;
use crate::inspect::runs::{Runs, RunsError};
use crate::inspect::summary::{Status, Summary};

/// Flags that select.
#[derive(Debug)]
pub(super) struct Selection {
    /// A label selector.
    pub(super) labels: Option<String>,
    /// How many of the newest are kept.
    pub(super) keep: usize,
    /// Minutes for which runs that have ended are kept; 0 for no time.
    pub(super) keep_minutes: u32,
    pub(super) spares_running: bool,
    pub(super) spares_children: bool,
}

/// A run that may be deleted.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) id: RunId,
    status: Status,
    /// The name of the pipeline run that controls it.
    parent: Option<String>,
    /// Whether that one has not ended.
    pub(super) parent_runs: bool,
}

#[derive(Deserialize)]
struct Owned {
    metadata: Owners,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owners {
    #[serde(default)]
    owner_references: Option<Vec<Owner>>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    name: String,
}

/// The names of runs, for people.
pub(super) fn names<'s>(runs: impl IntoIterator<Item = &'s Selected>) -> String {
    let quoted = runs.into_iter().map(|run| {
        let RunId { name, .. } = &run.id;
        format!("{:?}", clean::line(name))
    });
    quoted.collect::<Vec<_>>().join(", ")
}

impl Selected {
    /// The run in an object that the API server sent.
    pub(super) fn read(kind: Kind, object: &[u8]) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        let id = RunId::of(kind, object);
        let id = id.ok_or_else(|| serde_json::Error::custom("it is not a run"))?;
        let Summary { status, .. } = serde_json::from_slice(object)?;
        let Owned { metadata } = serde_json::from_slice(object)?;
        let owners = metadata.owner_references.unwrap_or_default();
        let parent = owners.into_iter().find(|owner| owner.kind == "PipelineRun");
        Ok(Self {
            id,
            status,
            parent: parent.map(|owner| owner.name),
            parent_runs: false,
        })
    }

    fn is_running(&self) -> bool {
        self.status.completion_time.is_none()
    }
}

impl Selection {
    /// The runs that are selected.
    pub(super) async fn of(
        &self,
        client: &Client,
        runs: &Runs<'_>,
        kind: Kind,
        namespace: &str,
    ) -> anyhow::Result<Vec<Selected>> {
        let mut all = Vec::new();
        let passed_over = runs.each(self.labels.as_deref(), |object| {
            all.push(Selected::read(kind, object)?);
            Ok(())
        });
        output::warn(&passed_over.await?);
        if self.spares_children {
            mark_children(client, namespace, &mut all).await?;
        }
        Ok(self.choose(all, Timestamp::now()))
    }

    /// Those to delete among all that there are.
    fn choose(&self, mut all: Vec<Selected>, now: Timestamp) -> Vec<Selected> {
        all.retain(|run| {
            let has_to_stay = self.spares_running && run.is_running();
            let would_return = self.spares_children && run.parent_runs;
            !(has_to_stay || would_return)
        });
        // the newest first, which are those that are kept; what has not started is newer than all
        all.sort_by(|left, right| {
            let key = |run: &Selected| (run.status.start_time.is_some(), run.status.start_time);
            let (left_key, right_key) = (key(left), key(right));
            left_key
                .0
                .cmp(&right_key.0)
                .then_with(|| right_key.1.cmp(&left_key.1))
        });
        let since = SignedDuration::from_mins(i64::from(self.keep_minutes));
        let is_recent = |run: &Selected| {
            let end = run.status.completion_time;
            self.keep_minutes > 0 && end.is_none_or(|end| now.duration_since(end) < since)
        };
        let rest = all.into_iter().skip(self.keep);
        rest.filter(|run| !is_recent(run)).collect()
    }
}

/// Finds out whose pipeline run has not ended.
pub(super) async fn mark_children(
    client: &Client,
    namespace: &str,
    selected: &mut [Selected],
) -> Result<(), RunsError> {
    let runs = Runs::new(client, Kind::Pipeline, Some(namespace))?;
    let mut known: HashMap<String, bool> = HashMap::new();
    for run in selected {
        let Some(parent) = &run.parent else { continue };
        if let Some(known) = known.get(parent) {
            run.parent_runs = *known;
            continue;
        }
        let is_running = match runs.get(parent).await {
            Ok(object) => Summary::deserialize(&object)
                .is_ok_and(|parent| parent.status.completion_time.is_none()),
            // a pipeline run that is gone, or was never called that, starts nothing again
            Err(RunsError::Missing { .. } | RunsError::Name { .. }) => false,
            Err(error) => return Err(error),
        };
        known.insert(parent.clone(), is_running);
        run.parent_runs = is_running;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(name: &str, start: Option<u32>, end: Option<u32>) -> Selected {
        let time =
            |minute: Option<u32>| minute.map(|minute| format!("2026-01-01T00:{minute:02}:00Z"));
        let run = json!({
            "metadata": { "name": name, "namespace": "a", "uid": name },
            "status": { "startTime": time(start), "completionTime": time(end) },
        });
        Selected::read(Kind::Task, run.to_string().as_bytes()).unwrap()
    }

    fn chosen(selection: &Selection) -> String {
        let all = vec![
            run("old", Some(1), Some(2)),
            run("running", Some(8), None),
            run("new", Some(9), Some(10)),
            run("middle", Some(5), Some(6)),
            run("waiting", None, None),
        ];
        let now = "2026-01-01T00:12:00Z".parse().unwrap();
        let chosen = selection.choose(all, now);
        let names: Vec<_> = chosen.iter().map(|run| run.id.name.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn the_newest_runs_and_those_that_have_not_ended_are_kept() {
        let selection = |keep, keep_minutes, spares_running| Selection {
            labels: None,
            keep,
            keep_minutes,
            spares_running,
            spares_children: true,
        };
        assert_eq!(chosen(&selection(0, 0, true)), "new middle old");
        assert_eq!(chosen(&selection(2, 0, true)), "old");
        assert_eq!(chosen(&selection(9, 0, true)), "");
        assert_eq!(chosen(&selection(0, 5, true)), "middle old");
        assert_eq!(chosen(&selection(0, 10, true)), "old");
        assert_eq!(chosen(&selection(2, 5, true)), "old");
        assert_eq!(
            chosen(&selection(0, 0, false)),
            "waiting new running middle old"
        );
        assert_eq!(chosen(&selection(0, 1, false)), "new middle old");
    }
}
