//! One run from its first status to its last.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::exec::{Process, interpreter};
use super::plan::{Plan, duration, invalid};
use super::record::{Outcome, Record};
use super::shared::Shared;
use super::variables::{self, Variables};
use super::workspace::{self, simple};
use crate::cluster::object;
use crate::cluster::store::Key;

/// Most bytes of a run's results together: a pod's termination message, as Tekton's default.
const RESULTS: usize = 4096;
/// A time that does not come.
const NEVER: Duration = Duration::from_hours(8760);

/// Why a step was ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stop {
    Cancelled(String),
    RunTimeout(String),
    StepTimeout,
    Shutdown,
}

struct Running<'a> {
    shared: &'a Shared,
    key: Key,
    run: Arc<Value>,
    plan: Plan,
    record: Record,
    scratch: &'a Path,
    deadline: Instant,
}

/// Carries out one run. The cluster's own end leaves the run unfinished.
pub(super) async fn carry_out(shared: Arc<Shared>, key: Key) {
    let Some(run) = shared.state.store().get(&key) else {
        return;
    };
    let mut record = Record::begin(key.clone());
    if let Some(outcome) = cancelled(&run) {
        record.finish(&shared.state, &outcome);
        return;
    }
    let scratch = match tempfile::Builder::new().prefix("windlass-run-").tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            let outcome =
                Outcome::failed("PodCreationFailed", format!("no scratch folder: {error}"));
            record.finish(&shared.state, &outcome);
            return;
        }
    };
    let plan = Plan::make(&shared.state, &run).and_then(|mut plan| {
        prepare(&shared, &run, &mut plan, scratch.path())?;
        Ok(plan)
    });
    let plan = match plan {
        Ok(plan) => plan,
        Err(outcome) => {
            record.finish(&shared.state, &outcome);
            return;
        }
    };
    let deadline = Instant::now() + plan.timeout.unwrap_or(NEVER).min(NEVER);
    record.status["taskSpec"] = plan.spec.clone();
    let running = Running {
        shared: &shared,
        key,
        run,
        plan,
        record,
        scratch: scratch.path(),
        deadline,
    };
    Box::pin(running.go()).await;
}

fn cancelled(run: &Value) -> Option<Outcome> {
    let asked = run["spec"]["status"] == "TaskRunCancelled" || object::is_deleting(run);
    asked.then(|| {
        let message = format!(
            "TaskRun \"{}\" was cancelled. {}",
            object::name(run),
            run["spec"]["statusMessage"].as_str().unwrap_or_default()
        );
        Outcome::failed("TaskRunCancelled", message)
    })
}

/// Makes folders and sets the variables that name them.
fn prepare(shared: &Shared, run: &Value, plan: &mut Plan, scratch: &Path) -> Result<(), Outcome> {
    let failed = |error: std::io::Error| invalid(format!("could not make a folder: {error}"));
    for folder in ["results", "workspace", "home", "scripts"] {
        std::fs::create_dir_all(scratch.join(folder)).map_err(failed)?;
    }
    for result in plan.spec["results"].as_array().into_iter().flatten() {
        let name = simple(result["name"].as_str().unwrap_or_default())?;
        let path = scratch.join("results").join(name).display().to_string();
        for form in [
            format!("results.{name}"),
            format!("results[\"{name}\"]"),
            format!("results['{name}']"),
        ] {
            plan.variables.set(format!("{form}.path"), &path);
        }
    }
    workspace::bind(shared, run, &plan.spec, scratch, &mut plan.variables)
}

