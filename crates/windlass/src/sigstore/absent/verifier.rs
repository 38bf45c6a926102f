//! A build without the feature `sigstore`: there is no verifier.

use windlass_core::certificate::Authority;
use windlass_core::dsse::Envelope;
use windlass_core::key::Certificate;

use super::material::Material;
use super::policy::Policy;
use super::signatory::{Signatory, Subject};
use super::signed::{Blob, RootError, Signed, Who};
use super::trust::Trusted;

/// What judges signatures by a trusted root.
#[derive(Debug)]
pub(crate) enum Verifier {}

impl Verifier {
    /// Refuses.
    pub(crate) fn new(_root: &[u8], _policy: Policy) -> Result<Self, RootError> {
        Err(RootError(
            "this build of windlass has no Sigstore verification; use one with the feature `sigstore`"
                .to_owned(),
        ))
    }

    pub(crate) fn policy(&self) -> Policy {
        match *self {}
    }

    pub(crate) fn contents(&self) -> Vec<Trusted> {
        match *self {}
    }

    pub(crate) fn signed(
        &self,
        _who: Who<'_>,
        _signed: Signed<'_>,
        _material: &Material,
    ) -> Result<Subject, String> {
        match *self {}
    }

    pub(crate) fn blob(
        &self,
        _who: Who<'_>,
        _bundle: &[u8],
        _blob: Blob<'_>,
    ) -> Result<Subject, String> {
        match *self {}
    }

    pub(crate) fn authority_of_seal(
        &self,
        _leaf: &Certificate,
        _signatory: &Signatory,
    ) -> Result<Authority, String> {
        match *self {}
    }

    pub(crate) fn envelope(&self, _who: Who<'_>, _bundle: &[u8]) -> Result<Envelope, String> {
        match *self {}
    }
}

/// Refuses.
pub(crate) fn blob_by_key(
    _key: &windlass_core::key::PublicKey,
    _text: &[u8],
    _blob: Blob<'_>,
) -> Result<(), String> {
    Err("this build of windlass reads no bundle of a file".to_owned())
}
