//! Traces: what an image or a run was made from, as a graph of images, runs, sources and definitions.
//!
//! Only provenance that one of the given keys signed is followed. Whoever signed it chose the names in
//! it, so it decides neither with which credential nor how far a registry is reached: see [`reach`].
//! How much is read is bounded: see [`Bounds`].

use std::time::Duration;

use tokio::time::Instant;
use windlass_core::verify::Story;

pub(crate) mod evidence;
mod graph;
pub(crate) mod reach;
mod walk;

pub(crate) use self::graph::{Node, NodeKind, State, Trace};
pub(crate) use self::walk::{Walk, of_image, of_run};

/// Most images that are read at once.
const AT_ONCE: usize = 4;
/// Most nodes of a trace.
const NODES: usize = 400;
/// Most provenances of one image that are told.
const STORIES: usize = 4;

/// How far a trace goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How many images in a row.
    pub(crate) depth: usize,
    /// How many images altogether.
    pub(crate) images: usize,
    /// How long one image may take.
    pub(crate) each: Duration,
    /// When it ends; what is not read by then is told.
    pub(crate) until: Instant,
}

/// A provenance that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) story: Story,
    /// The key that signed it: fingerprint and algorithm.
    pub(crate) key: String,
    /// Where it was found.
    pub(crate) place: String,
}
