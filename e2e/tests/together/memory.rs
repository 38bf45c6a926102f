//! What the controller's memory does not depend on: a registry that keeps it waiting for the last byte,
//! how many images runs name there, and how many runs there are to sign.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::guide::SYSTEM_NAMESPACE;
use windlass_e2e::{Bulk, Cosign, Kind, Shell, Testbed, guide, images, runs};

/// Runs at the registry that stalls: as many as one namespace has places.
const AT_ONCE: usize = 64;
/// The largest body that is read from a registry without a limit of its own.
const BODY: usize = 4 << 20;
/// Most memory of the controller, with its key.
const MOST: u64 = 256 << 20;
/// Namespaces with runs of many images, how many each has, and how many images a run names.
const TENANTS: usize = 4;
const RUNS_EACH: usize = 8;
const IMAGES: usize = 8000;
/// How long these are under way before the memory is looked at.
const UNDER_WAY: Duration = Duration::from_secs(60);
/// Runs of the drain.
const DRAIN: usize = 500;
/// Most memory in a drain, once the key is loaded.
const MOST_IN_DRAIN: u64 = 64 << 20;

/// Prints why each run waits.
const REASONS: &str = r#"kubectl get taskruns -o jsonpath='{range .items[*]}{.metadata.annotations.chains\.tekton\.dev/reason}{"\n"}{end}'"#;

/// A registry whose responses to all but the first question stall one byte before their end.
struct Stalling {
    host: String,
    stalled: Arc<AtomicUsize>,
}

impl Stalling {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let host = listener.local_addr()?.to_string();
        let stalled = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&stalled);
        thread::spawn(move || {
            let open = Arc::<Mutex<Vec<TcpStream>>>::default();
            for connection in listener.incoming().flatten() {
                let (count, open) = (Arc::clone(&count), Arc::clone(&open));
                thread::spawn(move || {
                    // a client that goes away is of no interest
                    let _ = serve(connection, &count, &open);
                });
            }
        });
        Ok(Self { host, stalled })
    }
}

/// Answers the requests of a connection until it stalls; then the connection is kept open.
fn serve(
    mut connection: TcpStream,
    count: &AtomicUsize,
    open: &Mutex<Vec<TcpStream>>,
) -> Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            // a first byte that no word begins with: TLS, which this registry does not speak
            if connection.read(&mut byte)? == 0 || (head.is_empty() && byte[0] < b'A') {
                return Ok(());
            }
            head.push(byte[0]);
        }
        if head.starts_with(b"GET /v2/ ") {
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {BODY}\r\n\r\n");
        connection.write_all(head.as_bytes())?;
        count.fetch_add(1, Ordering::Relaxed);
        connection.write_all(&vec![b' '; BODY - 1])?;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push(connection);
        return Ok(());
    }
}

/// The status of a run that has ended with these results.
fn ended(results: &Value) -> Value {
    json!({ "status": {
        "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
        "completionTime": "2026-11-23T10:01:00Z",
        "results": results,
    }})
}

/// Makes runs and lets them end with these results.
fn run(bulk: &Bulk, namespace: &str, batch: &str, count: usize, results: &Value) -> Result<()> {
    bulk.create(namespace, &runs::batch(batch, count))?;
    let names: Vec<_> = (0..count)
        .map(|number| format!("{batch}-{number}"))
        .collect();
    bulk.write_status(namespace, &names, &ended(results))
}

/// A run without an image is signed.
fn signs(shell: &Shell, bulk: &Bulk, name: &str) -> Result<()> {
    run(bulk, SYSTEM_NAMESPACE, name, 1, &json!([]))?;
    runs::wait_until_signed(shell, &format!("taskrun/{name}-0"))
}

/// Makes runs that all built an image of the registry that stalls.
fn stall(bulk: &Bulk, registry: &Stalling) -> Result<()> {
    let digest = format!("sha256:{:064x}", 1);
    let url = format!("{}/a/app", registry.host);
    let results = json!([
        { "name": "IMAGE_URL", "type": "string", "value": url },
        { "name": "IMAGE_DIGEST", "type": "string", "value": digest },
    ]);
    run(bulk, SYSTEM_NAMESPACE, "stalled", AT_ONCE, &results)
}

