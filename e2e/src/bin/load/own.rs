//! A cluster of the tool's own, with a registry, a key and a controller.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use windlass_e2e::etcd::Change;
use windlass_e2e::guide::{KEY_PAIR, SYSTEM_NAMESPACE};
use windlass_e2e::plan::{Kind, RunPlan};
use windlass_e2e::{Api, Command, Registry, Testbed, images, metrics, plan, ports};

use crate::arguments::Arguments;
use crate::measure::{Load, Subject};
use crate::process::Running;
use crate::runtime::runtime;
use crate::scenario::Scenario;
use crate::watch;

/// Namespace and batch of the runs that are signed before.
const PRESENT: &str = "present";
/// When the resident memory counts, from the start of the controller on.
const SETTLED: Duration = Duration::from_secs(60);

/// Measures the controller of the arguments.
pub(crate) fn measure(arguments: &Arguments, testbed: &mut Testbed) -> Result<String> {
    let shell = testbed.shell().clone();
    shell.ok(KEY_PAIR)?;
    let has_images = arguments.scenario.has_images();
    let storage = if has_images { "oci" } else { "tekton" };
    images::configure(
        &shell,
        &[
            ("artifacts.oci.storage", if has_images { "oci" } else { "" }),
            ("artifacts.taskrun.storage", storage),
            ("artifacts.pipelinerun.storage", storage),
            ("artifacts.taskrun.format", "slsa/v1"),
            ("artifacts.pipelinerun.format", "slsa/v1"),
        ],
    )?;
    let registry = Registry::start(&shell.folder().join("registry"))?;
    let command = command(arguments, testbed)?;
    if arguments.scenario == Scenario::SignedRunsPresent {
        return with_runs_present(arguments, testbed, &command);
    }
    let mut load = Load {
        arguments,
        kubeconfig: testbed.kubeconfig().to_owned(),
        registry: has_images.then(|| format!("{}/team", registry.host())),
        secret: has_images.then(|| registry.docker_config("")),
    };
    runtime()?.block_on(load.measure(Subject::Started(&command)))
}

/// windlass, or another program as the operator would start it.
fn command(arguments: &Arguments, testbed: &Testbed) -> Result<Command> {
    let shell = testbed.shell();
    let mut command = Command::windlass("load", testbed.kubeconfig(), shell.folder())?;
    if let Some(program) = &arguments.controller {
        command.words = vec![program.display().to_string()];
        for (name, value) in [
            ("KUBECONFIG", testbed.kubeconfig().display().to_string()),
            ("SYSTEM_NAMESPACE", SYSTEM_NAMESPACE.to_owned()),
            ("METRICS_DOMAIN", "tekton.dev/chains".to_owned()),
            ("CONFIG_LOGGING_NAME", "config-logging".to_owned()),
            (
                "CONFIG_OBSERVABILITY_NAME",
                "tekton-chains-config-observability".to_owned(),
            ),
            (
                "CONFIG_LEADERELECTION_NAME",
                "tekton-chains-config-leader-election".to_owned(),
            ),
        ] {
            command.variables.push((name.to_owned(), value));
        }
    }
    Ok(command)
}

/// Lets many runs be signed, starts the controller anew, and tells when it is ready and what it keeps.
fn with_runs_present(
    arguments: &Arguments,
    testbed: &Testbed,
    command: &Command,
) -> Result<String> {
    let kubeconfig = testbed.kubeconfig().to_owned();
    let model = RunPlan::task(PRESENT, "model", PRESENT);
    let etcd = testbed.etcd()?;
    let (signing, rate) = runtime()?.block_on(async {
        let api = Api::connect(&kubeconfig).await?;
        plan::make_namespace(&api, PRESENT).await?;
        plan::run_all(&api, &[model], 1).await?;
        let key = |name: &str| format!("tekton.dev/taskruns/{PRESENT}/{name}");
        let copies = (1..arguments.runs).map(|number| {
            let name = format!("present-{number}");
            (key(&name), Change { name, number })
        });
        etcd.copy(&key("model"), copies)?;
        let marks = watch::marks(
            kubeconfig,
            Kind::TaskRun,
            PRESENT.to_owned(),
            arguments.runs,
        );
        let marks = marks.await?;
        let signing = command.start()?;
        anyhow::Ok((signing, watch::rate(&marks.await??)?))
    })?;
    signing.kill()?;

    let mut command = command.clone();
    let health = format!("127.0.0.1:{}", ports::free_port()?);
    if let Some(place) = command
        .words
        .iter()
        .position(|word| word == "--health-address")
    {
        command.words[place + 1].clone_from(&health);
    }
    let began = Instant::now();
    let mut started = command.start()?;
    started.wait_until(Duration::from_secs(120), || metrics::is_ready(&health))?;
    let ready = began.elapsed();
    sleep(SETTLED.saturating_sub(began.elapsed()));
    let (resident, peak) = Running(started.id()).memory()?;
    let cpu = Running(started.id()).cpu()?;
    started.kill()?;
    let audit = match &arguments.controller {
        None => audit(&command.words[0], testbed)?,
        Some(_) => String::new(),
    };
    Ok(format!(
        "{} runs signed at {rate:.1} per second; with them present: ready after {:.1} s; a minute \
         after the start {} kB resident, {} kB at most, {:.1} s of processor time\n{audit}\n",
        arguments.runs,
        ready.as_secs_f64(),
        resident / 1000,
        peak / 1000,
        cpu.as_secs_f64()
    ))
}

/// Lists every run with the state of its signature, and tells what that takes.
fn audit(windlass: &str, testbed: &Testbed) -> Result<String> {
    let began = Instant::now();
    let mut audit = std::process::Command::new(windlass);
    audit.arg("--kubeconfig").arg(testbed.kubeconfig());
    audit.args(["audit", "--all-namespaces", "--output", "csv"]);
    let mut audit = audit.stdout(Stdio::null()).spawn()?;
    let process = Running(audit.id());
    let mut most = 0;
    let status = loop {
        // a process that has ended has no memory
        if let Ok((_, peak)) = process.memory() {
            most = peak;
        }
        if let Some(status) = audit.try_wait()? {
            break status;
        }
        sleep(Duration::from_millis(20));
    };
    ensure!(status.success(), "the audit ended with {status}");
    let took = began.elapsed().as_secs_f64();
    Ok(format!(
        "audited in {took:.1} s, {} kB at most\n",
        most / 1000
    ))
}
