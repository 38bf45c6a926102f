//! Traces: what an image or a run was made from, as a graph of images, runs, sources and definitions.
//!
//! Only provenance that one of the given keys, or whom a certificate names, signed is followed. Whoever signed it chose the names in
//! it, so it decides neither with which credential nor how far a registry is reached: see [`reach`].
//! How much is read is bounded: see [`Bounds`].

mod bounds;
pub(crate) mod evidence;
mod graph;
pub(crate) mod reach;
mod told;
mod walk;

pub(crate) use self::bounds::Bounds;
pub(crate) use self::graph::{Node, NodeKind, State, Trace};
pub(crate) use self::told::Told;
pub(crate) use self::walk::{Walk, of_image, of_run};
