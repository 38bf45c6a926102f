//! One run from its first status to its last.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::context::{Context, prepare};
use super::exec::Process;
use super::plan::{Plan, duration, step_name};
use super::process::process;
use super::record::{Outcome, Record};
use super::results;
use super::shared::Shared;
use super::stop::{self, NEVER, Stop, cancelled};
use crate::cluster::store::Key;

/// A run and what is recorded of it.
struct ActiveRun<'a> {
    context: Context<'a>,
    record: Record,
}

/// Runs one task run. The cluster's own end leaves it unfinished.
pub(super) async fn run(shared: Arc<Shared>, key: Key) {
    let Some(run) = shared.state.store().get(&key) else {
        return;
    };
    let mut record = Record::begin(Arc::clone(&shared.state), key.clone());
    if let Some(outcome) = cancelled(&run) {
        return record.finish(&outcome);
    }
    let scratch = match tempfile::Builder::new().prefix("windlass-run-").tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            let message = format!("no scratch folder: {error}");
            return record.finish(&Outcome::failed("PodCreationFailed", message));
        }
    };
    let plan = Plan::make(&shared.state, &run).and_then(|mut plan| {
        prepare(&shared, &run, &mut plan, scratch.path())?;
        Ok(plan)
    });
    let plan = match plan {
        Ok(plan) => plan,
        Err(outcome) => return record.finish(&outcome),
    };
    let deadline = Instant::now() + plan.timeout.unwrap_or(NEVER).min(NEVER);
    record.status["taskSpec"] = plan.spec.clone();
    let context = Context {
        shared: &shared,
        key,
        run,
        plan,
        scratch: scratch.path(),
        deadline,
    };
    Box::pin(ActiveRun { context, record }.steps()).await;
}

impl ActiveRun<'_> {
    async fn steps(mut self) {
        let steps = self.context.plan.steps().to_vec();
        let names: Vec<String> = steps
            .iter()
            .enumerate()
            .map(|(at, step)| step_name(step, at))
            .collect();
        self.record.announce_steps(&names);
        let mut failure = None;
        for (at, (name, step)) in names.iter().zip(&steps).enumerate() {
            if failure.is_some() {
                self.record.end_step(at, 1, "Error", "Skipped");
                continue;
            }
            match Box::pin(self.step(at, name, step)).await {
                Ok(None) => {}
                Ok(Some(outcome)) => failure = Some(outcome),
                Err(Stop::Shutdown) => return,
                Err(stop) => failure = Some(stop.outcome()),
            }
        }
        let results = results::of_run(&self.context);
        let results = results.map(|results| self.record.set_results(results));
        let outcome = failure.or(results.err());
        self.record
            .finish(&outcome.unwrap_or_else(Outcome::succeeded));
    }

    /// Runs one step; gives the run's failure if the step decides it.
    async fn step(&mut self, at: usize, name: &str, step: &Value) -> Result<Option<Outcome>, Stop> {
        self.record.start_step(at, name);
        let process =
            limit(step).and_then(|limit| Ok((process(&self.context, name, step)?, limit)));
        let (process, limit) = match process {
            Ok(process) => process,
            Err(outcome) => {
                self.record.end_step(at, 1, "Error", "Error");
                return Ok(Some(outcome));
            }
        };
        match self.exit_code(process, name, limit).await {
            Ok(code) => Ok(self.exited(at, name, step, code)),
            Err(Stop::StepTimeout) => {
                self.record.end_step(at, 1, "Error", "TimeoutExceeded");
                let message = format!(
                    "\"step-{name}\" exited because the step exceeded the specified timeout limit"
                );
                Ok(Some(Outcome::failed("Failed", message)))
            }
            Err(why) => {
                let reason = why.reason();
                self.record.end_step(at, 1, reason, reason);
                Err(why)
            }
        }
    }

    /// The exit code of a process, unless it has to stop before its end.
    async fn exit_code(
        &self,
        process: Process,
        step: &str,
        limit: Option<Duration>,
    ) -> Result<i32, Stop> {
        let key = &self.context.key;
        let run = format!("{}/{}", key.namespace, key.name);
        let line = |text: &str| (self.context.shared.output)(&run, step, text);
        let mut why = Stop::Shutdown;
        let until = async { why = stop::wait(&self.context, limit).await };
        let ended = Box::pin(process.run(&line, until)).await;
        match ended {
            Ok(Some(status)) => {
                let signal = status.signal().map(|signal| 128 + signal);
                Ok(status.code().or(signal).unwrap_or(1))
            }
            Ok(None) => Err(why),
            Err(error) => {
                line(&format!("could not start the step: {error}"));
                Ok(127)
            }
        }
    }

    fn exited(&mut self, at: usize, name: &str, step: &Value, code: i32) -> Option<Outcome> {
        if code == 0 {
            self.record.end_step(at, 0, "Completed", "Completed");
            return None;
        }
        if step["onError"] == "continue" {
            self.record.end_step(at, code, "Completed", "Continued");
            return None;
        }
        self.record.end_step(at, code, "Error", "Error");
        let message = format!("\"step-{name}\" exited with code {code}");
        Some(Outcome::failed("Failed", message))
    }
}

fn limit(step: &Value) -> Result<Option<Duration>, Outcome> {
    let limit = step["timeout"].as_str().map(duration).transpose()?;
    Ok(limit.filter(|limit| !limit.is_zero()))
}
