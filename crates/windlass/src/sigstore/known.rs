//! What of a bundle the trusted root can judge, where it has several log entries or timestamps.
//!
//! A bundle may have entries of logs and timestamps of authorities that the reader does not know, besides
//! those that it knows: signers ask several operators, and each reader trusts some of them. Those of
//! strangers count for nothing, and stand in nobody's way; each of the others has to be valid, and has to
//! be enough without them. sigstore-go, and cosign with it, judges so (`pkg/verify/tlog.go`, `tsa.go`).

use sigstore_trust_root::TrustedRoot;
use sigstore_types::bundle::{Bundle, TransparencyLogEntry};
use sigstore_verify::tsa;

use super::bundle::signature;

/// The bundle without the entries of logs and the timestamps of authorities that the root does not have;
/// none if it has none of them, or nothing else of that kind.
pub(super) fn without_strangers(bundle: &Bundle, root: &TrustedRoot) -> Option<Bundle> {
    let mut known = bundle.clone();
    let material = &mut known.verification_material;
    let removes_entries = keep(&mut material.tlog_entries, |entry| is_by_known(entry, root));
    let signature = signature(bundle);
    let authorities = root.tsa_authorities();
    let stamps = &mut material.timestamp_verification_data.rfc3161_timestamps;
    let removes_stamps = keep(stamps, |stamp| {
        signature.is_some_and(|signature| {
            authorities.iter().any(|authority| {
                let token = &stamp.signed_timestamp;
                match tsa::verify_timestamp_for_authority(token, signature, authority) {
                    // it is by one of them, and has to be judged
                    Ok(_) | Err(tsa::Error::TimestampOutsideValidity { .. }) => true,
                    Err(_) => false,
                }
            })
        })
    });
    (removes_entries || removes_stamps).then_some(known)
}

/// Removes what is not known, if that leaves something; whether anything was removed.
fn keep<T: Clone>(all: &mut Vec<T>, is_known: impl Fn(&T) -> bool) -> bool {
    let known: Vec<T> = all.iter().filter(|one| is_known(one)).cloned().collect();
    let is_fewer = !known.is_empty() && known.len() < all.len();
    if is_fewer {
        *all = known;
    }
    is_fewer
}

fn is_by_known(entry: &TransparencyLogEntry, root: &TrustedRoot) -> bool {
    root.tlogs.iter().any(|log| log.log_id == entry.log_id)
}
