//! The registry of one tenant, or of many, does not respond: how long the runs of another tenant take
//! meanwhile.

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::guide::SYSTEM_NAMESPACE;
use windlass_e2e::{
    Bulk, Cosign, Follow, Kind, Registry, RunRecord, Shell, Testbed, guide, images, runs,
};

/// Runs of the tenant whose registry is silent.
const HANGING: usize = 200;
/// Tenants that hang in concert: more than the last quarter of the places has places, each with a few
/// runs.
const TENANTS: usize = 40;
const HANGING_EACH: usize = 8;
/// Of these, as many are seen to hang at once before anything is measured. One namespace may have 32
/// places at a registry; fewer are taken where the first give up before the last have ended.
const SEEN: usize = 24;
/// Runs of the other tenant in each wave, half of them with an image.
const MEASURED: usize = 200;
/// The pause before each of them ends: half of what the registry of the other tenant can take.
const PACE: Duration = Duration::from_millis(50);
/// Bounds on the time from the end of a run to its mark, of 99 in 100 runs.
const WITH_REGISTRY: Duration = Duration::from_secs(1);
const WITHOUT_REGISTRY: Duration = Duration::from_millis(100);
/// A machine that takes longer than the bounds while nobody hangs has nothing to say about them; there
/// the latency may grow by this factor.
const GROWTH: u32 = 2;
/// What is printed of a run whenever it changes: name, whether it has ended, whether it is signed.
const WATCH: &str = r#"kubectl get taskruns --watch-only -o jsonpath='{.metadata.name}{" "}{.status.conditions[0].status}{" "}{.metadata.annotations.chains\.tekton\.dev/signed}{"\n"}'"#;

/// A port that takes connections and says nothing on them.
struct Silent {
    host: String,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Silent {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let host = listener.local_addr()?.to_string();
        let open = Arc::<Mutex<Vec<TcpStream>>>::default();
        let kept = Arc::clone(&open);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push(connection);
            }
        });
        Ok(Self { host, open })
    }

    fn connections(&self) -> usize {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.len()
    }
}

/// The status of a run that has ended, with these results.
fn ended(results: &Value) -> Value {
    json!({ "status": {
        "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
        "startTime": "2026-11-23T10:00:00Z",
        "completionTime": "2026-11-23T10:01:00Z",
        "results": results,
    }})
}

/// The results of a run that built an image.
fn image(repository: &str, number: usize) -> Value {
    json!([
        { "name": "IMAGE_URL", "type": "string", "value": repository },
        { "name": "IMAGE_DIGEST", "type": "string", "value": format!("sha256:{number:064x}") },
    ])
}

/// A run without an image, to see that the controller works under the settings.
fn canary(shell: &Shell, bulk: &Bulk) -> Result<()> {
    make(bulk, "canary", 1)?;
    end(bulk, "canary-0", &json!([]))?;
    runs::wait_until_signed(shell, "taskrun/canary-0")
}

/// Makes runs of the namespace that is measured.
fn make(bulk: &Bulk, batch: &str, count: usize) -> Result<()> {
    bulk.create(SYSTEM_NAMESPACE, &runs::batch(batch, count))
}

/// Lets such a run end with these results.
fn end(bulk: &Bulk, name: &str, results: &Value) -> Result<()> {
    bulk.write_status(SYSTEM_NAMESPACE, &[name.to_owned()], &ended(results))
}

