//! Who certified a key, by a trusted root: the authority that issued its certificate, and the logs that promise to
//! publish one.

use jiff::Timestamp;
use sigstore_trust_root::TrustedRoot;
use sigstore_types::TimeRange;
use windlass_core::certificate::sct::SctError;
use windlass_core::certificate::{Authority, Details, sct};
use windlass_core::error::Chain;
use windlass_core::key::{Certificate, PublicKey};

/// The certificate of a trusted root that issued another one, while its authority was valid; the error goes after
/// the name of that certificate.
pub(super) fn issuer(
    root: &TrustedRoot,
    leaf: &Certificate,
) -> Result<(Authority, Certificate), String> {
    let details =
        Details::of(leaf).map_err(|error| format!("cannot be read: {}", Chain(&error)))?;
    let valid = [details.not_before(), details.not_after()];
    let is_valid = |range: &TimeRange| valid.iter().all(|time| range.contains(*time));
    let mut known = authorities(root).filter(|(range, _)| range.as_ref().is_none_or(is_valid));
    let issued = known.find_map(|(_, issuer)| Some((Authority::of(leaf, &issuer).ok()?, issuer)));
    issued.ok_or_else(|| "is of no authority of the trusted root".to_owned())
}

/// Every certificate of the authorities of a trusted root, and when these are valid.
fn authorities(root: &TrustedRoot) -> impl Iterator<Item = (Option<TimeRange>, Certificate)> {
    root.certificate_authorities.iter().flat_map(|authority| {
        let certificates = authority.cert_chain.certificates.iter();
        certificates.filter_map(|certificate| {
            let der = certificate.raw_bytes.as_bytes().to_vec();
            Some((authority.valid_for, Certificate::from_der(der).ok()?))
        })
    })
}

/// The keys of the logs of certificates of a trusted root.
pub(super) fn certificate_logs(root: &TrustedRoot) -> Vec<PublicKey> {
    let keys = root
        .ctlogs
        .iter()
        .map(|log| PublicKey::from_der(log.public_key.raw_bytes.as_bytes()));
    keys.filter_map(Result::ok).collect()
}

/// Why the timestamps (SCT) in a certificate were refused, where that can be told.
pub(super) fn refused_promise(root: &TrustedRoot, leaf: &[u8], now: Timestamp) -> Option<SctError> {
    let leaf = Certificate::from_der(leaf.to_vec()).ok()?;
    if !sct::is_embedded(&leaf) {
        return Some(SctError::Missing);
    }
    let logs = certificate_logs(root);
    let mut flaws = authorities(root)
        .filter_map(|(_, issuer)| sct::check_embedded(&leaf, &issuer, &logs, now).err());
    let first = flaws.next()?;
    // with an authority that did not issue it, it always is for another certificate
    Some(
        flaws
            .find(|flaw| *flaw != SctError::Mismatch)
            .unwrap_or(first),
    )
}
