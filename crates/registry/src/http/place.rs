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
        let within = if is_same_origin(&url, &self.place.url) {
            self.place.within
        } else {
            self.place.within.min(self.reach)
        };
        Place { url, within }
    }
}

/// Whether two addresses have the same scheme, host and port, both of HTTP (RFC 6454, section 4).
/// [`Url::origin`] compares the same, with a copy of each host.
pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    matches!(one.scheme(), "http" | "https")
        && one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_the_same_where_those_of_the_library_are() {
        let addresses = [
            "https://a.example/v2/",
            "https://a.example:443/other",
            "https://A.example/",
            "https://a.example:444/",
            "http://a.example/",
            "http://a.example:443/",
            "https://b.example/",
            "https://a.example./",
            "https://user@a.example/",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::1]:443/",
            "data:text/plain,one",
            "ftp://a.example/",
        ];
        let addresses = addresses.map(|address| Url::parse(address).unwrap());
        for one in &addresses {
            for other in &addresses {
                // what is not of HTTP has no origin here
                let same = one.scheme() != "ftp" && one.origin() == other.origin();
                assert_eq!(is_same_origin(one, other), same, "{one} {other}");
            }
        }
    }
}
