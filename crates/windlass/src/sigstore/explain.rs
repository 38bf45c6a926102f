//! More about a failed check than its kind tells, looked up in the bundle and the trusted root.
//!
//! Nothing is decided here: what is looked at has been refused already.

use jiff::Timestamp;
use sigstore_trust_root::TrustedRoot;
use sigstore_types::TimeRange;
use sigstore_types::bundle::{Bundle, SignatureContent, TransparencyLogEntry};
use sigstore_verify::crypto::{CertificateInfo, parse_certificate_info};
use sigstore_verify::tsa;
use windlass_core::certificate::sct::SctError;

use super::bundle::signature;
use super::certified::refused_promise;

/// What is said of an entry by a log that nobody vouches for.
pub(super) const UNKNOWN_LOG: &str =
    "the log entry is by a transparency log that the trusted root does not have";

/// Why a bundle was refused.
pub(super) struct Explanation<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) root: &'a TrustedRoot,
    /// The time of a timestamp of the whole envelope, which is not in the bundle.
    pub(super) of_envelope: Option<Timestamp>,
    /// When it was judged.
    pub(super) now: Timestamp,
}

impl Explanation<'_> {
    /// Why the artifact and the bundle do not fit.
    pub(super) fn artifact(&self) -> String {
        match self.bundle.content {
            SignatureContent::DsseEnvelope(_) => {
                "the statement, or its log entry, is about another artifact"
            }
            _ => "the bundle, or its log entry, is about another artifact",
        }
        .to_owned()
    }

    /// Why a key is not supported.
    pub(super) fn algorithm(&self) -> &'static str {
        if self.bundle.signing_certificate().is_some() {
            return "the key of the certificate, or its algorithm, is not supported";
        }
        "log entries of this kind of key or algorithm cannot be judged; add --insecure-ignore-tlog to \
         check the signature alone"
    }

    /// Why the certificate leads to no authority.
    pub(super) fn chain(&self) -> String {
        if let Some(time) = self.a_time() {
            return self.outside_validity(time);
        }
        "the certificate does not lead to an authority of the trusted root that was valid when it was \
         signed, or is not for signing code"
            .to_owned()
    }

    /// The certificate was not valid at a time.
    pub(super) fn outside_validity(&self, time: Timestamp) -> String {
        let of = if self
            .entries()
            .any(|entry| entry.integrated_time == Some(time))
        {
            "log entry"
        } else {
            "timestamp"
        };
        let range = self.certificate().map(|info| {
            format!(
                "; it is valid from {} to {}",
                info.not_before, info.not_after
            )
        });
        format!(
            "the certificate was not valid at the time of the {of}, {time}{}",
            range.unwrap_or_default()
        )
    }

    /// What is wrong with the promise of a log to publish the certificate (SCT).
    pub(super) fn sct(&self) -> &'static str {
        let leaf = self.bundle.signing_certificate();
        let why = leaf.and_then(|leaf| refused_promise(self.root, leaf.as_bytes(), self.now));
        match why {
            Some(SctError::Missing) => {
                "the certificate has no signed certificate timestamp (SCT) of a log of certificates"
            }
            Some(SctError::OtherLog) => {
                "the signed certificate timestamp (SCT) is by another log of certificates, which the \
                 trusted root does not have"
            }
            Some(SctError::Mismatch) => {
                "the signed certificate timestamp (SCT) was made for another certificate"
            }
            Some(SctError::Future) => "the signed certificate timestamp (SCT) is from the future",
            Some(SctError::Malformed) | None => {
                "no log of certificates of the trusted root made a signed certificate timestamp (SCT) for \
                 the certificate"
            }
        }
    }

    /// What is wrong with a checkpoint.
    pub(super) fn checkpoint(&self) -> String {
        let proofs = self.entries().filter_map(|entry| {
            let proof = entry.inclusion_proof.as_ref()?;
            Some((proof.root_hash, *proof.checkpoint.checkpoint()?.root_hash()))
        });
        let differs = proofs.into_iter().any(|(proof, signed)| proof != signed);
        if differs && !self.is_of_rekor_v2() {
            return "the root of the inclusion proof is not that of its checkpoint".to_owned();
        }
        "no log of the trusted root signed the checkpoint of the inclusion proof".to_owned()
    }

    fn is_of_rekor_v2(&self) -> bool {
        let v2 = sigstore_types::KindVersion::HashedRekordV002;
        self.entries().any(|entry| entry.kind_version == v2)
    }

    /// What is wrong with the promise of a log.
    pub(super) fn promise(&self) -> String {
        for entry in self.entries() {
            let mut logs = self.root.tlogs.iter();
            let Some(log) = logs.find(|log| log.log_id == entry.log_id) else {
                return UNKNOWN_LOG.to_owned();
            };
            if let (Some(time), Some(range)) = (entry.integrated_time, log.public_key.valid_for)
                && !range.contains(time)
            {
                return format!(
                    "the key of the log was not valid at the time of the log entry, {time}{}",
                    described(&range)
                );
            }
        }
        "the promise of the log (SET) does not match its entry".to_owned()
    }

    /// What is wrong with the time of a log entry.
    pub(super) fn integrated_time(&self) -> String {
        let times: Vec<Timestamp> = self
            .entries()
            .filter_map(|entry| entry.integrated_time)
            .collect();
        if let Some(time) = times.iter().find(|time| **time > self.now) {
            return format!("the time of the log entry, {time}, is in the future");
        }
        match times.first() {
            Some(time) => self.outside_validity(*time),
            None => "the time of the log entry is malformed".to_owned(),
        }
    }

    /// What is wrong with a timestamp.
    pub(super) fn timestamp(&self) -> String {
        if self.root.timestamp_authorities.is_empty() {
            return "it has a timestamp, and the trusted root has no timestamp authority"
                .to_owned();
        }
        "no timestamp authority of the trusted root made the timestamp for this signature"
            .to_owned()
    }

    fn entries(&self) -> impl Iterator<Item = &TransparencyLogEntry> {
        self.bundle.verification_material.tlog_entries.iter()
    }

    fn certificate(&self) -> Option<CertificateInfo> {
        parse_certificate_info(self.bundle.signing_certificate()?).ok()
    }

    /// A time at which it was signed: that of a timestamp or of a log entry that lies outside the
    /// certificate's validity, if there is one.
    fn a_time(&self) -> Option<Timestamp> {
        let info = self.certificate()?;
        let times = self.entries().filter_map(|entry| entry.integrated_time);
        let mut times = times.chain(self.stamped()).chain(self.of_envelope);
        times.find(|time| *time < info.not_before || *time > info.not_after)
    }

    /// The times of the timestamps that an authority of the trusted root made for this signature.
    pub(super) fn stamped(&self) -> Vec<Timestamp> {
        let Some(signature) = signature(self.bundle) else {
            return Vec::new();
        };
        let data = &self
            .bundle
            .verification_material
            .timestamp_verification_data;
        let authorities = self.root.tsa_authorities();
        let times = data.rfc3161_timestamps.iter().filter_map(|stamp| {
            authorities.iter().find_map(|authority| {
                let token = &stamp.signed_timestamp;
                tsa::verify_timestamp_for_authority(token, signature, authority).ok()
            })
        });
        times.collect()
    }
}

fn described(range: &TimeRange) -> String {
    match range.end {
        Some(end) => format!("; it was valid from {} to {end}", range.start),
        None => format!("; it is valid from {}", range.start),
    }
}
