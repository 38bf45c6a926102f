//! Who certified the key of a seal.
//!
//! A seal has no log entry and no timestamp, so nobody vouches for when it was made: everything of the
//! certificate is checked but that. Its key never was anywhere but in the memory of a signer (see
//! [`windlass_core::seal`]).

use jiff::Timestamp;
use sigstore_types::DerCertificate;
use sigstore_verify::crypto::parse_certificate_info;
use windlass_core::certificate::{Authority, sct};
use windlass_core::key::Certificate;

use super::Verifier;
use crate::sigstore::certified::{certificate_logs, issuer};
use crate::sigstore::named;
use crate::sigstore::policy::Rule;
use crate::sigstore::signatory::Signatory;

impl Verifier {
    /// The authority of the trusted root that certified the key of a seal, for a name that is expected;
    /// the error is the finding.
    pub(crate) fn authority_of_seal(
        &self,
        leaf: &Certificate,
        signatory: &Signatory,
    ) -> Result<Authority, String> {
        let found = issuer(&self.root, leaf);
        let (authority, issuer) =
            found.map_err(|error| format!("the certificate in the seal {error}"))?;
        if self.policy.sct == Rule::Required {
            let logs = certificate_logs(&self.root);
            sct::check_embedded(leaf, &issuer, &logs, Timestamp::now())
                .map_err(|error| format!("the certificate in the seal: {error}"))?;
        }
        let der = DerCertificate::from_bytes(leaf.der());
        let info = parse_certificate_info(&der);
        let info = info.map_err(|_| "the certificate in the seal is malformed")?;
        signatory.check(&named::subject(Some(&info), Some(&der)))?;
        Ok(authority)
    }
}
