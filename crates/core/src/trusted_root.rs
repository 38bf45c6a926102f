//! What a trusted root has for signing: whom a certificate, an entry of a log and a timestamp are checked
//! against before they are stored.
//!
//! Source: `sigstore_trustroot.proto` of protobuf-specs, `TrustedRoot`. Only what signing needs is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::key::{Certificate, PublicKey};
use crate::time_range::TimeRange;

/// Most logs and most authorities of a kind.
pub const MOST: usize = 64;

/// Why a text is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// It is something else, or damaged.
    #[error("it is not a trusted root; `windlass trust show -o root` prints the public one")]
    NoTrustedRoot,
    /// It has more than is looked through.
    #[error(
        "it has more than {MOST} logs or authorities of one kind; remove those that have ended"
    )]
    TooMany,
}

/// What a trusted root has of authorities and logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots {
    /// The roots of the authorities, PEM.
    pub authorities: String,
    /// The keys of the logs of certificates, PEM.
    pub certificate_logs: String,
    /// The authorities that timestamps are believed of.
    pub time_authorities: Vec<TimeAuthority>,
    /// The transparency logs.
    pub logs: Vec<Log>,
}

/// An authority that timestamps are believed of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeAuthority {
    /// Its certificates: the one that signs timestamps first, the root last.
    pub chain: Vec<Certificate>,
    /// When it is trusted.
    pub valid_for: TimeRange,
}

/// A transparency log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its address, without the slash at its end.
    pub url: String,
    /// The key that it signs with.
    pub key: PublicKey,
    /// When that key is trusted.
    pub valid_for: TimeRange,
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
    /// Reads a trusted root, `trusted_root.json`. What it has of unknown kinds is left out: nothing is
    /// checked with it.
    ///
    /// ```
    /// use windlass_core::trusted_root::Roots;
    ///
    /// let root = r#"{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
    /// assert!(Roots::read(root.as_bytes())?.logs.is_empty());
    /// assert!(Roots::read(b"{}").is_err());
    /// # Ok::<(), windlass_core::trusted_root::RootError>(())
    /// ```
    pub fn read(content: &[u8]) -> Result<Self, RootError> {
        let root: TrustedRoot =
            serde_json::from_slice(content).map_err(|_| RootError::NoTrustedRoot)?;
        if !root
            .media_type
            .starts_with("application/vnd.dev.sigstore.trustedroot")
        {
            return Err(RootError::NoTrustedRoot);
        }
        let authorities = [&root.certificate_authorities, &root.timestamp_authorities];
        let logs = [&root.ctlogs, &root.tlogs];
        if authorities.iter().any(|some| some.len() > MOST)
            || logs.iter().any(|some| some.len() > MOST)
        {
            return Err(RootError::TooMany);
        }
        let mut roots = Self::default();
        for authority in &root.certificate_authorities {
            let last = authority.cert_chain.certificates.last();
            let certificate = last.ok_or(RootError::NoTrustedRoot)?.certificate()?;
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
        roots.logs = root.tlogs.iter().filter_map(LogWire::log).collect();
        Ok(roots)
    }

    /// The key of the log at an address; of several, the one that began last.
    pub fn key_of_log(&self, url: &str) -> Option<&PublicKey> {
        newest(self.logs.iter().filter(|log| log.url == bare(url)))
    }

    /// The key of the log whose address has this host, which is what it calls itself in checkpoints; of
    /// several, the one that began last.
    pub fn key_of_origin(&self, origin: &str) -> Option<&PublicKey> {
        let named = |log: &&Log| self::origin(&log.url) == Some(origin);
        newest(self.logs.iter().filter(named))
    }
}

fn newest<'l>(logs: impl Iterator<Item = &'l Log>) -> Option<&'l PublicKey> {
    let newest = logs.max_by_key(|log| log.valid_for.start);
    newest.map(|log| &log.key)
}

