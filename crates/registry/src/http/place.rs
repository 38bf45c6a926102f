//! Places: addresses of requests, and what those who named them may refer to.

use reqwest::Url;
use windlass_core::network::Reach;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) url: Url,
    /// The nearest address that may be connected to for it.
    pub(crate) within: Reach,
}

/// Where a response came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) place: Place,
    /// The reach of the address that responded.
    pub(crate) reach: Reach,
}

impl Origin {
    /// The place of an address in the response. A host refers to itself, and to what is as far away
    /// as it is, or farther.
    pub(crate) fn leads_to(&self, url: Url) -> Place {
        let within = if url.origin() == self.place.url.origin() {
            self.place.within
        } else {
            self.place.within.min(self.reach)
        };
        Place { url, within }
    }
}
