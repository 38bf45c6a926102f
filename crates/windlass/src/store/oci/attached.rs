//! Signatures and attestations attached to an image: layers under its tags `.sig` and `.att`, and
//! referrers.
//!
//! They are read from a registry, or from a folder that the image was saved in: see [`Shelf`]. Whoever
//! runs the one or made the other chooses all of it: [`bounds`] says how much is read at most.

pub(crate) mod bounds;
mod content;
mod entry;
mod error;
mod list;
mod place;
mod read;
mod shelf;

pub(crate) use self::error::AttachedError;
pub(crate) use self::list::{Attached, list};
pub(crate) use self::read::read;
pub(crate) use self::shelf::Shelf;
