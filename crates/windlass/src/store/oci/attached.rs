//! Signatures and attestations attached to an image: layers under its tags `.sig` and `.att`, and
//! referrers.
//!
//! Whoever runs the registry chooses all of it: [`bounds`] says how much is read at most.

pub(crate) mod bounds;
mod content;
mod entry;
mod error;
mod list;
mod read;

pub(crate) use self::error::AttachedError;
pub(crate) use self::list::{Attached, list};
pub(crate) use self::read::read;