/// An address without the slash at its end.
pub fn bare(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// What a log at an address calls itself in checkpoints: the host, without its port. None if it has none.
pub fn origin(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    let end = match authority.find(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    Some(&authority[..end]).filter(|host| !host.is_empty())
}

impl Authority {
    fn of_time(&self) -> Result<TimeAuthority, RootError> {
        let chain = self.cert_chain.certificates.iter().map(Raw::certificate);
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() {
            return Err(RootError::NoTrustedRoot);
        }
        Ok(TimeAuthority {
            chain,
            valid_for: self.valid_for,
        })
    }
}

impl Raw {
    fn certificate(&self) -> Result<Certificate, RootError> {
        let der = STANDARD.decode(&self.raw_bytes);
        let der = der.map_err(|_| RootError::NoTrustedRoot)?;
        Certificate::from_der(der).map_err(|_| RootError::NoTrustedRoot)
    }
}

impl LogWire {
    fn key(&self) -> Option<PublicKey> {
        let der = STANDARD.decode(&self.public_key.raw_bytes).ok()?;
        PublicKey::from_der(&der).ok()
    }

    fn log(&self) -> Option<Log> {
        Some(Log {
            url: bare(&self.base_url).to_owned(),
            key: self.key()?,
            valid_for: self.public_key.valid_for,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::key::PrivateKey;

    const KIND: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

    fn of(member: &str, value: &Value) -> String {
        json!({ "mediaType": KIND, member: value }).to_string()
    }

    fn log(url: &str, seed: u8, start: &str) -> (PublicKey, Value) {
        let key = PrivateKey::generate_p256(&[seed; 32]).unwrap();
        let raw = STANDARD.encode(key.public_key().der());
        let validity = json!({ "start": start });
        let log = json!({
            "baseUrl": url, "publicKey": { "rawBytes": raw, "validFor": validity },
        });
        (key.public_key().clone(), log)
    }

    #[test]
    fn what_is_no_trusted_root_is_told() {
        let chain = |chain: &Value| json!([{ "certChain": { "certificates": chain } }]);
        for text in [
            "",
            "{}",
            r#"{"mediaType":"x"}"#,
            &of("certificateAuthorities", &chain(&json!([]))),
            &of(
                "certificateAuthorities",
                &chain(&json!([{ "rawBytes": "AAAA" }])),
            ),
            &of("timestampAuthorities", &chain(&json!([]))),
            &of(
                "timestampAuthorities",
                &chain(&json!([{ "rawBytes": "%" }])),
            ),
        ] {
            let error = Roots::read(text.as_bytes()).unwrap_err();
            assert_eq!(error, RootError::NoTrustedRoot, "{text}");
        }
        let empty = json!({ "mediaType": KIND }).to_string();
        let empty = Roots::read(empty.as_bytes()).unwrap();
        assert_eq!(empty, Roots::default());
    }

    #[test]
    fn a_trusted_root_with_too_many_logs_is_refused() {
        let (_, log) = log("https://a.example", 1, "2020-01-01T00:00:00Z");
        for kind in ["tlogs", "ctlogs"] {
            let read = |count: usize| {
                let root = of(kind, &json!(vec![&log; count]));
                Roots::read(root.as_bytes())
            };
            assert!(read(MOST).is_ok());
            assert_eq!(read(MOST + 1).unwrap_err(), RootError::TooMany);
        }
    }

    #[test]
    fn a_log_calls_itself_by_the_host_of_its_address() {
        for (url, expected) in [
            ("https://a.example:8443/log/", Some("a.example")),
            ("https://a.example", Some("a.example")),
            ("https://[::1]:8443", Some("[::1]")),
            ("https://[::1]", Some("[::1]")),
            ("https:///log", None),
            ("no address", None),
            ("", None),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn a_log_is_known_by_its_address_and_by_its_host_with_the_key_that_began_last() {
        let (_, old) = log("https://a.example:8443/log/", 1, "2020-01-01T00:00:00Z");
        let (key, new) = log("https://a.example:8443/log", 2, "2021-01-01T00:00:00Z");
        let (_, older) = log("https://a.example:8443/log", 3, "2019-01-01T00:00:00Z");
        let (_, nameless) = log("", 4, "2022-01-01T00:00:00Z");
        let root = of("tlogs", &json!([old, new, older, nameless]));
        let roots = Roots::read(root.as_bytes()).unwrap();
        assert_eq!(roots.key_of_log("https://a.example:8443/log/"), Some(&key));
        assert_eq!(roots.key_of_origin("a.example"), Some(&key));
        for other in ["https://a.example", "a.example"] {
            assert_eq!(roots.key_of_log(other), None);
        }
        for other in ["", "a", "a.example:8443", "b.example"] {
            assert_eq!(roots.key_of_origin(other), None);
        }
    }
}
