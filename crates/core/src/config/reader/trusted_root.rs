//! The trusted root of `windlass-config`: whom the controller believes about certificates, entries of logs
//! and timestamps, where no key of its own says so.

use std::borrow::Cow;

use super::{Reader, words};
use crate::config::problem::Problem;
use crate::config::settings::Config;
use crate::trusted_root::{RootError, Roots};

/// The key, which is the name of the file, so that `kubectl create configmap --from-file` makes it.
pub(super) const TRUSTED_ROOT: &str = "trusted_root.json";

impl Reader<'_> {
    /// The trusted root; nothing if there is none. One that cannot be read is a problem: what it was to
    /// check would not be checked.
    pub(super) fn trusted_root(&mut self) -> Option<Roots> {
        self.describe(TRUSTED_ROOT, words("a trusted root, JSON"), "");
        let text = self.get(TRUSTED_ROOT).filter(|text| !text.is_empty())?;
        let read = Roots::read(text.as_bytes());
        match &read {
            Ok(_) => {}
            Err(RootError::NoTrustedRoot) => {
                let root = "a trusted root of Sigstore: `windlass trust show -o root` prints the public one";
                self.refuse(TRUSTED_ROOT, text, vec![root]);
            }
            Err(RootError::TooMany) => {
                let instead = "one without those that have ended";
                self.refuse_root(
                    "a trusted root with more than 64 logs or authorities",
                    instead,
                );
            }
        }
        read.ok()
    }

    /// The authority and the logs of certificates. A root without a log of certificates has none to check
    /// with, which is told when the signer is opened.
    pub(super) fn keyless_roots(&mut self, config: &mut Config, roots: &Roots) {
        let x509 = &mut config.x509;
        if x509.fulcio_root.is_empty() {
            x509.fulcio_root.clone_from(&roots.authorities);
        }
        if x509.fulcio_ctlog_key.is_empty() {
            x509.fulcio_ctlog_key.clone_from(&roots.certificate_logs);
        }
        if config.is_keyless() && config.x509.fulcio_root.is_empty() {
            let instead = "one that has it, or set signers.x509.fulcio.root";
            self.refuse_root("a trusted root without a certificate authority", instead);
        }
    }

    /// Refuses the trusted root for what it is.
    pub(super) fn refuse_root(&mut self, what: &str, instead: &'static str) {
        self.problems.push(Problem {
            config_map: self.config_map,
            key: TRUSTED_ROOT.to_owned(),
            value: what.to_owned(),
            allowed: vec![Cow::Borrowed(instead)],
        });
    }
}
