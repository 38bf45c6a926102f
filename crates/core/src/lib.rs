//! The pure heart of windlass: what a run is, what is attested about it, and how that is encoded and signed.

pub mod config;
pub mod dsse;
pub mod format;
pub mod intoto;
pub mod json;
pub mod key;
pub mod run;
pub mod value;
