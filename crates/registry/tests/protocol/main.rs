//! The client against the registry of the sandbox, with its quirks and faults.

// What cannot be set up has failed.
#![allow(clippy::unwrap_used)]

mod append;
mod at;
mod budget;
mod credentials;
mod faults;
mod network;
mod parts;
mod push_pull;
mod referrers;
