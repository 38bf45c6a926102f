//! Where a trusted root comes from: nowhere, a mirror, or the settings.

use std::collections::BTreeMap;

use crate::config::settings::TufOrigin;
use crate::trusted_root::Roots;

/// The key that names the mirror, one of Chains.
pub const TUF_MIRROR: &str = "signers.x509.tuf.mirror.url";
/// The mirror of the public instance.
pub(super) const PUBLIC_MIRROR: &str = "https://tuf-repo-cdn.sigstore.dev";

/// The root that a mirror is believed by. Chains takes the one that the mirror sends first.
pub(super) const PIN: &str = "signers.x509.tuf.root";
/// The trusted root itself: the name of the file, so that `kubectl create configmap --from-file` makes it.
pub(super) const TRUSTED_ROOT: &str = "trusted_root.json";

/// Puts the trusted root of a mirror into `windlass-config`, where one of the settings stands.
pub fn put_trusted_root(windlass: &mut BTreeMap<String, String>, root: String) {
    windlass.insert(TRUSTED_ROOT.to_owned(), root);
    windlass.remove(PIN);
}

/// Where what a trusted root says comes from.
pub(super) enum Source {
    /// There is none.
    None,
    /// It is about to be fetched: whatever only it can say is not missing yet.
    Mirror(TufOrigin),
    /// It is in the settings.
    Given(Roots),
}

impl Source {
    pub(super) fn roots(&self) -> Option<&Roots> {
        match self {
            Self::Given(roots) => Some(roots),
            Self::None | Self::Mirror(_) => None,
        }
    }

    pub(super) fn into_mirror(self) -> Option<TufOrigin> {
        match self {
            Self::Mirror(origin) => Some(origin),
            Self::None | Self::Given(_) => None,
        }
    }

    pub(super) fn is_awaited(&self) -> bool {
        matches!(self, Self::Mirror(_))
    }
}
