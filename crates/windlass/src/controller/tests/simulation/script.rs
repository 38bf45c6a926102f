//! What happens in a world, and when: drawn from its seed before it begins.

use std::time::Duration;

use fastrand::Rng;
use windlass_core::config::Encoding;

/// How long chance has its way.
pub(super) const STORM: Duration = Duration::from_secs(180);

/// Most controllers at the same time.
pub(super) const MOST_CONTROLLERS: usize = 3;
const ENCODINGS: [(&str, Encoding); 3] = [
    ("dsse", Encoding::Dsse),
    ("sigstore-bundle", Encoding::SigstoreBundle),
    ("both", Encoding::Both),
];

/// One world.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    /// Controllers that run at the same time.
    pub(super) controllers: usize,
    /// Whether they share the work by leases; else none knows of another, and each does everything.
    pub(super) is_shared: bool,
    /// Whether runs build images, and what is signed goes to a registry as well.
    pub(super) has_registry: bool,
    /// How it is attached there, and what the settings call that.
    pub(super) encoding: (&'static str, Encoding),
    /// Whether the registry lists referrers.
    pub(super) has_referrers: bool,
    /// How many images the runs build between them, if not each its own.
    shared_images: Option<usize>,
    /// When many runs are finished at once.
    rush: Option<Duration>,
    /// What happens, in the order of time.
    pub(super) steps: Vec<(Duration, Step)>,
    pub(super) runs: Vec<Plan>,
}

/// A run that is to be.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) name: String,
    /// The pipeline run that it is a task of, by its place among the runs.
    pub(super) parent: Option<usize>,
    pub(super) is_pipeline: bool,
    /// The image that it builds.
    pub(super) image: usize,
    /// Whether somebody deletes it.
    pub(super) is_deleted: bool,
}

/// Something that happens; runs and controllers are named by their places.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Create(usize),
    Finish(usize),
    /// Somebody adds an annotation.
    Touch(usize),
    Delete(usize),
    Kill(usize),
    Start(usize),
    BreakConfig,
    MendConfig,
}

impl Script {
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = Rng::with_seed(seed);
        let mut script = Self {
            seed,
            controllers: chance.usize(1..=2),
            is_shared: chance.bool(),
            has_registry: chance.bool(),
            encoding: ENCODINGS[chance.usize(..ENCODINGS.len())],
            has_referrers: chance.bool(),
            shared_images: None,
            rush: None,
            steps: Vec::new(),
            runs: Vec::new(),
        };
        if script.has_registry && chance.u8(..) < 160 {
            script.controllers = chance.usize(1..=MOST_CONTROLLERS);
            script.shared_images = Some(chance.usize(1..=2));
            script.rush = Some(moment(&mut chance, Duration::ZERO)).filter(|_| chance.bool());
        }
        for _ in 0..chance.usize(1..=4) {
            script.task_run(&mut chance, None);
        }
        if chance.bool() {
            script.pipeline_run(&mut chance);
        }
        for controller in 0..script.controllers {
            script.kills(&mut chance, controller);
        }
        if chance.u8(..) < 64 {
            let broken = moment(&mut chance, Duration::ZERO);
            let mended = moment(&mut chance, broken);
            script.at(broken, Step::BreakConfig);
            script.at(mended, Step::MendConfig);
        }
        script.steps.sort_by_key(|(at, _)| *at);
        script
    }

    /// How many images there are.
    pub(super) fn images(&self) -> usize {
        self.shared_images.unwrap_or(self.runs.len())
    }

    /// How much can be told of an image: of each run that builds it, and once more for each change of it.
    pub(super) fn most_attestations(&self, image: usize) -> usize {
        let runs = self.runs.iter().enumerate();
        let builders = runs.filter(|(_, plan)| plan.image == image);
        builders.map(|(run, _)| 1 + self.touches(run)).sum()
    }

    /// How often somebody changes a run, which is then another one to tell of.
    fn touches(&self, run: usize) -> usize {
        let touches = self.steps.iter();
        let touches = touches.filter(|(_, step)| matches!(step, Step::Touch(it) if *it == run));
        touches.count()
    }

    fn at(&mut self, at: Duration, step: Step) {
        self.steps.push((at, step));
    }

    /// Adds a task run, and gives when it is finished.
    fn task_run(&mut self, chance: &mut Rng, parent: Option<usize>) -> Duration {
        let run = self.runs.len();
        let begun = parent.map_or(Duration::ZERO, |parent| self.created(parent));
        let is_deleted = parent.is_none() && chance.u8(..) < 40;
        self.runs.push(Plan {
            name: format!("run-{run}"),
            parent,
            is_pipeline: false,
            image: self.image(chance, run),
            is_deleted,
        });
        self.live(chance, run, begun)
    }

    /// The times of a run that cannot begin earlier; gives when it is finished.
    fn live(&mut self, chance: &mut Rng, run: usize, begun: Duration) -> Duration {
        let created = moment(chance, begun);
        let is_short = chance.bool();
        let finished = match self.rush.filter(|rush| *rush >= created) {
            Some(rush) => rush,
            None if is_short => created,
            None => moment(chance, created),
        };
        self.at(created, Step::Create(run));
        self.at(finished, Step::Finish(run));
        if chance.u8(..) < 64 {
            let touched = moment(chance, created);
            self.at(touched, Step::Touch(run));
        }
        if self.runs[run].is_deleted {
            let deleted = moment(chance, finished);
            self.at(deleted, Step::Delete(run));
        }
        finished
    }

    /// The image of a run.
    fn image(&self, chance: &mut Rng, run: usize) -> usize {
        self.shared_images
            .map_or(run, |images| chance.usize(..images))
    }

    fn created(&self, run: usize) -> Duration {
        let mut steps = self.steps.iter();
        let created = steps.find(|(_, step)| matches!(step, Step::Create(it) if *it == run));
        created.map_or(Duration::ZERO, |(at, _)| *at)
    }

    /// Adds a pipeline run with its tasks. It is finished when they are, as with Tekton.
    fn pipeline_run(&mut self, chance: &mut Rng) {
        let run = self.runs.len();
        self.runs.push(Plan {
            name: format!("run-{run}"),
            parent: None,
            is_pipeline: true,
            image: self.image(chance, run),
            is_deleted: false,
        });
        let created = moment(chance, Duration::ZERO);
        self.at(created, Step::Create(run));
        let mut finished = created;
        for _ in 0..chance.usize(1..=3) {
            finished = finished.max(self.task_run(chance, Some(run)));
        }
        let finished = moment(chance, finished);
        self.at(finished, Step::Finish(run));
    }

    fn kills(&mut self, chance: &mut Rng, controller: usize) {
        let mut at = Duration::ZERO;
        for _ in 0..chance.usize(0..=3) {
            at = moment(chance, at);
            self.at(at, Step::Kill(controller));
            at = moment(chance, at);
            self.at(at, Step::Start(controller));
        }
    }
}

/// A moment after another one, mostly soon.
fn moment(chance: &mut Rng, after: Duration) -> Duration {
    let left = STORM.saturating_sub(after);
    after + left.mul_f64(chance.f64() * chance.f64())
}
