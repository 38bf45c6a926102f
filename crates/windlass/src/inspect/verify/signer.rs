//! Who has to have signed: whoever has a key, or whom a certificate names.

use std::sync::Arc;

use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::key::PublicKey;
use windlass_core::verify::{self, Expected, Outcome};

use crate::sigstore::{Material, Rule, Signatory, Signed, Verifier, Who};

/// Who has to have signed.
#[derive(Debug, Clone)]
pub(crate) enum ExpectedSigner {
    /// Whoever has the private half of a key; with a verifier, logs or timestamps have to vouch for it.
    Key(Box<PublicKey>, Option<Arc<Verifier>>),
    /// Whom a certificate names.
    Certificate(Box<Signatory>, Arc<Verifier>),
}

impl ExpectedSigner {
    /// Whoever has the private half of a key, with nothing to vouch for it.
    pub(crate) fn of_key(key: &PublicKey) -> Self {
        Self::Key(Box::new(key.clone()), None)
    }

    /// Checks the signature over some bytes; the error is the finding.
    pub(crate) fn message(
        &self,
        message: &[u8],
        signature: &[u8],
        material: &Material,
    ) -> Result<(), String> {
        let signed = Signed::Message { message, signature };
        match self {
            Self::Key(key, verifier) => {
                key.verify(message, signature).map_err(|error| {
                    format!(
                        "the signature does not match this payload and key: {}",
                        Chain(&error)
                    )
                })?;
                vouched(key, verifier.as_deref(), signed, material)
            }
            Self::Certificate(signatory, verifier) => {
                certified(signatory, verifier, signed, material)
            }
        }
    }

    /// Checks an attestation.
    pub(crate) fn attestation(
        &self,
        envelope: &Envelope,
        material: &Material,
        expected: &Expected,
    ) -> Outcome {
        let signed = Signed::Envelope(envelope);
        match self {
            Self::Key(key, verifier) => {
                let vouched = vouched(key, verifier.as_deref(), signed, material);
                match vouched {
                    Err(finding) if envelope.verify(key).is_ok() => {
                        verify::attestation_signed(envelope, Err(finding), expected)
                    }
                    _ => verify::attestation(envelope, key, expected),
                }
            }
            Self::Certificate(signatory, verifier) => {
                let certified = certified(signatory, verifier, signed, material);
                verify::attestation_signed(envelope, certified, expected)
            }
        }
    }

    /// What was asked of logs.
    pub(super) fn log(&self) -> &'static str {
        let (Self::Key(_, Some(verifier)) | Self::Certificate(_, verifier)) = self else {
            return "none was consulted";
        };
        match verifier.policy().log {
            Rule::Required => "has an entry for each valid signature",
            Rule::Waived => "no entry was asked for",
        }
    }

    /// It in a line.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Key(key, None) => format!("{} ({})", key.key_id(), key.algorithm()),
            Self::Key(key, Some(_)) => {
                format!("{} ({}), and a trusted root", key.key_id(), key.algorithm())
            }
            Self::Certificate(signatory, _) => signatory.describe(),
        }
    }
}

fn vouched(
    key: &PublicKey,
    verifier: Option<&Verifier>,
    signed: Signed<'_>,
    material: &Material,
) -> Result<(), String> {
    let Some(verifier) = verifier else {
        return Ok(());
    };
    let judged = verifier.signed(Who::Key(key), signed, material);
    judged.map(drop)
}

fn certified(
    signatory: &Signatory,
    verifier: &Verifier,
    signed: Signed<'_>,
    material: &Material,
) -> Result<(), String> {
    let judged = verifier.signed(Who::Certificate(signatory), signed, material);
    judged.map(drop)
}
