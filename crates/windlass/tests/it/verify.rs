//! Images, runs and files verified.

mod bounds;
mod certificates;
mod claims;
mod files;
mod images;
pub mod registry;
mod runs;
