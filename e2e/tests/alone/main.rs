//! The scenarios that measure, or that take every core: one runs at a time (`--test-threads=1`).

mod chaos;
mod fairness;
mod large_runs;
mod replicas;