/// So many runs of each of these namespaces, which all wait for the silent registry.
fn hang(
    (shell, bulk): (&Shell, &Bulk),
    silent: &Silent,
    namespaces: &[String],
    each: usize,
) -> Result<()> {
    let results = image(&format!("{}/team-b/app", silent.host), 1);
    let names: Vec<_> = (0..each).map(|number| format!("hang-{number}")).collect();
    shell.ok(&format!(
        "echo {} | xargs -n 1 kubectl create namespace",
        namespaces.join(" ")
    ))?;
    for namespace in namespaces {
        bulk.create(namespace, &runs::batch("hang", each))?;
        bulk.write_status(namespace, &names, &ended(&results))?;
    }
    let began = Instant::now();
    while silent.connections() < SEEN {
        ensure!(
            began.elapsed() < Duration::from_secs(60),
            "only {} runs hang",
            silent.connections()
        );
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// How long 99 in 100 runs of a wave waited for their mark at most, from their end on.
#[derive(Debug)]
struct Latency {
    with_registry: Duration,
    without_registry: Duration,
}

impl Latency {
    /// Lets the runs of a wave end, one after the other. Every other one has built an image.
    fn of_wave(bulk: &Bulk, registry: &Registry, watch: &Follow, wave: &str) -> Result<Self> {
        for number in 0..MEASURED {
            thread::sleep(PACE);
            let repository = format!("{}/{wave}/app-{number}", registry.host());
            let results = match number % 2 {
                0 => image(&repository, number + 2),
                _ => json!([]),
            };
            end(bulk, &format!("{wave}-{number}"), &results)?;
        }
        let (mut with_registry, mut without_registry) = (Vec::new(), Vec::new());
        for (number, latency) in latencies(watch, wave)? {
            match number % 2 {
                0 => with_registry.push(latency),
                _ => without_registry.push(latency),
            }
        }
        Ok(Self {
            with_registry: p99(with_registry),
            without_registry: p99(without_registry),
        })
    }
}

/// The time from the end of each run of a wave to its mark, as a watch of the cluster sees both.
fn latencies(watch: &Follow, wave: &str) -> Result<HashMap<usize, Duration>> {
    let mut ends: HashMap<usize, Instant> = HashMap::new();
    let mut latencies = HashMap::new();
    while latencies.len() < MEASURED {
        let (at, line) = watch.next_line()?;
        let words: Vec<&str> = line.split(' ').collect();
        let [name, "True", mark] = words[..] else {
            continue;
        };
        let Some((batch, number)) = name.rsplit_once('-') else {
            continue;
        };
        if batch != wave {
            continue;
        }
        let number = number.parse()?;
        let end = *ends.entry(number).or_insert(at);
        if mark == "true" {
            latencies.entry(number).or_insert(at - end);
        }
    }
    Ok(latencies)
}

/// The latency that 99 in 100 stay below.
fn p99(mut latencies: Vec<Duration>) -> Duration {
    latencies.sort();
    let index = (latencies.len() * 99).div_ceil(100).saturating_sub(1);
    latencies.get(index).copied().unwrap_or_default()
}

#[test]
fn while_200_runs_of_one_tenant_hang_those_of_another_are_signed_at_once() -> Result<()> {
    println!("{}", measure_beside(&["team-b".to_owned()], HANGING)?);
    Ok(())
}

#[test]
fn while_runs_of_40_tenants_hang_those_of_another_are_signed_at_once() -> Result<()> {
    let tenants: Vec<String> = (0..TENANTS)
        .map(|number| format!("hostile-{number}"))
        .collect();
    println!("{}", measure_beside(&tenants, HANGING_EACH)?);
    Ok(())
}

/// Measures runs of another tenant beside so many of each of these, and tells the figures.
fn measure_beside(tenants: &[String], each: usize) -> Result<String> {
    let silent = Silent::start()?;
    let mut figures = String::new();
    Testbed::with(Kind::Real, Cosign::Two, |testbed| {
        let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
        let shell = testbed.shell_with_login(&registry.docker_config(""))?;
        shell.ok(guide::KEY_PAIR)?;
        images::configure(
            &shell,
            &[
                ("artifacts.oci.storage", "oci"),
                ("artifacts.taskrun.storage", "tekton"),
                ("artifacts.taskrun.format", "slsa/v1"),
            ],
        )?;
        images::secret(&shell, "right", &registry.docker_config(""))?;
        // the runs name no account
        images::account(
            &shell,
            "default",
            &json!({ "secrets": [{ "name": "right" }] }),
        )?;
        let watch = shell.follow(WATCH)?;
        let bulk = Bulk::connect(testbed.kubeconfig())?;
        canary(&shell, &bulk)?;
        make(&bulk, "quiet", MEASURED)?;
        let quiet = Latency::of_wave(&bulk, &registry, &watch, "quiet")?;
        make(&bulk, "measured", MEASURED)?;
        hang((&shell, &bulk), &silent, tenants, each)?;
        let beside = Latency::of_wave(&bulk, &registry, &watch, "measured")?;
        let (count, all) = (tenants.len(), tenants.len() * each);
        figures = format!(
            "{quiet:?} while nobody hangs, {beside:?} beside {all} runs of {count} tenants that hang"
        );

        let bound = |bound: Duration, quiet: Duration| bound.max(quiet * GROWTH);
        let with_registry = bound(WITH_REGISTRY, quiet.with_registry);
        let without_registry = bound(WITHOUT_REGISTRY, quiet.without_registry);
        ensure!(
            beside.with_registry < with_registry && beside.without_registry < without_registry,
            "{beside:?}, not below {with_registry:?} and {without_registry:?}; {quiet:?} before"
        );
        hanging_ones_are_recorded(&shell, &tenants[0], each)
    })?;
    Ok(figures)
}

/// What goes on the hanging runs themselves is there, and no mark.
fn hanging_ones_are_recorded(shell: &Shell, namespace: &str, each: usize) -> Result<()> {
    let beside = shell.beside(namespace)?;
    for number in [0, each / 2, each - 1] {
        let run = RunRecord::of(&beside, &format!("taskrun/hang-{number} -n {namespace}"))?;
        ensure!(run.count("signature-") == 1, "{} is not signed", run.name());
        ensure!(
            run.annotation("signed").is_empty(),
            "{} is marked",
            run.name()
        );
    }
    Ok(())
}
