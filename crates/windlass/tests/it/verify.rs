//! Images, runs and files verified.

mod bounds;
mod certificates;
mod claims;
mod files;
mod images;
mod registry;
mod runs;
