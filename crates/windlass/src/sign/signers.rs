//! The signers that are loaded: each artifact takes the one that `artifacts.X.signer` names.

use windlass_core::config::SignerKind;

use super::Signer;

/// The signers of a pass, each loaded or missing for a reason.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signers<'s> {
    /// The key of the secret `signing-secrets`.
    pub(crate) x509: Result<&'s Signer, &'s str>,
    /// The key in a service that `signers.kms.kmsref` names.
    pub(crate) kms: Result<&'s Signer, &'s str>,
}

impl<'s> Signers<'s> {
    /// The signer of this name, or why there is none.
    pub(crate) fn get(self, kind: SignerKind) -> Result<&'s Signer, &'s str> {
        match kind {
            SignerKind::X509 => self.x509,
            SignerKind::Kms => self.kms,
            SignerKind::None => Err("signing is switched off"),
        }
    }
}
