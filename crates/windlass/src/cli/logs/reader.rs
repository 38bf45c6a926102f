//! Reads the logs of task runs: each pod of a run, each container of a pod, in order.
//!
//! With `follow` the run and the pod are read again each second until they have something to show. A
//! log that is interrupted is opened again where it broke off.

use std::cell::Cell;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use windlass_core::error::Chain;

use super::line::{self, Screen};
use super::state::{End, RunState};
use crate::cli::output::{self, clean};
use crate::cluster::call::CallError;
use crate::cluster::pod::{Log, LogRequest, Pod, Progress};
use crate::inspect::runs::Runs;

/// How long to wait before looking again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Interruptions in a row, without a line between them, after which a log is given up.
const INTERRUPTIONS: usize = 5;

/// What is shown.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) follow: bool,
    pub(super) init_containers: bool,
    pub(super) prefix: bool,
    pub(super) timestamps: bool,
    /// Names of steps; none for all.
    pub(super) steps: Vec<String>,
}

/// Reads logs and prints them.
pub(super) struct Reader<'a> {
    client: &'a Client,
    namespace: &'a str,
    runs: &'a Runs<'a>,
    pub(super) wanted: Wanted,
    screen: Screen,
    has_failed: Cell<bool>,
}

/// A container whose log is read.
struct Container<'a> {
    pod: &'a str,
    name: &'a str,
    /// In front of each line.
    prefix: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        client: &'a Client,
        namespace: &'a str,
        runs: &'a Runs<'a>,
        wanted: Wanted,
    ) -> Self {
        Self {
            client,
            namespace,
            runs,
            wanted,
            screen: Screen::here(),
            has_failed: Cell::new(false),
        }
    }

    /// The task runs.
    pub(super) fn runs(&self) -> &Runs<'a> {
        self.runs
    }

    /// 0, or 2 if some log could not be read.
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.has_failed.get() {
            ExitCode::from(2)
        } else {
            ExitCode::SUCCESS
        }
    }

    /// Says what could not be shown; the rest is shown nevertheless.
    pub(super) fn fail(&self, why: &str) {
        self.has_failed.set(true);
        output::error(&clean::line(why));
    }

    /// Shows the logs of a task run, which is one of a pipeline if it has a task there. Breaks off if
    /// nobody reads them.
    pub(super) async fn task_run(
        &self,
        name: &str,
        task: Option<&str>,
    ) -> anyhow::Result<ControlFlow<()>> {
        let mut shown = HashSet::new();
        loop {
            let state = RunState::of(&self.runs.get(name).await?)?;
            for pod in state.pods {
                if shown.contains(&pod) {
                    continue;
                }
                if self.pod(&pod, task).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                shown.insert(pod);
            }
            match state.end {
                Some(End::Failed(message)) => {
                    let what = task.map_or_else(|| name.to_owned(), |task| format!("task {task}"));
                    output::note(&format!("{what} has failed: {}", clean::line(&message)));
                    return Ok(ControlFlow::Continue(()));
                }
                Some(End::Succeeded) if shown.is_empty() => {
                    self.fail(&format!("TaskRun {name} has no pod, and so no log"));
                }
                None if !self.wanted.follow && shown.is_empty() => self.fail(&format!(
                    "TaskRun {name} has no pod yet; wait for it with --follow"
                )),
                None if self.wanted.follow => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                _ => {}
            }
            return Ok(ControlFlow::Continue(()));
        }
    }

    async fn pod(&self, name: &str, task: Option<&str>) -> anyhow::Result<ControlFlow<()>> {
        let mut shown = HashSet::new();
        loop {
            let pod = match Pod::read(self.client, self.namespace, name).await {
                Ok(pod) => pod,
                Err(error) if error.status() == Some(404) => {
                    self.fail(&format!("pod {name} is gone, and its logs with it"));
                    return Ok(ControlFlow::Continue(()));
                }
                Err(error) => return Err(error.into()),
            };
            let containers = self.containers(&pod);
            if containers.is_empty() && !self.wanted.steps.is_empty() {
                let steps: Vec<&str> = pod.containers().map(step).collect();
                self.fail(&format!(
                    "pod {name} has no such step; its steps are {}",
                    steps.join(", ")
                ));
                return Ok(ControlFlow::Continue(()));
            }
            let mut is_complete = true;
            for container in containers {
                if shown.contains(container) {
                    continue;
                }
                if pod.progress(container) == Progress::Waiting {
                    is_complete = false;
                    break;
                }
                let prefix = self.prefix(task, step(container));
                let container = Container {
                    pod: name,
                    name: container,
                    prefix,
                };
                if self.container(&container).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                shown.insert(container.name.to_owned());
            }
            if is_complete || pod.is_done() || !self.wanted.follow {
                return Ok(ControlFlow::Continue(()));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The containers of a pod that are shown, in order.
    fn containers<'p>(&self, pod: &'p Pod) -> Vec<&'p str> {
        let wanted = &self.wanted.steps;
        let is_wanted =
            |name: &&str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == step(name));
        let steps = pod.containers().filter(is_wanted);
        if self.wanted.init_containers {
            pod.init_containers().chain(steps).collect()
        } else {
            steps.collect()
        }
    }

    fn prefix(&self, task: Option<&str>, step: &str) -> String {
        let step = clean::line(step);
        match task.map(clean::line) {
            _ if !self.wanted.prefix => String::new(),
            Some(task) => format!("[{task} : {step}] "),
            None => format!("[{step}] "),
        }
    }

    /// Shows the log of one container, and a blank line behind it.
    async fn container(&self, container: &Container<'_>) -> anyhow::Result<ControlFlow<()>> {
        let mut last = None;
        let mut interruptions = 0;
        loop {
            let before = last;
            match self.once(container, &mut last).await {
                Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Ok(ControlFlow::Continue(())) => break,
                Err(Failure::Output(error)) => return Err(error),
                Err(Failure::Call(CallError::Broken { .. }))
                    if self.wanted.follow && interruptions < INTERRUPTIONS =>
                {
                    interruptions = if last == before { interruptions + 1 } else { 0 };
                    tokio::time::sleep(PAUSE).await;
                }
                Err(Failure::Call(error)) => {
                    self.fail(&Chain(&error).to_string());
                    return Ok(ControlFlow::Continue(()));
                }
            }
        }
        output::stream("\n")
    }

    /// Shows lines behind `last`, until the log ends.
    async fn once(
        &self,
        container: &Container<'_>,
        last: &mut Option<Timestamp>,
    ) -> Result<ControlFlow<()>, Failure> {
        let behind = *last;
        let since = behind.map(|time| time.to_string()).unwrap_or_default();
        let request = LogRequest {
            namespace: self.namespace,
            pod: container.pod,
            container: container.name,
            follow: if self.wanted.follow { "true" } else { "" },
            since: &since,
        };
        let mut log = Log::open(self.client, &request).await?;
        while let Some(line) = log.next().await? {
            let (time, text) = line::split(&line);
            if time.is_some() && time <= behind {
                continue;
            }
            *last = time.or(*last);
            let shown = if self.wanted.timestamps { &line } else { text };
            let mut printed = container.prefix.clone().into_bytes();
            self.screen.add(shown, &mut printed);
            printed.push(b'\n');
            if output::stream(printed).map_err(Failure::Output)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Why the log of a container was not shown to its end.
enum Failure {
    Call(CallError),
    Output(anyhow::Error),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// The step that a container runs.
fn step(container: &str) -> &str {
    container.strip_prefix("step-").unwrap_or(container)
}
