//! One measurement: the runs are made, the controller signs them, what it took is told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};
use windlass_e2e::plan::{self, Kind, RunPlan};
use windlass_e2e::{Api, Command, Controller};

use crate::arguments::Arguments;
use crate::process::Running;
use crate::report::Report;
use crate::requests::Requests;
use crate::watch::{self, Marks};

/// How long a run goes on in a scenario that is ongoing: nobody's ends as soon as it is made.
const LASTS: Duration = Duration::from_secs(1);

/// What is measured.
pub(crate) enum Subject<'c> {
    /// A process that runs already.
    Running(Running),
    /// A program that is started once it has something to do.
    Started(&'c Command),
}

/// The runs of a scenario, and where they go.
pub(crate) struct Load<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) registry: Option<String>,
    /// The Docker configuration of the accounts of runs.
    pub(crate) secret: Option<String>,
}

impl Load<'_> {
    pub(crate) async fn measure(&mut self, subject: Subject<'_>) -> Result<String> {
        let api = Api::connect(&self.kubeconfig).await?;
        let scenario = self.arguments.scenario;
        let batch = format!(
            "l{:x}",
            SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis()
        );
        let runs = self.runs(&api, &batch).await?;
        if scenario.is_ongoing() {
            return self.ongoing(&api, &batch, runs, subject).await;
        }
        if let Subject::Running(process) = &subject {
            process.pause()?;
        }
        let made = make(&api, &runs, self.arguments.at_once).await;
        let before = Requests::read(&api).await?;
        let watch = self.watch(&batch).await?;
        let (process, began, cpu) = begin(&subject)?;
        made?;
        let marks = watch.await?;
        let ends = marks.keys().map(|name| (name.clone(), began)).collect();
        self.report(&api, process, cpu, before, &ends, &marks).await
    }

    /// The runs, each with its tasks before it.
    async fn runs(&self, api: &Api, batch: &str) -> Result<Vec<Vec<RunPlan>>> {
        let namespaces = (0..self.arguments.namespaces).map(|number| format!("load-{number}"));
        let namespaces: Vec<String> = namespaces.collect();
        for namespace in &namespaces {
            plan::make_namespace(api, namespace).await?;
            self.log_in(api, namespace).await?;
        }
        let plans = (0..self.arguments.runs).map(|number| {
            let namespace = &namespaces[number % namespaces.len()];
            self.arguments
                .scenario
                .plans(number, namespace, batch, self.registry.as_deref())
        });
        Ok(plans.collect())
    }

    /// Gives the account of runs its credential for the registry.
    async fn log_in(&self, api: &Api, namespace: &str) -> Result<()> {
        let Some(config) = &self.secret else {
            return Ok(());
        };
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "push" },
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": { ".dockerconfigjson": config },
        });
        let path = format!("/api/v1/namespaces/{namespace}");
        api.create(&format!("{path}/secrets"), &secret).await?;
        let secrets = json!({ "secrets": [{ "name": "push" }] });
        api.merge(&format!("{path}/serviceaccounts/default"), &secrets)
            .await?;
        Ok(())
    }

    /// Lets runs end at a rate while the controller signs them.
    async fn ongoing(
        &self,
        api: &Api,
        batch: &str,
        runs: Vec<Vec<RunPlan>>,
        subject: Subject<'_>,
    ) -> Result<String> {
        let (process, ..) = begin(&subject)?;
        // what a controller does at its start is not what is measured
        let settled = Instant::now() + Duration::from_secs(5);
        sleep_until(settled).await;
        let (before, cpu) = (Requests::read(api).await?, process.process.cpu()?);
        let watch = self.watch(batch).await?;
        let pause = Duration::from_secs(1) / self.arguments.rate;
        let began = Instant::now();
        let mut tasks = Vec::new();
        for (number, plans) in (0..).zip(runs) {
            sleep_until(began + pause * number).await;
            let api = api.clone();
            tasks.push(tokio::spawn(async move {
                let plan = plans.last().context("a run of nothing")?;
                plan::create_run(&api, plan).await?;
                sleep(LASTS).await;
                // the end is what the controller waits for, and its writing is part of the latency
                let end = Instant::now();
                plan::finish(&api, plan).await?;
                anyhow::Ok((plan.name.clone(), end))
            }));
        }
        let mut ends = HashMap::new();
        for task in tasks {
            let (name, end) = task.await??;
            ends.insert(name, end);
        }
        let marks = watch.await?;
        self.report(api, process, cpu, before, &ends, &marks).await
    }

    async fn watch(&self, batch: &str) -> Result<impl Future<Output = Result<Marks>> + use<>> {
        let (runs, scenario) = (self.arguments.runs, self.arguments.scenario);
        let watch =
            |kind, count| watch::marks(self.kubeconfig.clone(), kind, batch.to_owned(), count);
        let tasks = scenario.plans(0, "", "", None).len() - usize::from(scenario.has_pipelines());
        let task_runs = watch(Kind::TaskRun, runs * tasks).await?;
        let pipelines = if scenario.has_pipelines() { runs } else { 0 };
        let pipelines = watch(Kind::PipelineRun, pipelines).await?;
        Ok(async move {
            let mut marks = task_runs.await??;
            marks.extend(pipelines.await??);
            Ok(marks)
        })
    }

    async fn report(
        &self,
        api: &Api,
        subject: Begun,
        cpu: Duration,
        before: Requests,
        ends: &Marks,
        marks: &Marks,
    ) -> Result<String> {
        let process = subject.process;
        let (resident, peak) = process.memory()?;
        let report = Report {
            scenario: self.arguments.scenario.name(),
            cpu: process.cpu()?.saturating_sub(cpu),
            resident,
            peak,
            requests: Requests::read(api).await?.since(&before),
        };
        report.text(ends, marks)
    }
}

/// A controller that has begun. One that was started here ends with this.
struct Begun {
    process: Running,
    _started: Option<Controller>,
}

/// Lets the controller begin; gives when that was, and its processor time before.
fn begin(subject: &Subject<'_>) -> Result<(Begun, Instant, Duration)> {
    let began = Instant::now();
    Ok(match subject {
        Subject::Running(process) => {
            let cpu = process.cpu()?;
            process.resume()?;
            (
                Begun {
                    process: *process,
                    _started: None,
                },
                began,
                cpu,
            )
        }
        Subject::Started(command) => {
            let started = command.start()?;
            let process = Running(started.id());
            (
                Begun {
                    process,
                    _started: Some(started),
                },
                began,
                Duration::ZERO,
            )
        }
    })
}

/// Makes runs that end at once, the tasks of each before it.
pub(crate) async fn make(api: &Api, runs: &[Vec<RunPlan>], at_once: usize) -> Result<()> {
    let plans: Vec<RunPlan> = runs.iter().flatten().cloned().collect();
    plan::run_all(api, &plans, at_once).await
}
