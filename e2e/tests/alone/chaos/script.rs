//! What happens, and in which order: drawn from a seed before it begins.

use std::time::Duration;

use fastrand::Rng;
use windlass_e2e::plan::RunPlan;

/// Namespaces, of which both controllers have some.
pub(crate) const TEAMS: usize = 6;
/// Runs for each kill, and for each of the other steps.
const RUNS_A_KILL: usize = 100;
const RUNS_A_STEP: usize = 2_000;
/// Fewest kills.
const KILLS: usize = 6;
/// Longest time after a step, in milliseconds.
const LONGEST: u64 = 1_500;

/// Something that happens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// One of the two controllers is killed and started again after a while.
    Kill {
        controller: usize,
        away: Duration,
    },
    RestartApi,
    /// The ways to the API server and the registry are bad for a while.
    BadNetwork(Duration),
    RotateKey,
    /// The configuration cannot be read for a while.
    BreakConfig(Duration),
}

/// A step: what happens, and how long nothing else does afterwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) event: Event,
    pub(crate) calm: Duration,
}

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    runs: usize,
    kills: usize,
    others: usize,
}

impl Script {
    pub(crate) fn of(seed: u64, runs: usize) -> Self {
        let mut chance = Rng::with_seed(seed);
        let kills = (runs / RUNS_A_KILL).max(KILLS);
        let others = (runs / RUNS_A_STEP).max(1);
        let mut events: Vec<Event> = (0..kills)
            .map(|_| Event::Kill {
                controller: chance.usize(0..2),
                away: moment(&mut chance),
            })
            .collect();
        for _ in 0..others {
            events.push(Event::RestartApi);
            events.push(Event::BadNetwork(moment(&mut chance) * 3));
            events.push(Event::RotateKey);
            events.push(Event::BreakConfig(moment(&mut chance)));
        }
        chance.shuffle(&mut events);
        let steps = events.into_iter().map(|event| Step {
            event,
            calm: moment(&mut chance),
        });
        Self {
            steps: steps.collect(),
            runs,
            kills,
            others,
        }
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{} kills, {} each of restarts of the API server, bad networks, keys and broken \
             configurations",
            self.kills, self.others
        )
    }

    /// The runs, every other one with an image of its own in the registry at an address.
    pub(crate) fn plans(&self, registry: &str) -> Vec<RunPlan> {
        let plan = |number: usize| {
            let team = format!("team-{}", number % TEAMS);
            let mut plan = RunPlan::task(&team, &format!("run-{number}"), "chaos");
            if (number / TEAMS).is_multiple_of(2) {
                let digest = format!("sha256:{:064x}", number + 1);
                plan.image = Some((format!("{registry}/{team}/app"), digest));
            }
            plan
        };
        (0..self.runs).map(plan).collect()
    }
}

fn moment(chance: &mut Rng) -> Duration {
    Duration::from_millis(chance.u64(50..LONGEST))
}