#[test]
fn sixty_four_runs_at_a_registry_that_stalls_stay_under_256_mib() -> Result<()> {
    let registry = Stalling::start()?;
    Testbed::with(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        shell.ok(guide::KEY_PAIR)?;
        images::configure(&shell, &[("artifacts.oci.storage", "oci")])?;
        let bulk = Bulk::connect(testbed.kubeconfig())?;
        signs(&shell, &bulk, "canary")?;
        stall(&bulk, &registry)?;
        // each run says why it waits, once the registry has used up its time
        let begun = Instant::now();
        loop {
            let reasons = shell.ok(REASONS)?;
            let told = reasons.lines().filter(|line| !line.is_empty()).count();
            if told >= AT_ONCE {
                break;
            }
            let limit = Duration::from_secs(240);
            ensure!(begun.elapsed() < limit, "{told} runs say why they wait");
            thread::sleep(Duration::from_secs(1));
        }
        let stalled = registry.stalled.load(Ordering::Relaxed);
        ensure!(stalled >= 4, "only {stalled} responses stalled");
        let peak = testbed.peak_memory()?;
        println!("{stalled} responses stalled; {} MiB at most", peak >> 20);
        ensure!(peak < MOST, "the controller took {} MiB", peak >> 20);
        ensure!(testbed.controller_is_running(), "the controller ended");
        // and nobody else waits for these
        signs(&shell, &bulk, "after")
    })
}

/// Makes runs of a namespace that each name many images of the registry that stalls.
fn name_many_images(
    shell: &Shell,
    bulk: &Bulk,
    registry: &Stalling,
    namespace: &str,
) -> Result<()> {
    shell.ok(&format!("kubectl create namespace {namespace}"))?;
    for number in 0..RUNS_EACH {
        let images = (0..IMAGES).map(|image| {
            let host = &registry.host;
            format!("{host}/{namespace}/app@sha256:{number:032x}{image:032x}")
        });
        let images = images.collect::<Vec<_>>().join(",");
        let results = json!([{ "name": "IMAGES", "type": "string", "value": images }]);
        run(bulk, namespace, &format!("many-{number}"), 1, &results)?;
    }
    Ok(())
}

#[test]
fn runs_of_8000_images_in_four_namespaces_stay_under_256_mib_at_a_registry_that_stalls()
-> Result<()> {
    let registry = Stalling::start()?;
    Testbed::with(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        shell.ok(guide::KEY_PAIR)?;
        let settings = [
            ("artifacts.oci.storage", "oci"),
            ("artifacts.taskrun.storage", "oci"),
        ];
        images::configure(&shell, &settings)?;
        let bulk = Bulk::connect(testbed.kubeconfig())?;
        signs(&shell, &bulk, "canary")?;
        for number in 0..TENANTS {
            name_many_images(&shell, &bulk, &registry, &format!("team-{number}"))?;
        }
        let begun = Instant::now();
        let mut number = 0;
        while begun.elapsed() < UNDER_WAY {
            signs(&shell, &bulk, &format!("beside-{number}"))?;
            number += 1;
        }
        let stalled = registry.stalled.load(Ordering::Relaxed);
        ensure!(stalled >= TENANTS, "only {stalled} responses stalled");
        let peak = testbed.peak_memory()?;
        println!(
            "{stalled} responses stalled; {} MiB at most; {number} runs of another tenant signed",
            peak >> 20
        );
        ensure!(peak < MOST, "the controller took {} MiB", peak >> 20);
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}

#[test]
fn a_drain_stays_under_64_mib_once_the_key_is_loaded() -> Result<()> {
    Testbed::with(Kind::Real, Cosign::Two, |testbed| {
        let shell = testbed.shell().clone();
        shell.ok(guide::KEY_PAIR)?;
        runs::configure(&shell, "slsa/v1")?;
        runs::settle(&shell, "canary")?;
        testbed.forget_peak_memory()?;
        let bulk = Bulk::connect(testbed.kubeconfig())?;
        run(&bulk, SYSTEM_NAMESPACE, "drain", DRAIN, &json!([]))?;
        runs::wait_until_signed(&shell, "taskruns -l batch=drain")?;
        let peak = testbed.peak_memory()?;
        println!("{} KiB at most in a drain of {DRAIN} runs", peak >> 10);
        ensure!(
            peak < MOST_IN_DRAIN,
            "the controller took {} KiB",
            peak >> 10
        );
        Ok(())
    })
}
