//! The logs of a pipeline run: those of its task runs, one after the other, or with `--follow` all that
//! run at once.

use std::collections::HashSet;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value;

use super::reader::{PAUSE, Reader};
use super::state::{End, RunState};
use crate::cli::output::{self, clean};
use crate::inspect::runs::Runs;

/// Task runs that are followed at once; the others are shown when one of these has ended.
const AT_ONCE: usize = 32;

/// Which task runs are shown.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Tasks of the pipeline; none for all.
    pub(super) tasks: Vec<String>,
    pub(super) log_failed: bool,
}

/// A task run of the pipeline run.
struct Child {
    name: String,
    task: String,
    state: RunState,
}

/// Shows the logs. Gives the exit code that tells how the pipeline run ended; none if nobody read them
/// to their end.
pub(super) async fn show(
    reader: &Reader<'_>,
    pipeline_runs: &Runs<'_>,
    name: &str,
    chosen: &Chosen,
) -> anyhow::Result<Option<u8>> {
    let mut shown = HashSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        // first how the run ended, then its children: those of a run that has ended are all there
        let state = RunState::of(&pipeline_runs.get(name).await?)?;
        let mut is_waiting = false;
        for child in children(reader, name, chosen).await? {
            if running.len() >= AT_ONCE {
                is_waiting = true;
                break;
            }
            if shown.insert(child.name.clone()) {
                let Child { name, task, .. } = child;
                running.push(async move { reader.task_run(&name, Some(&task)).await });
            }
            if !reader.wanted.follow {
                // one after the other
                while let Some(flow) = running.next().await {
                    if flow?.is_break() {
                        return Ok(None);
                    }
                }
            }
        }
        let has_ended = state.end.is_some() || !reader.wanted.follow;
        if has_ended && running.is_empty() && !is_waiting {
            if shown.is_empty() {
                reader.fail(&nothing(name, chosen));
            }
            return Ok(Some(told(name, state.end)));
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            Some(flow) = running.next() => if flow?.is_break() {
                return Ok(None);
            }
        }
    }
}

/// The chosen task runs of a pipeline run, the first first.
async fn children(reader: &Reader<'_>, name: &str, chosen: &Chosen) -> anyhow::Result<Vec<Child>> {
    let mut children = Vec::new();
    let selector = format!("tekton.dev/pipelineRun={name}");
    let passed_over = reader.runs().each(Some(&selector), |object| {
        let run: Value = serde_json::from_slice(object)?;
        let state = RunState::of(&run)?;
        let name = run["metadata"]["name"].as_str().unwrap_or_default();
        let name = name.to_owned();
        let task = state.task.clone().unwrap_or_else(|| name.clone());
        let is_meant = chosen.tasks.is_empty() || chosen.tasks.contains(&task);
        let has_failed = matches!(state.end, Some(End::Failed(_)));
        if is_meant && (has_failed || !chosen.log_failed) {
            children.push(Child { name, task, state });
        }
        Ok(())
    });
    output::warn(&passed_over.await?);
    children.sort_by(|left, right| {
        let key = |child: &Child| (child.state.started.is_none(), child.state.started);
        key(left)
            .cmp(&key(right))
            .then_with(|| left.name.cmp(&right.name))
    });
    Ok(children)
}

fn nothing(name: &str, chosen: &Chosen) -> String {
    let what = match chosen {
        Chosen { tasks, .. } if !tasks.is_empty() => format!("task {}", tasks.join(", ")),
        Chosen {
            log_failed: true, ..
        } => "failed task".to_owned(),
        Chosen { .. } => "task run".to_owned(),
    };
    format!("PipelineRun {name} has no {what}; `pr describe {name}` lists what it has")
}

/// Says why the run failed; gives the exit code for its outcome.
fn told(name: &str, end: Option<End>) -> u8 {
    match end {
        Some(End::Succeeded) => 0,
        Some(End::Failed(message)) => {
            output::note(&format!("{name} has failed: {}", clean::line(&message)));
            1
        }
        None => 2,
    }
}
