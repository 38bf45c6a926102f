//! What is typed.

use std::path::PathBuf;

use clap::Parser;

use crate::scenario::Scenario;

/// Measure how a controller signs the runs of a scenario
#[derive(Debug, Parser)]
#[command(name = "load", max_term_width = 100)]
pub(crate) struct Arguments {
    /// What is signed
    pub(crate) scenario: Scenario,
    /// How many runs are made; those of pipelines count once for all their tasks
    #[arg(long, default_value_t = 2500)]
    pub(crate) runs: usize,
    /// How many runs a second end in a scenario that is ongoing
    #[arg(long, default_value_t = 50)]
    pub(crate) rate: u32,
    /// How many namespaces the runs are in
    #[arg(long, default_value_t = 1)]
    pub(crate) namespaces: usize,
    /// How many runs are made at a time
    #[arg(long, default_value_t = 24)]
    pub(crate) at_once: usize,
    /// Cluster to use; without it, one is started, with a registry and windlass
    #[arg(long, requires = "pid")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Process of the controller at that cluster; it is stopped while the runs of a bigbang are made
    #[arg(long, requires = "kubeconfig")]
    pub(crate) pid: Option<u32>,
    /// Registry, with a path, that images of the runs are in
    #[arg(long, requires = "kubeconfig")]
    pub(crate) registry: Option<String>,
    /// Program to start in place of windlass, with Chains' arguments and environment
    #[arg(long, conflicts_with = "kubeconfig")]
    pub(crate) controller: Option<PathBuf>,
}
