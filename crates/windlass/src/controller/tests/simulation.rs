//! The whole controller in simulated time: chance delays, refuses and loses requests and answers, ends
//! watches, kills controllers, breaks the configuration and deletes runs; whatever it does, each
//! finished run is signed at the end, and none says so before it is.
//!
//! Time is tokio's, and stands still while anything can be done; there is no network. One number, the
//! seed, decides all that happens. A failure prints it; to see that one again:
//!
//! `SIMULATION_SEED=7 cargo test -p windlass --lib simulation`
//!
//! `SIMULATION_SEEDS=100000` plays more of them, `SIMULATION_SECONDS=300` ends after that time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::*;

mod link;
mod registry_link;
mod script;
mod store;
mod weather;
mod world;

use self::script::Script;
use self::weather::Noted;
use self::world::World;

/// How many seeds are played where nothing else is asked for.
const SEEDS: u64 = 60;

/// What a number in the environment says.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
    )
}

/// Plays the world of one seed to its end and gives what was asked of the cluster and when.
fn play(seed: u64) -> Vec<Noted> {
    // pauses are drawn from the generator of the thread
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let script = Script::of(seed);
        let mut world = World::start(&script).await;
        world.play(&script).await;
        world.judge(&script).await;
        world.end().await
    })
}

#[test]
fn whatever_chance_does_each_finished_run_is_signed_and_none_says_so_before() {
    if let Some(seed) = number("SIMULATION_SEED") {
        play(seed);
        return;
    }
    let (begun, most) = (Instant::now(), number("SIMULATION_SECONDS"));
    let first = number("SIMULATION_FIRST").unwrap_or(1);
    let seeds = number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(first);
    let play_some = || {
        let in_time = || most.is_none_or(|most| begun.elapsed().as_secs() < most);
        while in_time() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                break;
            }
            let outcome = std::panic::catch_unwind(|| play(seed));
            assert!(
                outcome.is_ok(),
                "SIMULATION_SEED={seed} shows what went wrong"
            );
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(play_some);
        }
    });
    let played = (next.into_inner() - first).min(seeds);
    println!("{played} seeds from {first} in {:.1?}", begun.elapsed());
}

#[test]
fn the_same_seed_plays_the_same_world() {
    for seed in 1..=12 {
        let (mut first, mut second) = (play(seed), play(seed));
        // what happens at the same moment has no order
        first.sort();
        second.sort();
        let differs = first
            .iter()
            .zip(&second)
            .position(|(one, other)| one != other);
        assert_eq!(
            differs,
            None,
            "seed {seed}: {:?}",
            differs.map(|at| (&first[at], &second[at]))
        );
        assert_eq!(first.len(), second.len());
    }
}
