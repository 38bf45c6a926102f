//! The controller as a program.

mod authority;
mod flags;
mod memory;
mod metrics;
pub mod process;
mod rights;
