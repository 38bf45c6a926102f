//! The servers through a socket, as a client sees them.
#![expect(
    clippy::unwrap_used,
    reason = "a test program: what fails here fails the test"
)]

mod cluster;
mod registry;
