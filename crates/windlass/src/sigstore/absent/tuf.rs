//! A build without the feature `sigstore`: nothing is fetched.

use self::origin::Origin;
use super::trust::TrustError;
pub(crate) use super::trust::{Fetched, Freshness};

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
    pub(crate) use crate::sigstore::trust::PUBLIC_MIRROR;

    /// Where a trusted root comes from.
    #[derive(Debug, Clone)]
    pub(crate) struct Origin {
        pub(crate) mirror: String,
    }
}

pub(crate) mod followed {
    use crate::sigstore::trust::{Fetched, TrustError};

    /// A mirror with the root that it is believed by.
    #[derive(Debug)]
    pub(crate) struct Followed;

    impl Followed {
        /// Refuses.
        pub(crate) fn of(_mirror: &str, _root: Option<&str>) -> Result<Self, TrustError> {
            Err(TrustError::Absent)
        }

        /// Refuses.
        pub(crate) async fn fetch(&self) -> Result<Fetched, TrustError> {
            std::future::ready(Err(TrustError::Absent)).await
        }
    }
}
