//! Images, runs and files verified.

mod certificates;
mod files;
mod images;
mod registry;
mod runs;
