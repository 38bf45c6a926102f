//! The services of Sigstore that a person names for signing: one by one, or in a signing configuration;
//! and what they are checked against, a trusted root.
//!
//! Source: `sigstore_trustroot.proto` of protobuf-specs, `SigningConfig` and `TrustedRoot`. Only what
//! signing needs is read of either.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use windlass_core::key::{Certificate, PublicKey};

/// Largest file of either kind.
pub(crate) const LARGEST: usize = 4 << 20;
/// The version of a signing configuration that is read.
const SIGNING_CONFIG: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// Why a file names no services.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServicesError {
    /// It is something else.
    #[error("it is not a signing configuration of version 0.2 ({SIGNING_CONFIG})")]
    NoSigningConfig,
    /// It asks for more than one service of a kind.
    #[error(
        "it asks for several {what} at once, and windlass uses one; write \"ANY\" as the selector of \
         {setting}"
    )]
    Several {
        what: &'static str,
        setting: &'static str,
    },
    /// None of its services can be used.
    #[error("it names no {what} that can be used now; windlass uses {versions}")]
    None {
        what: &'static str,
        versions: &'static str,
    },
    /// It is something else.
    #[error("it is not a trusted root")]
    NoTrustedRoot,
}

/// The services that a signing configuration names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Services {
    /// Fulcio.
    pub(crate) fulcio: Option<String>,
    /// Rekor.
    pub(crate) rekor: Option<String>,
}

/// What a trusted root has of authorities and logs.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    /// The roots of the authorities, PEM.
    pub(crate) authorities: String,
    /// The keys of the logs of certificates, PEM.
    pub(crate) certificate_logs: String,
    logs: Vec<(String, PublicKey)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SigningConfig {
    media_type: String,
    #[serde(default)]
    ca_urls: Vec<Service>,
    #[serde(default)]
    rekor_tlog_urls: Vec<Service>,
    #[serde(default)]
    rekor_tlog_config: Selection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    url: String,
    #[serde(default)]
    major_api_version: u32,
    #[serde(default)]
    valid_for: Range,
}

