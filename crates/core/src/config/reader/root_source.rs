//! Where a trusted root comes from: nowhere, a mirror, or the settings.

use crate::config::settings::TufOrigin;
use crate::trusted_root::Roots;

/// The mirror, a key of Chains.
pub(super) const MIRROR: &str = "signers.x509.tuf.mirror.url";
/// The mirror of the public instance.
pub(super) const PUBLIC_MIRROR: &str = "https://tuf-repo-cdn.sigstore.dev";

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

    pub(super) fn is_awaited(&self) -> bool {
        matches!(self, Self::Mirror(_))
    }
}
