//! The pure heart of windlass: what a run is, what is attested about it, and how that is encoded and signed.

pub mod dsse;
pub mod key;
