//! Tekton's API types: their layout as Tekton Chains writes it, and older versions of them.
//!
//! Chains decodes a run into Go structs and encodes parts of it again. That drops unknown fields,
//! adds empty ones and rewrites values; [`Projection`] does the same from tables.

pub(crate) use self::project::{Projection, Warnings};

mod core_types;
pub mod duration;
mod project;
mod quantity;
mod schema;
mod tekton_types;
pub mod v1beta1;