impl Running<'_> {
    async fn go(mut self) {
        let steps = self.plan.steps().to_vec();
        let names: Vec<String> = steps
            .iter()
            .enumerate()
            .map(|(at, step)| name(step, at))
            .collect();
        let waiting = names.iter().map(|name| {
            json!({
                "name": name, "container": format!("step-{name}"),
                "waiting": {"reason": "PodInitializing"},
            })
        });
        self.record.status["steps"] = waiting.collect();
        self.record.write(&self.shared.state, &Outcome::running());
        let mut failure = None;
        for (at, step) in steps.iter().enumerate() {
            let name = names.get(at).map(String::as_str).unwrap_or_default();
            if failure.is_some() {
                let now = object::now();
                self.end_step(at, 1, "Error", "Skipped", &now);
                continue;
            }
            let ended = Box::pin(self.step(at, name, step)).await;
            match ended {
                Ok(None) => {}
                Ok(Some(outcome)) => failure = Some(outcome),
                Err(Stop::Shutdown) => return,
                Err(stop) => failure = Some(stopped(stop)),
            }
        }
        let results = self.results();
        let outcome = match (failure, results) {
            (None, Ok(())) => Outcome::succeeded(),
            (Some(failure), _) | (None, Err(failure)) => failure,
        };
        self.record.finish(&self.shared.state, &outcome);
    }

    /// Runs one step; gives the run's failure if the step decides it.
    async fn step(&mut self, at: usize, name: &str, step: &Value) -> Result<Option<Outcome>, Stop> {
        let started = object::now();
        let entry = &mut self.record.status["steps"][at];
        *entry = json!({
            "name": name, "container": format!("step-{name}"), "running": {"startedAt": started},
        });
        self.record.write(&self.shared.state, &Outcome::running());
        let limit = match step["timeout"].as_str().map(duration).transpose() {
            Ok(limit) => limit.filter(|limit| !limit.is_zero()),
            Err(outcome) => return Ok(Some(outcome)),
        };
        let process = match self.process(name, step) {
            Ok(process) => process,
            Err(outcome) => {
                self.end_step(at, 1, "Error", "Error", &started);
                return Ok(Some(outcome));
            }
        };
        let title = format!("{}/{}", self.key.namespace, self.key.name);
        let output = Arc::clone(&self.shared.output);
        let line = |text: &str| output(&title, name, text);
        let mut why = None;
        let ended = {
            let until = async { why = Some(self.until(limit).await) };
            Box::pin(process.run(&line, until)).await
        };
        match (ended, why) {
            (Ok(Some(status)), _) => {
                use std::os::unix::process::ExitStatusExt as _;
                let code = status.code().or(status.signal().map(|signal| 128 + signal));
                Ok(self.exited(at, name, step, code.unwrap_or(1), &started))
            }
            (Ok(None), Some(Stop::StepTimeout)) => {
                self.end_step(at, 1, "Error", "TimeoutExceeded", &started);
                let message = format!(
                    "\"step-{name}\" exited because the step exceeded the specified timeout limit"
                );
                Ok(Some(Outcome::failed("Failed", message)))
            }
            (Ok(None), why) => {
                let why = why.unwrap_or(Stop::Shutdown);
                let reason = match why {
                    Stop::Cancelled(_) => "TaskRunCancelled",
                    _ => "TaskRunTimeout",
                };
                self.end_step(at, 1, reason, reason, &started);
                Err(why)
            }
            (Err(error), _) => {
                line(&format!("could not start the step: {error}"));
                Ok(self.exited(at, name, step, 127, &started))
            }
        }
    }

    fn exited(
        &mut self,
        at: usize,
        name: &str,
        step: &Value,
        code: i32,
        started: &str,
    ) -> Option<Outcome> {
        if code == 0 {
            self.end_step(at, 0, "Completed", "Completed", started);
            return None;
        }
        if step["onError"] == "continue" {
            self.end_step(at, code, "Completed", "Continued", started);
            return None;
        }
        self.end_step(at, code, "Error", "Error", started);
        let message = format!("\"step-{name}\" exited with code {code}");
        Some(Outcome::failed("Failed", message))
    }

    fn end_step(&mut self, at: usize, code: i32, reason: &str, termination: &str, started: &str) {
        let entry = &mut self.record.status["steps"][at];
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("running");
            entry.remove("waiting");
        }
        entry["terminationReason"] = termination.into();
        entry["terminated"] = json!({
            "exitCode": code, "reason": reason, "startedAt": started, "finishedAt": object::now(),
        });
        self.record.write(&self.shared.state, &Outcome::running());
    }

    /// Ends when the step must.
    async fn until(&self, limit: Option<Duration>) -> Stop {
        let limit = Instant::now() + limit.unwrap_or(NEVER).min(NEVER);
        tokio::select! {
            () = self.shared.stop.cancelled() => Stop::Shutdown,
            () = sleep_until(limit) => Stop::StepTimeout,
            () = sleep_until(self.deadline) => {
                let asked = self.run["spec"]["timeout"].as_str().unwrap_or("1h0m0s");
                let name = &self.key.name;
                Stop::RunTimeout(format!("TaskRun \"{name}\" failed to finish within \"{asked}\""))
            }
            message = self.cancellation() => Stop::Cancelled(message),
        }
    }

    async fn cancellation(&self) -> String {
        let mut newest = self.shared.state.store().subscribe();
        loop {
            newest.mark_unchanged();
            let run = self.shared.state.store().get(&self.key);
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

    fn process(&self, name: &str, step: &Value) -> Result<Process, Outcome> {
        let variables = self.variables_of(name, step)?;
        let mut step = step.clone();
        variables.replace_all(&mut step);
        let list = |field: &str| -> Vec<String> {
            let items = step[field].as_array().into_iter().flatten();
            items.map(variables::plain).collect()
        };
        let mut command = match step["script"].as_str().filter(|script| !script.is_empty()) {
            Some(script) => self.script(name, script)?,
            None => list("command"),
        };
        command.extend(list("args"));
        let folder = self.folder(step["workingDir"].as_str())?;
        Ok(Process {
            command,
            folder,
            env: self.env(&step, &variables)?,
        })
    }

    fn script(&self, name: &str, script: &str) -> Result<Vec<String>, Outcome> {
        let file = self.scratch.join("scripts").join(simple(name)?);
        let text = if script.starts_with("#!") {
            script.to_owned()
        } else {
            format!("#!/bin/sh\nset -e\n{script}")
        };
        let written = std::fs::write(&file, &text);
        written.map_err(|error| invalid(format!("could not write a script: {error}")))?;
        Ok(interpreter(&text, &file))
    }

    /// The run's variables, this step's results, and the results of the steps before it.
    fn variables_of(&self, name: &str, step: &Value) -> Result<Variables, Outcome> {
        let mut variables = self.plan.variables.clone();
        let own = self.scratch.join("steps").join(simple(name)?);
        let made = std::fs::create_dir_all(&own);
        made.map_err(|error| invalid(format!("could not make a folder: {error}")))?;
        for result in step["results"].as_array().into_iter().flatten() {
            let result = simple(result["name"].as_str().unwrap_or_default())?;
            let path = own.join(result).display().to_string();
            variables.set(format!("step.results.{result}.path"), path);
        }
        self.set_step_results(&mut variables);
        Ok(variables)
    }

    fn set_step_results(&self, variables: &mut Variables) {
        for (at, step) in self.plan.steps().iter().enumerate() {
            let step_name = name(step, at);
            for result in step["results"].as_array().into_iter().flatten() {
                let result_name = result["name"].as_str().unwrap_or_default();
                let file = self
                    .scratch
                    .join("steps")
                    .join(&step_name)
                    .join(result_name);
                if let Some(value) = read_result(result, &file) {
                    variables.set_value(&format!("steps.{step_name}.results"), result_name, &value);
                }
            }
        }
    }

    /// `/workspace` is a folder in the scratch folder; other absolute paths are taken as they are.
    fn folder(&self, asked: Option<&str>) -> Result<std::path::PathBuf, Outcome> {
        let base = self.scratch.join("workspace");
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
            return Ok(base);
        };
        let inside = asked
            .strip_prefix("/workspace")
            .map(|rest| rest.trim_start_matches('/'));
        let folder = inside.map_or_else(|| base.join(asked), |rest| base.join(rest));
        if folder.starts_with(self.scratch) {
            let made = std::fs::create_dir_all(&folder);
            made.map_err(|error| invalid(format!("workingDir \"{asked}\": {error}")))?;
        }
        Ok(folder)
    }

    fn env(&self, step: &Value, variables: &Variables) -> Result<Vec<(String, String)>, Outcome> {
        let home = self.scratch.join("home").display().to_string();
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
        let mut env = vec![("HOME".to_owned(), home), ("PATH".to_owned(), path)];
        let mut template = self.plan.spec["stepTemplate"]["env"].clone();
        variables.replace_all(&mut template);
        let lists = [template.as_array(), step["env"].as_array()];
        for entry in lists.into_iter().flatten().flatten() {
            let name = entry["name"].as_str().unwrap_or_default().to_owned();
            env.push((name, self.env_value(entry)?));
        }
        Ok(env)
    }

    fn env_value(&self, entry: &Value) -> Result<String, Outcome> {
        let from = &entry["valueFrom"];
        for (field, storage) in [
            ("secretKeyRef", "secrets"),
            ("configMapKeyRef", "configmaps"),
        ] {
            let Some(name) = from[field]["name"].as_str() else {
                continue;
            };
            let files = workspace::contents(self.shared, storage, &self.key.namespace, name)?;
            let key = from[field]["key"].as_str().unwrap_or_default();
            let found = files.into_iter().find(|(file, _)| file == key);
            return match found {
                Some((_, bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
                None if from[field]["optional"] == true => Ok(String::new()),
                None => Err(invalid(format!(
                    "{storage} \"{name}\" has no key \"{key}\""
                ))),
            };
        }
        if from.is_object() {
            return Err(invalid(
                "this runner reads env from secrets and config maps only",
            ));
        }
        Ok(entry["value"].as_str().unwrap_or_default().to_owned())
    }

    /// Reads the results the steps left and puts them in the status.
    fn results(&mut self) -> Result<(), Outcome> {
        let mut variables = self.plan.variables.clone();
        self.set_step_results(&mut variables);
        let mut results = Vec::new();
        let mut size = 0;
        for declared in self.plan.spec["results"].as_array().into_iter().flatten() {
            let name = declared["name"].as_str().unwrap_or_default();
            let file = self.scratch.join("results").join(name);
            let mut from_step = declared["value"].clone();
            variables.replace_all(&mut from_step);
            let found = read_result(declared, &file).or(Some(from_step).filter(|v| !v.is_null()));
            let Some(value) = found else { continue };
            size += name.len() + variables::plain(&value).len();
            let kind = match &value {
                Value::Array(_) => "array",
                Value::Object(_) => "object",
                _ => "string",
            };
            results.push(json!({"name": name, "type": kind, "value": value}));
        }
        if size > RESULTS {
            return Err(Outcome::failed(
                "TaskRunResultLargerThanAllowedLimit",
                format!("the results have {size} bytes, above the limit of {RESULTS} bytes"),
            ));
        }
        if !results.is_empty() {
            self.record.status["results"] = results.into();
        }
        Ok(())
    }
}

fn stopped(stop: Stop) -> Outcome {
    match stop {
        Stop::Cancelled(message) => Outcome::failed("TaskRunCancelled", message),
        Stop::RunTimeout(message) => Outcome::failed("TaskRunTimeout", message),
        Stop::StepTimeout | Stop::Shutdown => Outcome::failed("Failed", "a step exceeded its time"),
    }
}

/// A result file's text; of type array or object if declared so and the text is one.
fn read_result(declared: &Value, file: &Path) -> Option<Value> {
    let text = String::from_utf8_lossy(&std::fs::read(file).ok()?).into_owned();
    let structured = matches!(declared["type"].as_str(), Some("array" | "object"));
    let parsed = structured
        .then(|| serde_json::from_str(&text).ok())
        .flatten();
    Some(parsed.unwrap_or(Value::String(text)))
}

fn name(step: &Value, at: usize) -> String {
    let name = step["name"].as_str().filter(|name| !name.is_empty());
    name.map_or_else(|| format!("unnamed-{at}"), str::to_owned)
}
