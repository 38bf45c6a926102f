//! What certificates are checked against besides their own chain: the roots and the keys of logs that
//! the settings give. Where they give none, what Fulcio sends is taken as it is, over the connection to
//! its address; that is told once.

use jiff::Timestamp;
use windlass_core::certificate::{Details, sct};
use windlass_core::config;
use windlass_core::key::{Certificate, END_OF_PUBLIC_KEY, PublicKey, pem_blocks};
use windlass_core::trusted_root::MOST;

use super::error::{Flaw, KeylessError};
use super::fulcio::Issued;

/// Most certificates and keys of a setting: as many as a trusted root has.
const ROOT: &str = "signers.x509.fulcio.root";
const KEYS: &str = "signers.x509.fulcio.ctlog-key";

/// What is trusted.
#[derive(Debug)]
pub(super) struct Trusted {
    roots: Vec<Certificate>,
    logs: Vec<PublicKey>,
}

impl Trusted {
    /// What the settings give.
    pub(super) fn of(settings: &config::X509) -> Result<Self, KeylessError> {
        let unusable = |key: &str, what: &str| {
            KeylessError::Settings(format!(
                "{key} of windlass-config cannot be used; write {what} in PEM, or remove it"
            ))
        };
        let roots = match settings.fulcio_root.trim() {
            "" => Vec::new(),
            pem => Certificate::all_from_pem(pem, MOST)
                .map_err(|_| unusable(ROOT, "the certificates of the authority's roots"))?,
        };
        let keys = || unusable(KEYS, "the public keys of the certificate transparency logs");
        let logs = settings.fulcio_ctlog_key.trim();
        let blocks = pem_blocks(logs, END_OF_PUBLIC_KEY).take(MOST + 1);
        let logs_read: Result<Vec<_>, _> = blocks
            .map(|block| PublicKey::from_pem(block.as_bytes()))
            .collect();
        let read = logs_read.map_err(|_| keys())?;
        if read.len() > MOST || read.is_empty() && !logs.is_empty() {
            return Err(keys());
        }
        Ok(Self { roots, logs: read })
    }

    /// Checks that the last certificate of a chain is a root, or was issued by one.
    pub(super) fn check_root(&self, chain: &[Certificate], now: Timestamp) -> Result<(), Flaw> {
        if self.roots.is_empty() {
            return Ok(());
        }
        let last = chain.last().ok_or(Flaw::Root)?;
        let is_root = |root: &Certificate| {
            let is_valid = Details::of(root)
                .is_ok_and(|root| root.not_before() <= now && now < root.not_after());
            let issued = || Details::of(last).is_ok_and(|last| last.check_issuer(root).is_ok());
            is_valid && (root.der() == last.der() || issued())
        };
        let is_trusted = self.roots.iter().any(is_root);
        is_trusted.then_some(()).ok_or(Flaw::Root)
    }

    /// Checks that a log has promised to publish the certificate.
    pub(super) fn check_log(&self, issued: &Issued, now: Timestamp) -> Result<(), Flaw> {
        if self.logs.is_empty() {
            return Ok(());
        }
        let (leaf, next) = issued.leaf_and_issuer()?;
        match &issued.detached {
            Some(stamp) if !sct::is_embedded(leaf) => {
                sct::check_detached(leaf, stamp, &self.logs, now)?;
            }
            _ => sct::check_embedded(leaf, next, &self.logs, now)?,
        }
        Ok(())
    }

    /// What is not checked, because the settings give nothing to check it with.
    pub(super) fn gaps(&self) -> Vec<&'static str> {
        let root = self.roots.is_empty().then_some(
            "the authority of the certificate is not checked; give a trusted root in trusted_root.json of \
             windlass-config, or the authority's root in signers.x509.fulcio.root",
        );
        let log = self.logs.is_empty().then_some(
            "that the certificate is published is not checked; give a trusted root with a certificate \
             transparency log in trusted_root.json of windlass-config, or the log's key in \
             signers.x509.fulcio.ctlog-key",
        );
        root.into_iter().chain(log).collect()
    }
}
