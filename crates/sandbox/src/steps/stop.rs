//! Why a step ends before its time, and the wait for it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::context::Context;
use super::duration::{self, HOUR};
use super::record::Outcome;
use crate::cluster::object;

/// A time that does not come.
pub(super) const NEVER: Duration = Duration::from_hours(8760);

/// Why a step ends before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    Cancelled(String),
    RunTimeout(String),
    StepTimeout,
    Shutdown,
}

impl Stop {
    /// The reason in the status of the step.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Cancelled(_) => "TaskRunCancelled",
            _ => "TaskRunTimeout",
        }
    }

    /// How the run ends.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Cancelled(message) => Outcome::failed("TaskRunCancelled", message),
            Self::RunTimeout(message) => Outcome::failed("TaskRunTimeout", message),
            Self::StepTimeout | Self::Shutdown => {
                Outcome::failed("Failed", "a step exceeded its time")
            }
        }
    }
}

/// How a run ends that is cancelled or deleted.
pub(super) fn cancelled(run: &Value) -> Option<Outcome> {
    let cancelled = run["spec"]["status"] == "TaskRunCancelled" || object::is_deleting(run);
    cancelled.then(|| {
        let message = format!(
            "TaskRun \"{}\" was cancelled. {}",
            object::name(run),
            run["spec"]["statusMessage"].as_str().unwrap_or_default()
        );
        Outcome::failed("TaskRunCancelled", message)
    })
}

/// Waits until a step that has this much time must stop.
pub(super) async fn wait(context: &Context<'_>, limit: Option<Duration>) -> Stop {
    let limit = Instant::now() + limit.unwrap_or(NEVER).min(NEVER);
    tokio::select! {
        () = context.shared.stop.cancelled() => Stop::Shutdown,
        () = sleep_until(limit) => Stop::StepTimeout,
        () = sleep_until(context.deadline) => {
            let limit = duration::show(context.plan.timeout.unwrap_or(HOUR));
            let name = &context.key.name;
            Stop::RunTimeout(format!("TaskRun \"{name}\" failed to finish within \"{limit}\""))
        }
        message = cancellation(context) => Stop::Cancelled(message),
    }
}

async fn cancellation(context: &Context<'_>) -> String {
    let state = &context.shared.state;
    let mut newest = state.store().subscribe();
    loop {
        newest.mark_unchanged();
        let run = state.store().get(&context.key);
        match run.as_deref().map(cancelled) {
            None => return "the run was deleted".to_owned(),
            Some(Some(outcome)) => return outcome.message,
            Some(None) => {}
        }
        if newest.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
