//! What the library finds, in words of windlass.
//!
//! Its own texts repeat parts of what they are about, and change with its versions. So each kind of
//! error has a sentence here that says which check failed; [`super::explain`] looks up more where the
//! kind leaves it open.

use jiff::Timestamp;
use sigstore_verify::bundle::Error as ShapeError;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use super::explain::{Explanation, UNKNOWN_LOG};

/// The finding of an error about a bundle.
pub(super) fn of(error: &Error, explanation: &Explanation<'_>) -> String {
    match error {
        Error::SignatureInvalid(_) => {
            "the signature does not match what was signed and the key of the signer".to_owned()
        }
        Error::ArtifactMismatch(_) => explanation.artifact(),
        Error::UnsupportedArtifact(_) => {
            "a digest is not enough to check this kind of signature; give the file".to_owned()
        }
        Error::Certificate(error) => certificate(error, explanation),
        Error::TransparencyLog(error) => log(error, explanation),
        Error::Timestamp(error) => timestamp(error, explanation),
        Error::Bundle(error) => shape(error).to_owned(),
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
            "the trusted root is damaged".to_owned()
        }
        Error::UnsupportedBundle(_) => {
            "the bundle has a signature, key or log entry of a kind that cannot be judged, or they do \
             not go together"
                .to_owned()
        }
        Error::Crypto(_) => explanation.algorithm().to_owned(),
        _ => "the bundle is malformed".to_owned(),
    }
}

fn certificate(error: &CertificateError, explanation: &Explanation<'_>) -> String {
    match error {
        CertificateError::Malformed(_) => "the certificate is malformed".to_owned(),
        CertificateError::NoValidAuthority { time } => {
            format!(
                "no certificate authority of the trusted root is valid at {time}, the time of signing"
            )
        }
        CertificateError::NotYetValid { time, .. } | CertificateError::Expired { time, .. } => {
            explanation.outside_validity(*time)
        }
        CertificateError::Sct(_) => explanation.sct().to_owned(),
        _ => explanation.chain(),
    }
}

fn log(error: &TransparencyLogError, explanation: &Explanation<'_>) -> String {
    match error {
        TransparencyLogError::UnknownLog { .. } => UNKNOWN_LOG.to_owned(),
        TransparencyLogError::InclusionProof(_) => {
            "the inclusion proof does not lead from the log entry to the checkpoint's root"
                .to_owned()
        }
        TransparencyLogError::Checkpoint(_) => explanation.checkpoint(),
        TransparencyLogError::InclusionPromise(_) => explanation.promise(),
        TransparencyLogError::EntryMismatch(_) => {
            "the log entry is about another signature, or about another certificate or key"
                .to_owned()
        }
        TransparencyLogError::IntegratedTime(_) => explanation.integrated_time(),
        _ => "the log entry is malformed, or of a kind that cannot be judged".to_owned(),
    }
}

fn timestamp(error: &TimestampError, explanation: &Explanation<'_>) -> String {
    match error {
        TimestampError::OutsideAuthorityValidity { time } => {
            ended_authority(*time)
        }
        TimestampError::NoVerifiedTimestamp(_) => {
            "nothing says when it was signed: it has no timestamp, and no log entry with the promise \
             of its log"
                .to_owned()
        }
        _ => explanation.timestamp(),
    }
}

/// What is said of a timestamp of this time, whose authority was not trusted then.
pub(super) fn ended_authority(time: Timestamp) -> String {
    format!("the timestamp is of {time}, when its authority was not valid by the trusted root")
}

fn shape(error: &ShapeError) -> &'static str {
    match error {
        ShapeError::CertificateChainNotAllowed(_) => {
            "a bundle of version 0.3 has a certificate and no chain"
        }
        ShapeError::MissingInclusionPromise(_) => {
            "it has no log entry with the promise of its log; add --insecure-ignore-tlog to do without"
        }
        ShapeError::MissingInclusionProof(_) => {
            "it has no log entry with an inclusion proof; add --insecure-ignore-tlog to do without"
        }
        ShapeError::MissingSigningTimeEvidence | ShapeError::MissingTimestamp => {
            "it has neither a log entry nor a timestamp"
        }
        ShapeError::MissingCheckpoint => "the inclusion proof of the log entry has no checkpoint",
        ShapeError::LogIndexOutOfRange { .. } => "the log entry is outside the tree of its proof",
        ShapeError::CheckpointRootMismatch => {
            "the root of the inclusion proof is not that of its checkpoint"
        }
        _ => "the bundle has certificates or keys of a kind that cannot be judged",
    }
}
