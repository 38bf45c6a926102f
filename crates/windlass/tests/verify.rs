//! Images, runs and files verified on the command line, as a person types it.
#![cfg(feature = "sandbox")]
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "blob/shell.rs"]
#[expect(dead_code, reason = "other commands use the rest of it")]
mod shell;

mod verify {
    pub mod certificates;
    pub mod files;
    pub mod images;
    pub mod registry;
    pub mod runs;
}
