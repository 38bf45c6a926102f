//! The controller as a program.

mod flags;
mod memory;
mod process;
