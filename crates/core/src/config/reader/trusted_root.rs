//! The trusted root of `windlass-config`, or the mirror that it is to be had from: whom the controller
//! believes about certificates, entries of logs and timestamps, where no key of its own says so.

use std::borrow::Cow;

use super::root_source::{PIN, PUBLIC_MIRROR, Source, TRUSTED_ROOT, TUF_MIRROR};
use super::{Reader, words};
use crate::config::kinds::TransparencyMode;
use crate::config::problem::Problem;
use crate::config::redact::Endpoint;
use crate::config::settings::{Config, TufOrigin};
use crate::trusted_root::{RootError, Roots};

/// The value of [`PIN`] that stands for the root of the public instance.
const BUILT_IN: &str = "built-in";
impl Reader<'_> {
    /// Where the trusted root comes from: the settings, else the mirror if a root is pinned for it.
    pub(super) fn root_source(&mut self, config: &Config) -> Source {
        let given = self.trusted_root();
        let has_root = self.get(TRUSTED_ROOT).is_some_and(|text| !text.is_empty());
        self.describe(PIN, words("a root of TUF, JSON, or `built-in`"), "");
        let pin = self.get(PIN).unwrap_or_default().trim();
        let url: &Endpoint = &config.x509.tuf_mirror_url;
        let is_used = config.is_keyless() || config.transparency.mode != TransparencyMode::Off;
        let is_public = url.trim_end_matches('/') == PUBLIC_MIRROR;
        if has_root {
            if !pin.is_empty() {
                let message = format!("{TRUSTED_ROOT} is there and counts, so no mirror is asked");
                self.warn(PIN, message);
            }
            return given.map_or(Source::None, Source::Given);
        }
        if pin.is_empty() {
            if is_used && !is_public {
                let message = format!(
                    "it has no effect without {PIN} in windlass-config: a mirror is believed by a root that \
                     is pinned, and never by the one that it sends first"
                );
                self.warn(TUF_MIRROR, message);
            }
            return Source::None;
        }
        if !is_used {
            return Source::None;
        }
        Source::Mirror(TufOrigin {
            mirror: url.clone(),
            root: (pin != BUILT_IN).then(|| pin.to_owned()),
        })
    }

    /// The trusted root; nothing if there is none. One that cannot be read is a problem: what it was to
    /// check would not be checked.
    fn trusted_root(&mut self) -> Option<Roots> {
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
