//! The bounds of a trace: those of every one, and those that are asked for.

use std::time::Duration;

use tokio::time::Instant;

/// Most images that are read at once.
pub(super) const AT_ONCE: usize = 4;
/// Most nodes of a trace.
pub(super) const NODES: usize = 400;
/// Most provenances of one image that are told.
pub(super) const STORIES: usize = 4;

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
