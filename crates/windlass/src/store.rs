//! Where signed artifacts are stored.
//!
//! The store `tekton` is the run itself, `oci` the registry of the image. The other stores of Tekton
//! Chains are known by name and refused, so that nothing is marked as signed that is not stored
//! everywhere it should be.

pub(crate) mod oci;
pub(crate) mod run;
