//! Images, runs and files verified.

mod bounds;
mod certificates;
mod files;
mod images;
mod registry;
mod runs;
