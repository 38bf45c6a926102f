//! Reading and judging runs, for people and programs.
//!
//! Runs come from a cluster or from files; what was signed of them is read from their annotations,
//! from registries and from files. Nothing is printed here, and nothing is written.

pub(crate) mod documents;
pub(crate) mod files;
pub(crate) mod image;
pub(crate) mod input;
pub(crate) mod layers;
pub(crate) mod listing;
pub(crate) mod on_cluster;
pub(crate) mod runs;
pub(crate) mod selector;
pub(crate) mod summary;
pub(crate) mod verify;
