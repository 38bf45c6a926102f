//! The scenarios: which runs are made, and when.

use clap::ValueEnum;
use windlass_e2e::plan::{Kind, RunPlan};

/// Tasks of a pipeline, and steps of a task, where there are several.
const SEVERAL: usize = 10;

/// A scenario of the public performance tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Task runs that built an image end at a rate
    SigningOngoing,
    /// Task runs that built nothing end at a rate; not among the public ones
    SigningOngoingTekton,
    /// Task runs that have ended when the controller starts
    SigningTrTektonBigbang,
    /// Pipeline runs with ten task runs each
    SigningTrTektonBigbangMultipleTaskrun,
    /// Task runs with ten steps each
    #[value(alias = "signing-tr-tekton-bigbang-multi-steps")]
    SigningTrTektonBigbangTrMultiSteps,
    /// Task runs that built an image, which is signed in a registry of its own
    SigningStandociBigbang,
    /// Task runs that are signed when the controller starts: when it is ready, and its memory
    SignedRunsPresent,
}

impl Scenario {
    /// Whether runs end while they are signed, and not all before.
    pub(crate) fn is_ongoing(self) -> bool {
        matches!(self, Self::SigningOngoing | Self::SigningOngoingTekton)
    }

    pub(crate) fn has_images(self) -> bool {
        matches!(self, Self::SigningOngoing | Self::SigningStandociBigbang)
    }

    pub(crate) fn has_pipelines(self) -> bool {
        self == Self::SigningTrTektonBigbangMultipleTaskrun
    }

    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The objects of one run, in the order in which they end.
    pub(crate) fn plans(
        self,
        number: usize,
        namespace: &str,
        batch: &str,
        registry: Option<&str>,
    ) -> Vec<RunPlan> {
        let name = format!("{batch}-{number}");
        let mut plan = RunPlan::task(namespace, &name, batch);
        match self {
            Self::SigningTrTektonBigbang | Self::SigningOngoingTekton | Self::SignedRunsPresent => {
            }
            Self::SigningTrTektonBigbangTrMultiSteps => plan.steps = SEVERAL,
            Self::SigningOngoing | Self::SigningStandociBigbang => {
                plan.image = registry.map(|registry| {
                    // as many repositories as a team may have
                    let repository = format!("{registry}/app-{}", number % 16);
                    (repository, format!("sha256:{:064x}", number + 1))
                });
            }
            Self::SigningTrTektonBigbangMultipleTaskrun => return pipeline(&plan),
        }
        vec![plan]
    }
}

/// A pipeline run of this name after the runs of its tasks.
fn pipeline(plan: &RunPlan) -> Vec<RunPlan> {
    let children = (0..SEVERAL).map(|number| format!("{}-{number}", plan.name));
    let children: Vec<String> = children.collect();
    let mut plans: Vec<RunPlan> = children
        .iter()
        .map(|name| RunPlan {
            name: name.clone(),
            parent: Some(plan.name.clone()),
            ..plan.clone()
        })
        .collect();
    plans.push(RunPlan {
        kind: Kind::PipelineRun,
        children,
        ..plan.clone()
    });
    plans
}
