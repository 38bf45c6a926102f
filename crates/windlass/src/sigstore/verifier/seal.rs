//! Who certified the key of a seal.
//!
//! A seal has no log entry and no timestamp, so nobody vouches for when it was made: everything of the
//! certificate is checked but that. Its key never was anywhere but in the memory of a signer (see
//! [`windlass_core::seal`]).

use jiff::Timestamp;
use sigstore_types::{DerCertificate, TimeRange};
use sigstore_verify::crypto::parse_certificate_info;
use windlass_core::certificate::{Authority, Details, sct};
use windlass_core::error::Chain;
use windlass_core::key::{Certificate, PublicKey};

use super::{Verifier, subject_of};
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
        let (authority, issuer) = self.issuer(leaf)?;
        if self.policy.sct == Rule::Required {
            let logs = self.certificate_logs();
            sct::check_embedded(leaf, &issuer, &logs, Timestamp::now())
                .map_err(|error| format!("the certificate in the seal: {error}"))?;
        }
        let info = parse_certificate_info(&DerCertificate::from_bytes(leaf.der()));
        let info = info.map_err(|_| "the certificate in the seal is malformed")?;
        signatory.check(&subject_of(&info))?;
        Ok(authority)
    }

    /// The certificate of the trusted root that issued another one, while its authority was valid.
    fn issuer(&self, leaf: &Certificate) -> Result<(Authority, Certificate), String> {
        let details = Details::of(leaf).map_err(|error| Chain(&error).to_string())?;
        let valid = [details.not_before(), details.not_after()];
        let authorities = self.root.certificate_authorities.iter();
        let candidates = authorities
            .filter(|authority| valid.iter().all(|time| is_in(authority.valid_for, *time)))
            .flat_map(|authority| &authority.cert_chain.certificates);
        for candidate in candidates {
            let der = candidate.raw_bytes.as_bytes().to_vec();
            let Ok(issuer) = Certificate::from_der(der) else {
                continue;
            };
            if let Ok(authority) = Authority::of(leaf, &issuer) {
                return Ok((authority, issuer));
            }
        }
        Err("the certificate in the seal is of no authority of the trusted root".to_owned())
    }

    fn certificate_logs(&self) -> Vec<PublicKey> {
        let logs = self.root.ctlogs.iter();
        let keys = logs.map(|log| PublicKey::from_der(log.public_key.raw_bytes.as_bytes()));
        keys.filter_map(Result::ok).collect()
    }
}

/// Whether a time is in a range; without a range, every time is.
fn is_in(range: Option<TimeRange>, time: Timestamp) -> bool {
    range.is_none_or(|range| range.start <= time && range.end.is_none_or(|end| time <= end))
}
