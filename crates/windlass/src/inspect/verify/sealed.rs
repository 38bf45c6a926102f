//! The seal of a run's mark, where nothing else of the run is read.

use windlass_core::error::Chain;
use windlass_core::run::{Kind, Metadata};
use windlass_core::seal::{self, Seal, SealError};

use super::ExpectedSigner;

/// Checks the seal of a run by any of the signers; the error is the finding.
pub(crate) fn by_any<'r>(
    signers: &[ExpectedSigner],
    kind: Kind,
    metadata: &'r Metadata<'_>,
) -> Result<Seal<'r>, String> {
    let keys = signers.iter().filter_map(|signer| match signer {
        ExpectedSigner::Key(key, _) => Some(&**key),
        ExpectedSigner::Certificate(..) => None,
    });
    let mut finding = match seal::verify(kind, metadata, keys) {
        Ok(seal) => return Ok(seal),
        Err(error) => error,
    };
    for signer in signers {
        let ExpectedSigner::Certificate(signatory, verifier) = signer else {
            continue;
        };
        let Some(leaf) = seal::certificate(metadata) else {
            return Err(match finding {
                SealError::UnknownKey => NO_CERTIFICATE.to_owned(),
                other => Chain(&other).to_string(),
            });
        };
        let authority = verifier.authority_of_seal(&leaf, signatory)?;
        match seal::verify_by(kind, metadata, [], [&authority], None) {
            Ok(seal) => return Ok(seal),
            Err(error) => finding = error,
        }
    }
    Err(Chain(&finding).to_string())
}

/// What is said of a seal without a certificate where one is expected.
const NO_CERTIFICATE: &str =
    "the seal has no certificate: it was made with a key; give that with --key";
