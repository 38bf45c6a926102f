//! What a trusted root has for signing: whom a certificate, an entry of a log and a timestamp are checked
//! against before they are attached.
//!
//! Source: `sigstore_trustroot.proto` of protobuf-specs, `TrustedRoot`. Only what signing needs is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use windlass_core::key::{Certificate, PublicKey};
use windlass_core::time_range::TimeRange;

use crate::log::{TimeAuthority, TrustedLog};

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
#[error("it is not a trusted root; `windlass trust show -o root` prints the public one")]
pub(crate) struct NoTrustedRoot;

/// What a trusted root has of authorities and logs.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    /// The roots of the authorities, PEM.
    pub(crate) authorities: String,
    /// The keys of the logs of certificates, PEM.
    pub(crate) certificate_logs: String,
    /// The authorities that timestamps are believed of.
    pub(crate) time_authorities: Vec<TimeAuthority>,
    logs: Vec<Log>,
}

/// A transparency log.
#[derive(Debug)]
struct Log {
    /// Its address, without the slash at its end.
    url: String,
    key: PublicKey,
    valid_for: TimeRange,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrustedRoot {
    media_type: String,
    #[serde(default)]
    certificate_authorities: Vec<Authority>,
    #[serde(default)]
    ctlogs: Vec<LogWire>,
    #[serde(default)]
    tlogs: Vec<LogWire>,
    #[serde(default)]
    timestamp_authorities: Vec<Authority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authority {
    cert_chain: Chain,
    #[serde(default)]
    valid_for: TimeRange,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    raw_bytes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogWire {
    #[serde(default)]
    base_url: String,
    public_key: KeyWire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyWire {
    raw_bytes: String,
    #[serde(default)]
    valid_for: TimeRange,
}

impl Roots {
    /// Reads a trusted root. What it has of unknown kinds is left out: nothing is checked with it.
    pub(crate) fn read(content: &[u8]) -> Result<Self, NoTrustedRoot> {
        let root: TrustedRoot = serde_json::from_slice(content).map_err(|_| NoTrustedRoot)?;
        if !root
            .media_type
            .starts_with("application/vnd.dev.sigstore.trustedroot")
        {
            return Err(NoTrustedRoot);
        }
        let mut roots = Self::default();
        for authority in &root.certificate_authorities {
            let last = authority.cert_chain.certificates.last();
            let certificate = last.ok_or(NoTrustedRoot)?.certificate()?;
            roots.authorities += &certificate.to_pem();
        }
        for log in &root.ctlogs {
            if let Some(key) = log.key() {
                roots.certificate_logs += &key.to_pem();
            }
        }
        for authority in &root.timestamp_authorities {
            roots.time_authorities.push(authority.of_time()?);
        }
        let logs = root.tlogs.iter();
        roots.logs = logs
            .filter_map(|log| {
                Some(Log {
                    url: bare(&log.base_url).to_owned(),
                    key: log.key()?,
                    valid_for: log.public_key.valid_for,
                })
            })
            .collect();
        Ok(roots)
    }

    /// The key of the log at an address.
    pub(crate) fn key_of_log(&self, url: &str) -> Option<&PublicKey> {
        let found = self.logs.iter().find(|log| log.url == bare(url));
        found.map(|log| &log.key)
    }

    /// What the log of version 2 at an address may be: the one that is known there, else any that has not
    /// ended, since a log has addresses that a trusted root does not name. It is recognised by its key and
    /// its name, which is the host of the address that is named.
    pub(crate) fn logs_of_version_two(&self, url: &str, now: Timestamp) -> Vec<TrustedLog> {
        let trusted = |log: &Log| {
            let host = Url::parse(&log.url).ok()?.host_str()?.to_owned();
            let key = log.key.clone();
            Some(TrustedLog { key, origin: host })
        };
        let at = self.logs.iter().filter(|log| log.url == bare(url));
        let at: Vec<_> = at.filter_map(trusted).collect();
        if !at.is_empty() {
            return at;
        }
        let current = self.logs.iter();
        let current = current.filter(|log| !log.valid_for.has_ended(now));
        current.filter_map(trusted).collect()
    }
}

/// An address without the slash at its end.
fn bare(url: &str) -> &str {
    url.trim_end_matches('/')
}

impl Authority {
    fn of_time(&self) -> Result<TimeAuthority, NoTrustedRoot> {
        let chain = self.cert_chain.certificates.iter().map(Raw::certificate);
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() {
            return Err(NoTrustedRoot);
        }
        Ok(TimeAuthority {
            chain,
            valid_for: self.valid_for,
        })
    }
}

impl Raw {
    fn certificate(&self) -> Result<Certificate, NoTrustedRoot> {
        let der = STANDARD
            .decode(&self.raw_bytes)
            .map_err(|_| NoTrustedRoot)?;
        Certificate::from_der(der).map_err(|_| NoTrustedRoot)
    }
}

impl LogWire {
    fn key(&self) -> Option<PublicKey> {
        let der = STANDARD.decode(&self.public_key.raw_bytes).ok()?;
        PublicKey::from_der(&der).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use windlass_core::key::PrivateKey;

    use super::*;

    const KIND: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

    #[test]
    fn what_is_no_trusted_root_is_told() {
        let chain = |chain: &Value| json!([{ "certChain": { "certificates": chain } }]);
        let of =
            |member: &str, value: Value| json!({ "mediaType": KIND, member: value }).to_string();
        for text in [
            "",
            "{}",
            r#"{"mediaType":"x"}"#,
            &of("certificateAuthorities", chain(&json!([]))),
            &of(
                "certificateAuthorities",
                chain(&json!([{ "rawBytes": "AAAA" }])),
            ),
            &of("timestampAuthorities", chain(&json!([]))),
            &of("timestampAuthorities", chain(&json!([{ "rawBytes": "%" }]))),
        ] {
            assert!(Roots::read(text.as_bytes()).is_err(), "{text}");
        }
        let empty = json!({ "mediaType": KIND }).to_string();
        let empty = Roots::read(empty.as_bytes()).unwrap();
        assert!(empty.authorities.is_empty() && empty.time_authorities.is_empty());
    }

    #[test]
    fn a_log_of_version_2_is_the_one_at_its_address_or_any_that_has_not_ended() {
        let log = |url: &str, seed: u8, end: Option<&str>| {
            let key = PrivateKey::generate_p256(&[seed; 32]).unwrap();
            let key = STANDARD.encode(key.public_key().der());
            json!({ "baseUrl": url, "publicKey": { "rawBytes": key, "validFor": { "end": end } } })
        };
        let root = json!({ "mediaType": KIND, "tlogs": [
            log("https://a.example/", 1, None),
            log("https://b.example:8443/log", 2, None),
            log("https://ended.example", 3, Some("2020-01-01T00:00:00Z")),
            log("no address", 4, None),
        ]});
        let roots = Roots::read(root.to_string().as_bytes()).unwrap();
        let names = |url: &str| {
            let logs = roots.logs_of_version_two(url, Timestamp::now());
            logs.into_iter().map(|log| log.origin).collect::<Vec<_>>()
        };
        assert_eq!(names("https://a.example"), ["a.example"]);
        assert_eq!(names("https://b.example:8443/log/"), ["b.example"]);
        assert_eq!(names("http://127.0.0.1:3000"), ["a.example", "b.example"]);
    }
}
