//! Reading and judging runs, for people and programs.
//!
//! Runs come from a cluster or from files; signatures and attestations come from their annotations,
//! from registries and from files. Everything here gives a value or an error: the command line
//! prints it, other programs take it as data. Nothing is stored.

pub(crate) mod audit;
pub(crate) mod doctor;
pub(crate) mod documents;
pub(crate) mod files;
pub(crate) mod image;
pub(crate) mod layers;
pub(crate) mod leftovers;
pub(crate) mod listing;
pub(crate) mod migration;
pub(crate) mod names;
pub(crate) mod on_cluster;
pub(crate) mod push_access;
pub(crate) mod runs;
pub(crate) mod selector;
pub(crate) mod summary;
pub(crate) mod trace;
pub(crate) mod verify;
