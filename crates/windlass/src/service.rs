//! Services that the operator names: the ground that key services and logs share.
//!
//! Nothing here knows what a service does. [`http`] speaks to one, [`breaker`] leaves one in peace that does
//! not respond, and [`file`] reads what it is spoken to with.

pub(crate) mod breaker;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod http;