#[derive(Deserialize, Default)]
struct Range {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

#[derive(Deserialize, Default)]
struct Selection {
    #[serde(default)]
    selector: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrustedRoot {
    media_type: String,
    #[serde(default)]
    certificate_authorities: Vec<Authority>,
    #[serde(default)]
    ctlogs: Vec<TrustedLog>,
    #[serde(default)]
    tlogs: Vec<TrustedLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authority {
    cert_chain: Chain,
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
struct TrustedLog {
    #[serde(default)]
    base_url: String,
    public_key: Raw,
}

impl Service {
    fn is_valid(&self, now: Timestamp) -> bool {
        let Range { start, end } = &self.valid_for;
        start.is_none_or(|start| start <= now) && end.is_none_or(|end| now < end)
    }
}

impl Services {
    /// Reads a signing configuration: of each kind the service that began last, of those that are valid
    /// now and speak a version that windlass does.
    pub(crate) fn read(content: &[u8], now: Timestamp) -> Result<Self, ServicesError> {
        let config: SigningConfig =
            serde_json::from_slice(content).map_err(|_| ServicesError::NoSigningConfig)?;
        if config.media_type != SIGNING_CONFIG {
            return Err(ServicesError::NoSigningConfig);
        }
        if !["", "ANY", "SERVICE_SELECTOR_UNDEFINED"]
            .contains(&config.rekor_tlog_config.selector.as_str())
        {
            return Err(ServicesError::Several {
                what: "transparency logs",
                setting: "rekorTlogConfig",
            });
        }
        let fulcio = newest(
            &config.ca_urls,
            now,
            "certificate authority",
            "Fulcio, version 1",
        );
        let rekor = newest(
            &config.rekor_tlog_urls,
            now,
            "transparency log",
            "Rekor, version 1",
        );
        Ok(Self {
            fulcio: fulcio?,
            rekor: rekor?,
        })
    }
}

fn newest(
    services: &[Service],
    now: Timestamp,
    what: &'static str,
    versions: &'static str,
) -> Result<Option<String>, ServicesError> {
    if services.is_empty() {
        return Ok(None);
    }
    let usable = services.iter();
    let usable = usable.filter(|one| one.major_api_version == 1 && one.is_valid(now));
    let newest = usable.max_by_key(|one| one.valid_for.start);
    let newest = newest.ok_or(ServicesError::None { what, versions })?;
    Ok(Some(newest.url.clone()))
}

impl Roots {
    /// Reads a trusted root. What it has of unknown kinds is left out: nothing is checked with it.
    pub(crate) fn read(content: &[u8]) -> Result<Self, ServicesError> {
        let malformed = |_| ServicesError::NoTrustedRoot;
        let root: TrustedRoot = serde_json::from_slice(content).map_err(malformed)?;
        if !root
            .media_type
            .starts_with("application/vnd.dev.sigstore.trustedroot")
        {
            return Err(ServicesError::NoTrustedRoot);
        }
        let mut roots = Self::default();
        for authority in &root.certificate_authorities {
            let last = authority.cert_chain.certificates.last();
            let certificate = last.and_then(Raw::decode).map(Certificate::from_der);
            let certificate = certificate.and_then(Result::ok);
            roots.authorities += &certificate.ok_or(ServicesError::NoTrustedRoot)?.to_pem();
        }
        for log in &root.ctlogs {
            if let Some(key) = log.key() {
                roots.certificate_logs += &key.to_pem();
            }
        }
        let logs = root.tlogs.iter();
        roots.logs = logs
            .filter_map(|log| Some((bare(&log.base_url).to_owned(), log.key()?)))
            .collect();
        Ok(roots)
    }

    /// The key of the log at an address.
    pub(crate) fn key_of_log(&self, url: &str) -> Option<&PublicKey> {
        let mut logs = self.logs.iter();
        let found = logs.find(|(known, _)| known == bare(url));
        found.map(|(_, key)| key)
    }
}

/// An address without the slash at its end.
fn bare(url: &str) -> &str {
    url.trim_end_matches('/')
}

impl Raw {
    fn decode(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.raw_bytes).ok()
    }
}

impl TrustedLog {
    fn key(&self) -> Option<PublicKey> {
        PublicKey::from_der(&self.public_key.decode()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(config: &Value) -> Result<Services, String> {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let read = Services::read(config.to_string().as_bytes(), now);
        read.map_err(|error| error.to_string())
    }

    fn config(rekor: &Value) -> Value {
        json!({
            "mediaType": SIGNING_CONFIG,
            "caUrls": [{ "url": "https://fulcio", "majorApiVersion": 1 }],
            "rekorTlogUrls": rekor,
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaUrls": [], "unknown": {},
        })
    }

    #[test]
    fn of_the_services_that_are_valid_now_the_newest_is_used() {
        let one = |url: &str, version: u32, start: &str, end: Option<&str>| json!({ "url": url, "majorApiVersion": version, "validFor": { "start": start, "end": end } });
        let services = read(&config(&json!([
            one("https://old", 1, "2020-01-01T00:00:00Z", None),
            one("https://new", 1, "2022-01-01T00:00:00Z", None),
            one(
                "https://over",
                1,
                "2023-01-01T00:00:00Z",
                Some("2023-02-01T00:00:00Z")
            ),
            one("https://future", 1, "2033-01-01T00:00:00Z", None),
            one("https://other", 9, "2023-01-01T00:00:00Z", None),
        ])));
        let services = services.unwrap();
        assert_eq!(services.rekor.as_deref(), Some("https://new"));
        assert_eq!(services.fulcio.as_deref(), Some("https://fulcio"));
        assert_eq!(read(&config(&json!([]))).unwrap().rekor, None);
    }

    #[test]
    fn a_configuration_that_cannot_be_followed_says_why() {
        let unusable = config(&json!([{ "url": "https://r", "majorApiVersion": 9 }]));
        assert!(read(&unusable).unwrap_err().contains("no transparency log"));
        let mut several = config(&json!([]));
        several["rekorTlogConfig"]["selector"] = json!("ALL");
        assert!(read(&several).unwrap_err().contains("windlass uses one"));
        for other in [json!([]), json!({}), json!({ "mediaType": "x" })] {
            let error = read(&other).unwrap_err();
            assert!(error.contains("not a signing configuration"), "{error}");
        }
    }

    #[test]
    fn what_is_no_trusted_root_is_told() {
        let kind = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
        for text in [
            "",
            "{}",
            r#"{"mediaType":"x"}"#,
            &json!({ "mediaType": kind, "certificateAuthorities": [{ "certChain": { "certificates": [] } }] }).to_string(),
            &json!({ "mediaType": kind, "certificateAuthorities": [{ "certChain": { "certificates": [{ "rawBytes": "AAAA" }] } }] }).to_string(),
        ] {
            assert!(Roots::read(text.as_bytes()).is_err(), "{text}");
        }
        let empty = json!({ "mediaType": kind }).to_string();
        assert!(
            Roots::read(empty.as_bytes())
                .unwrap()
                .authorities
                .is_empty()
        );
    }
}
