//! The logs of version 2 of a trusted root, as they are recognised.

use jiff::Timestamp;
use windlass_core::trusted_root::{Log, Roots, bare, origin};

use crate::log::TrustedLog;

/// What the log of version 2 at an address may be: the one that is known there, else any that has not
/// ended, since a log has addresses that a trusted root does not name. It is recognised by its key and
/// its name, which is the host of the address that is named.
pub(crate) fn logs_of_version_two(roots: &Roots, url: &str, now: Timestamp) -> Vec<TrustedLog> {
    let trusted = |log: &Log| {
        Some(TrustedLog {
            key: log.key.clone(),
            origin: origin(&log.url)?.to_owned(),
        })
    };
    let at = roots.logs.iter().filter(|log| log.url == bare(url));
    let at: Vec<_> = at.filter_map(trusted).collect();
    if !at.is_empty() {
        return at;
    }
    let current = roots.logs.iter();
    let current = current.filter(|log| !log.valid_for.has_ended(now));
    current.filter_map(trusted).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;
    use windlass_core::key::PrivateKey;

    use super::*;

    #[test]
    fn a_log_of_version_2_is_the_one_at_its_address_or_any_that_has_not_ended() {
        let log = |url: &str, seed: u8, end: Option<&str>| {
            let key = PrivateKey::generate_p256(&[seed; 32]).unwrap();
            let key = STANDARD.encode(key.public_key().der());
            json!({ "baseUrl": url, "publicKey": { "rawBytes": key, "validFor": { "end": end } } })
        };
        let root = json!({ "mediaType": "application/vnd.dev.sigstore.trustedroot+json", "tlogs": [
            log("https://a.example/", 1, None),
            log("https://b.example:8443/log", 2, None),
            log("https://ended.example", 3, Some("2020-01-01T00:00:00Z")),
            log("no address", 4, None),
        ]});
        let roots = Roots::read(root.to_string().as_bytes()).unwrap();
        let names = |url: &str| {
            let logs = logs_of_version_two(&roots, url, Timestamp::now());
            logs.into_iter().map(|log| log.origin).collect::<Vec<_>>()
        };
        assert_eq!(names("https://a.example"), ["a.example"]);
        assert_eq!(names("https://b.example:8443/log/"), ["b.example"]);
        assert_eq!(names("http://127.0.0.1:3000"), ["a.example", "b.example"]);
    }
}
