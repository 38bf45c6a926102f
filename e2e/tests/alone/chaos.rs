//! Chaos on the real servers: two controllers are killed again and again, the API server is killed,
//! the ways to it and to the registry are bad, keys are changed and the configuration is broken while
//! runs finish. In the end each run is signed, once, by a key of its time, and nothing secret was said.
//!
//! `CHAOS_RUNS` is the number of runs, `CHAOS_SEED` repeats what happened in a test before, as far as
//! the order of processes allows:
//!
//! `CHAOS_RUNS=10000 CHAOS_SEED=7 cargo test -p windlass-e2e --test alone chaos -- --nocapture`

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use windlass_e2e::plan::{self, RunPlan};
use windlass_e2e::{Api, Cosign, Kind, Testbed};

mod judge;
mod script;
mod storm;

use self::script::Script;
use self::storm::Storm;

/// How many runs there are where nothing else is asked for.
const RUNS: usize = 150;
/// How many runs are made at a time.
const AT_ONCE: usize = 8;

/// What a number in the environment says.
fn number(name: &str) -> Result<Option<u64>> {
    let Ok(text) = std::env::var(name) else {
        return Ok(None);
    };
    let number = text.parse();
    number
        .map(Some)
        .with_context(|| format!("{name} is not a number: {text}"))
}

#[test]
fn whatever_breaks_each_run_is_signed_once_and_nothing_secret_is_said() -> Result<()> {
    let runs = number("CHAOS_RUNS")?.map_or(Ok(RUNS), usize::try_from)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let seed = number("CHAOS_SEED")?.unwrap_or(u64::from(now.subsec_nanos()));
    let script = Script::of(seed, runs);
    println!("CHAOS_SEED={seed} CHAOS_RUNS={runs}: {}", script.summary());
    Testbed::without_controller(Kind::Real, Cosign::Two, |testbed| {
        let begun = Instant::now();
        let mut storm = Storm::begin(testbed, seed)?;
        let plans = script.plans(&storm.registry_address());
        play(&mut storm, &script, &plans)?;
        let played = begun.elapsed();
        storm.end()?;
        judge::all_is_signed(&storm, &plans)?;
        let signed = begun.elapsed();
        let faults = storm.faults();
        let images = judge::all_is_valid(&storm, &plans)?;
        println!(
            "{images}{runs} runs signed and valid, {faults} faults of the network; {:.0} s of chaos, all \
             signed after {:.0} s, judged after {:.0} s",
            played.as_secs_f64(),
            signed.as_secs_f64(),
            begun.elapsed().as_secs_f64()
        );
        Ok(())
    })
}

/// Lets everything happen that is to happen, while runs are made and finished.
fn play(storm: &mut Storm<'_>, script: &Script, plans: &[RunPlan]) -> Result<()> {
    let share = plans.len().div_ceil(script.steps.len());
    let kubeconfig = storm.kubeconfig();
    // one batch waits while another one is made
    let (sender, batches) = sync_channel::<Vec<RunPlan>>(1);
    let feeder = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let api = Api::connect(&kubeconfig).await?;
            for batch in batches {
                plan::run_all(&api, &batch, AT_ONCE).await?;
            }
            Ok(())
        })
    });
    let mut batches = plans.chunks(share);
    let outcome = script.steps.iter().try_for_each(|step| {
        if let Some(batch) = batches.next() {
            // the feeder says by itself why it takes no more
            let _ = sender.send(batch.to_vec());
        }
        storm.perform(*step)
    });
    drop(sender);
    let fed: Result<()> = feeder.join().ok().context("the feeder panicked")?;
    fed.and(outcome)
}
