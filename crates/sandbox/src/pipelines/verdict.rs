//! How a pipeline run stands: the condition `Succeeded`, from the states of its tasks.
//! Rule source: the table of statuses on the "PipelineRuns" page of the Tekton documentation.

use super::facts::{Facts, Request};
use super::progress::Progress;
use super::state::State;

/// A condition of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub status: &'static str,
    pub reason: &'static str,
    pub message: String,
}

/// Texts that the run itself is named by.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub run: String,
    /// As in the specification.
    pub pipeline_timeout: String,
    pub tasks_timeout: String,
}

/// Tasks by what became of them.
#[derive(Debug, Default)]
struct Counts {
    succeeded: usize,
    failed: usize,
    ignored: usize,
    cancelled: usize,
    skipped: usize,
    skipped_for_time: usize,
    incomplete: usize,
    invalid: Vec<String>,
    /// Tasks in `finally` are not done.
    finals_wait: bool,
}

impl Verdict {
    pub(super) fn failed(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: "False",
            reason,
            message: message.into(),
        }
    }

    pub(super) fn cancelled(run: &str) -> Self {
        Self::failed("Cancelled", format!("PipelineRun \"{run}\" was cancelled"))
    }

    pub(super) fn is_final(&self) -> bool {
        self.status != "Unknown"
    }

    pub(super) fn of(facts: &Facts<'_>, progress: &Progress, names: &Names) -> Self {
        let run = &names.run;
        if facts.overdue.pipeline {
            let limit = &names.pipeline_timeout;
            let message = format!("PipelineRun \"{run}\" failed to finish within \"{limit}\"");
            return Self::failed("PipelineRunTimeout", message);
        }
        let finals_are_done =
            progress.tasks_are_done(facts.tasks) && progress.final_tasks_are_done(facts.tasks);
        let has_finals = facts.tasks.iter().any(|task| task.is_final);
        if facts.overdue.tasks && (!has_finals || finals_are_done) {
            let limit = &names.tasks_timeout;
            let message = format!(
                "PipelineRun \"{run}\" failed due to tasks failed to finish within \"{limit}\""
            );
            return Self::failed("PipelineRunTimeout", message);
        }
        let mut counts = Counts::of(&progress.states);
        if counts.incomplete == 0 {
            return counts.end(facts, run);
        }
        counts.finals_wait = has_finals && !progress.final_tasks_are_done(facts.tasks);
        counts.interim(facts)
    }
}

impl Counts {
    fn of(states: &[State]) -> Self {
        let mut counts = Self::default();
        for state in states {
            match state {
                State::Succeeded => counts.succeeded += 1,
                State::Failed => counts.failed += 1,
                State::IgnoredFailure => counts.ignored += 1,
                State::Cancelled => counts.cancelled += 1,
                State::Skipped(skip) => {
                    counts.skipped += 1;
                    counts.skipped_for_time += usize::from(skip.is_timeout());
                }
                State::Invalid(message) => counts.invalid.push(message.clone()),
                State::Waiting | State::Ready(_) | State::Running => counts.incomplete += 1,
            }
        }
        counts
    }

    fn completed(&self) -> usize {
        self.succeeded + self.failed + self.ignored + self.cancelled
    }

    /// All tasks are done.
    fn end(&self, facts: &Facts<'_>, run: &str) -> Verdict {
        let failed = self.failed + self.ignored;
        let ignored = match self.ignored {
            0 => String::new(),
            count => format!(" (Ignored: {count})"),
        };
        let message = format!(
            "Tasks Completed: {} (Failed: {failed}{ignored}, Cancelled {}), Skipped: {}",
            self.completed(),
            self.cancelled,
            self.skipped
        );
        if !self.invalid.is_empty() {
            let errors = self.invalid.join("; ");
            let count = self.invalid.len();
            let message = format!("{message}, Failed Validation: {count} ({errors})");
            return Verdict::failed("PipelineValidationFailed", message);
        }
        if self.failed > 0 || self.skipped_for_time > 0 {
            return Verdict::failed("Failed", message);
        }
        if facts.request.is_some() {
            return Verdict::cancelled(run);
        }
        if self.cancelled > 0 {
            return Verdict::failed("Cancelled", message);
        }
        let reason = if self.skipped > 0 {
            "Completed"
        } else {
            "Succeeded"
        };
        Verdict {
            status: "True",
            reason,
            message,
        }
    }

    /// Some tasks are not done.
    fn interim(&self, facts: &Facts<'_>) -> Verdict {
        let reason = match facts.request {
            _ if facts.overdue.tasks && self.finals_wait => "PipelineRunTimeoutRunningFinally",
            Some(Request::CancelRunFinally) => "CancelledRunningFinally",
            Some(Request::StopRunFinally) => "StoppedRunningFinally",
            None if self.cancelled > 0 || self.failed > 0 && !self.finals_wait => {
                "PipelineRunStopping"
            }
            None => "Running",
        };
        let message = format!(
            "Tasks Completed: {} (Failed: {}, Cancelled {}), Incomplete: {}, Skipped: {}",
            self.completed(),
            self.failed,
            self.cancelled,
            self.incomplete,
            self.skipped
        );
        Verdict {
            status: "Unknown",
            reason,
            message,
        }
    }
}
