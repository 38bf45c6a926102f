//! A build without the feature `sigstore`: no timestamp is taken.

use windlass_core::key::Certificate;

use super::unproven::Unproven;

/// An authority, by its certificates.
#[derive(Debug)]
pub(crate) enum StampAuthority {}

impl StampAuthority {
    /// Refuses.
    pub(crate) fn new(_chain: &[Certificate]) -> Result<Self, &'static str> {
        Err("this build of windlass cannot check timestamps; use one with the feature `sigstore`")
    }

    pub(crate) fn check(&self, _response: &[u8], _stamped: &[u8]) -> Result<(), Unproven> {
        match *self {}
    }
}
