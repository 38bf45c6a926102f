//! Services that the operator names: the ground that key services and logs share.
//!
//! Nothing here knows what a service does. [`http`] speaks to one, [`breaker`] leaves one in peace that does
//! not respond.

pub(crate) mod breaker;
pub(crate) mod error;
pub(crate) mod http;
