//! One attempt at a run: its steps, one after the other.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::context::{Context, prepare};
use super::duration;
use super::exec::Process;
use super::name::step_name;
use super::plan::Plan;
use super::pod::{self, PodStep};
use super::process::process;
use super::record::{Outcome, Record, invalid};
use super::shared::Shared;
use super::stop::{self, NEVER, Stop};
use super::{image, results};
use crate::cluster::store::Key;

/// An attempt and what is recorded of it.
struct Attempt<'a> {
    context: Context<'a>,
    record: &'a mut Record,
}

/// Tries to run one task run; none if the cluster has ended meanwhile.
pub(super) async fn run(
    shared: &Arc<Shared>,
    key: &Key,
    run: &Arc<Value>,
    record: &mut Record,
) -> Option<Outcome> {
    let scratch = match tempfile::Builder::new().prefix("windlass-run-").tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            let message = format!("no scratch folder: {error}");
            return Some(Outcome::failed("PodCreationFailed", message));
        }
    };
    let made = Plan::make(&shared.state, run, record.retries()).and_then(|mut plan| {
        let steps = image::of_steps(shared, run, &plan)?;
        prepare(shared, run, &mut plan, scratch.path())?;
        Ok((plan, steps))
    });
    let (plan, steps) = match made {
        Ok(made) => made,
        Err(outcome) => return Some(outcome),
    };
    let deadline = Instant::now() + plan.timeout.unwrap_or(NEVER).min(NEVER);
    record.status["taskSpec"] = plan.spec.clone();
    let context = Context {
        shared,
        key: key.clone(),
        run: Arc::clone(run),
        plan,
        scratch: scratch.path(),
        deadline,
    };
    Box::pin(Attempt { context, record }.steps(&steps)).await
}

impl Attempt<'_> {
    async fn steps(mut self, shown: &[PodStep]) -> Option<Outcome> {
        let steps = self.context.plan.steps().to_vec();
        let run = Arc::clone(&self.context.run);
        self.record.announce_steps(&run, shown);
        let mut failure = None;
        for (at, step) in steps.iter().enumerate() {
            if failure.is_some() {
                self.record.end_step(at, 1, "Error", "Skipped");
                continue;
            }
            let name = step_name(step, at);
            match Box::pin(self.step(at, &name, step)).await {
                Ok(None) => {}
                Ok(Some(outcome)) => failure = Some(outcome),
                Err(Stop::Shutdown) => return None,
                Err(stop) => failure = Some(stop.outcome()),
            }
            self.context.shared.state.logs.end(&self.log(&name));
        }
        let results = results::of_run(&self.context);
        let results = results.map(|results| self.record.set_results(results));
        let outcome = failure.or(results.err());
        Some(outcome.unwrap_or_else(Outcome::succeeded))
    }

    /// Runs one step; gives the run's failure if the step decides it.
    async fn step(&mut self, at: usize, name: &str, step: &Value) -> Result<Option<Outcome>, Stop> {
        self.record.start_step(at);
        let process =
            limit(step).and_then(|limit| Ok((process(&self.context, name, step)?, limit)));
        let (process, limit) = match process {
            Ok(process) => process,
            Err(outcome) => {
                self.say(name, &outcome.message);
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
        let line = |text: &str| self.say(step, text);
        let mut why = Stop::Shutdown;
        let until = async { why = stop::wait(&self.context, limit).await };
        let program = process.command.first().cloned().unwrap_or_default();
        let ended = Box::pin(process.run(&line, until)).await;
        match ended {
            Ok(Some(status)) => {
                let signal = status.signal().map(|signal| 128 + signal);
                Ok(status.code().or(signal).unwrap_or(1))
            }
            Ok(None) => Err(why),
            Err(error) => {
                line(&format!(
                    "could not start {program}: {error}; steps run as processes on this machine, \
                     not in their images"
                ));
                Ok(127)
            }
        }
    }

    /// Adds a line to the log of a step.
    fn say(&self, step: &str, text: &str) {
        let Context { shared, key, .. } = &self.context;
        shared.state.logs.append(&self.log(step), text);
        if let Some(output) = &shared.output {
            output(&format!("{}/{}", key.namespace, key.name), step, text);
        }
    }

    fn log(&self, step: &str) -> crate::cluster::pod_log::ContainerKey {
        let pod = self.record.pod_name();
        pod::log_of(&self.context.key.namespace, &pod, step)
    }

    fn exited(&mut self, at: usize, name: &str, step: &Value, code: i32) -> Option<Outcome> {
        results::write_exit_code(&self.context, name, code);
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
    let limit = step["timeout"].as_str().map(duration::parse).transpose();
    let limit = limit.map_err(invalid)?;
    Ok(limit.filter(|limit| !limit.is_zero()))
}
