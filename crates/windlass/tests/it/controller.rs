//! The controller as a program.

mod authority;
mod flags;
mod memory;
mod metrics;
mod plugins;
pub mod process;
mod rights;
