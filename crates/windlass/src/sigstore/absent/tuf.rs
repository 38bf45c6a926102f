//! A build without the feature `sigstore`: nothing is fetched.

use jiff::Timestamp;

use self::origin::Origin;
use super::trust::TrustError;

/// How new a trusted root has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Now,
    Today,
    Offline,
}

/// A trusted root with what is known of its age.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) content: Vec<u8>,
    pub(crate) at: Timestamp,
    pub(crate) root_version: u64,
    pub(crate) root_expires: Timestamp,
    pub(crate) expires: Option<Timestamp>,
}

/// Refuses.
pub(crate) async fn trusted_root(
    _origin: &Origin,
    _freshness: Freshness,
) -> Result<Fetched, TrustError> {
    std::future::ready(Err(TrustError::Absent)).await
}

pub(crate) mod place {
    use std::path::Path;

    use super::origin::Origin;
    use crate::sigstore::trust::TrustError;

    /// Refuses.
    pub(crate) fn origin(
        _typed_mirror: Option<&str>,
        _typed_root: Option<&Path>,
    ) -> Result<Origin, TrustError> {
        Err(TrustError::Absent)
    }

    /// Refuses.
    pub(crate) fn choose(_origin: &Origin) -> Result<(), TrustError> {
        Err(TrustError::Absent)
    }
}

pub(crate) mod origin {
    /// The mirror of the public instance.
    pub(crate) const PUBLIC_MIRROR: &str = "https://tuf-repo-cdn.sigstore.dev";

    /// Where a trusted root comes from.
    #[derive(Debug, Clone)]
    pub(crate) struct Origin {
        pub(crate) mirror: String,
    }
}
