//! The services of Sigstore that a signing configuration names.
//!
//! Source: `sigstore_trustroot.proto` of protobuf-specs, `SigningConfig` and `ServiceSelector`: of the
//! services that are valid now, those of the highest version that can be used, one of each operator, the one
//! that began last. Where any of them will do, windlass takes the one that began last of all.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Deserialize;
use windlass_core::config::LogVersion;
use windlass_core::time_range::TimeRange;

/// Largest file of this kind, and of a trusted root.
pub(crate) const LARGEST: usize = 4 << 20;
/// The version of a signing configuration that is read.
const SIGNING_CONFIG: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

const FULCIO: Kind = Kind {
    what: "certificate authority",
    setting: "caUrls",
    versions: "Fulcio, version 1",
};
const REKOR: Kind = Kind {
    what: "transparency log",
    setting: "rekorTlogConfig",
    versions: "Rekor, version 1 or 2",
};
const TIMESTAMPS: Kind = Kind {
    what: "timestamp authority",
    setting: "tsaConfig",
    versions: "those of RFC 3161, version 1",
};

/// Why a file names no services.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServicesError {
    /// It is something else.
    #[error(
        "it is not a signing configuration of version 0.2 ({SIGNING_CONFIG}); `cosign signing-config \
         create` writes one"
    )]
    NoSigningConfig,
    /// It asks for more than one service of a kind.
    #[error(
        "it asks for {count} services of the kind {what} at once, and windlass uses one; write \"ANY\" as \
         the selector of {setting}"
    )]
    Several {
        count: usize,
        what: &'static str,
        setting: &'static str,
    },
    /// It asks for more services than there are, or for none.
    #[error(
        "the count of {setting} is {count}, and {usable} of its operators can be used now; correct it, or \
         write \"ANY\" as the selector"
    )]
    Count {
        count: usize,
        usable: usize,
        setting: &'static str,
    },
    /// It chooses in a way that does not exist.
    #[error("the selector of {setting} is none of ANY, ALL and EXACT")]
    Selector { setting: &'static str },
    /// None of its services can be used.
    #[error("it names no {what} that can be used now; windlass uses {versions}")]
    None {
        what: &'static str,
        versions: &'static str,
    },
    /// Its logs are of version 2 only.
    #[error("its transparency log is of version 2, whose entries only a bundle has a place for")]
    NoPlace,
}

/// The services that a signing configuration names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Services {
    /// Fulcio.
    pub(crate) fulcio: Option<String>,
    /// Rekor.
    pub(crate) rekor: Option<RekorService>,
    /// Where timestamps are asked for.
    pub(crate) timestamps: Option<String>,
}

/// A Rekor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RekorService {
    pub(crate) url: String,
    pub(crate) version: LogVersion,
}

/// What services of a kind are called.
#[derive(Clone, Copy)]
struct Kind {
    what: &'static str,
    /// The member that chooses among them.
    setting: &'static str,
    versions: &'static str,
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
    #[serde(default)]
    tsa_urls: Vec<Service>,
    #[serde(default)]
    tsa_config: Selection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    url: String,
    #[serde(default)]
    major_api_version: u32,
    #[serde(default)]
    valid_for: TimeRange,
    #[serde(default)]
    operator: String,
}

#[derive(Deserialize, Default)]
struct Selection {
    #[serde(default)]
    selector: String,
    #[serde(default)]
    count: u32,
}

impl Services {
    /// Reads a signing configuration, for a result that has a place for entries of logs up to this
    /// version.
    pub(crate) fn read(
        content: &[u8],
        now: Timestamp,
        newest: LogVersion,
    ) -> Result<Self, ServicesError> {
        let config: SigningConfig =
            serde_json::from_slice(content).map_err(|_| ServicesError::NoSigningConfig)?;
        if config.media_type != SIGNING_CONFIG {
            return Err(ServicesError::NoSigningConfig);
        }
        let one = Selection::default();
        let fulcio = chosen(FULCIO, &config.ca_urls, &one, &[1], now)?;
        let timestamps = chosen(TIMESTAMPS, &config.tsa_urls, &config.tsa_config, &[1], now)?;
        let url = |service: &Service| service.url.clone();
        Ok(Self {
            fulcio: fulcio.map(url),
            rekor: config.rekor(now, newest)?,
            timestamps: timestamps.map(url),
        })
    }
}

impl SigningConfig {
    fn rekor(
        &self,
        now: Timestamp,
        newest: LogVersion,
    ) -> Result<Option<RekorService>, ServicesError> {
        let versions: &[u32] = match newest {
            LogVersion::One => &[1],
            LogVersion::Two => &[2, 1],
        };
        let all = &self.rekor_tlog_urls;
        let chosen = chosen(REKOR, all, &self.rekor_tlog_config, versions, now);
        let is_of_two =
            |service: &Service| service.major_api_version == 2 && service.valid_for.has(now);
        let chosen = match chosen {
            Err(ServicesError::None { .. }) if all.iter().any(is_of_two) => {
                Err(ServicesError::NoPlace)
            }
            chosen => chosen,
        };
        Ok(chosen?.map(|service| RekorService {
            url: service.url.clone(),
            version: if service.major_api_version == 2 {
                LogVersion::Two
            } else {
                LogVersion::One
            },
        }))
    }
}

/// The service to use, of these versions, the best first; none if there is none of any version.
fn chosen<'s>(
    kind: Kind,
    services: &'s [Service],
    selection: &Selection,
    versions: &[u32],
    now: Timestamp,
) -> Result<Option<&'s Service>, ServicesError> {
    if services.is_empty() {
        return Ok(None);
    }
    let mut valid: Vec<&Service> = services
        .iter()
        .filter(|one| one.valid_for.has(now))
        .collect();
    valid.sort_by_key(|one| std::cmp::Reverse(one.valid_for.start));
    let of = |version: &u32| {
        let mut operators = HashSet::new();
        let mut usable = valid.clone();
        usable.retain(|one| one.major_api_version == *version && operators.insert(&one.operator));
        Some(usable).filter(|usable| !usable.is_empty())
    };
    let Kind {
        what,
        versions: known,
        ..
    } = kind;
    let usable = versions.iter().find_map(of);
    let usable = usable.ok_or(ServicesError::None {
        what,
        versions: known,
    })?;
    selection.check(kind, usable.len())?;
    Ok(usable.first().copied())
}

impl Selection {
    /// Refuses to choose more than one, or in a way that is not known.
    fn check(&self, kind: Kind, usable: usize) -> Result<(), ServicesError> {
        let Kind { what, setting, .. } = kind;
        let count = match &*self.selector {
            "" | "ANY" | "SERVICE_SELECTOR_UNDEFINED" => 1,
            "ALL" => usable,
            "EXACT" => usize::try_from(self.count).unwrap_or(usize::MAX),
            _ => return Err(ServicesError::Selector { setting }),
        };
        if count == 0 || count > usable {
            return Err(ServicesError::Count {
                count,
                usable,
                setting,
            });
        }
        if count > 1 {
            return Err(ServicesError::Several {
                count,
                what,
                setting,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(config: &Value, newest: LogVersion) -> Result<Services, String> {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let read = Services::read(config.to_string().as_bytes(), now, newest);
        read.map_err(|error| error.to_string())
    }

    fn config(rekor: &Value) -> Value {
        json!({
            "mediaType": SIGNING_CONFIG,
            "caUrls": [{ "url": "https://fulcio", "majorApiVersion": 1 }],
            "rekorTlogUrls": rekor,
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaUrls": [{ "url": "https://tsa/api", "majorApiVersion": 1 }],
            "tsaConfig": { "selector": "ANY" },
            "unknown": {},
        })
    }

    fn service(url: &str, version: u32, start: &str, end: Option<&str>) -> Value {
        json!({
            "url": url, "majorApiVersion": version, "validFor": { "start": start, "end": end },
            "operator": url,
        })
    }

    fn rekor(config: &Value, newest: LogVersion) -> String {
        read(config, newest).unwrap().rekor.unwrap().url
    }

    #[test]
    fn of_the_services_that_are_valid_now_the_newest_of_the_highest_version_is_used() {
        let ended = Some("2023-02-01T00:00:00Z");
        let config = config(&json!([
            service("https://old", 1, "2020-01-01T00:00:00Z", None),
            service("https://new", 1, "2022-01-01T00:00:00Z", None),
            service("https://over", 1, "2023-01-01T00:00:00Z", ended),
            service("https://future", 2, "2033-01-01T00:00:00Z", None),
            service("https://two", 2, "2021-01-01T00:00:00Z", None),
            service("https://old-two", 2, "2020-01-01T00:00:00Z", None),
            service("https://other", 9, "2023-01-01T00:00:00Z", None),
        ]));
        assert_eq!(rekor(&config, LogVersion::One), "https://new");
        assert_eq!(rekor(&config, LogVersion::Two), "https://two");
        let services = read(&config, LogVersion::Two).unwrap();
        assert_eq!(services.rekor.unwrap().version, LogVersion::Two);
        assert_eq!(services.fulcio.as_deref(), Some("https://fulcio"));
        assert_eq!(services.timestamps.as_deref(), Some("https://tsa/api"));
    }

    #[test]
    fn a_configuration_without_services_of_a_kind_uses_none() {
        let mut config = config(&json!([]));
        config["tsaUrls"] = json!([]);
        let services = read(&config, LogVersion::Two).unwrap();
        assert_eq!((services.rekor, services.timestamps), (None, None));
    }

    #[test]
    fn several_services_of_one_operator_count_as_one() {
        let mut config = config(&json!([
            service("https://a", 2, "2022-01-01T00:00:00Z", None),
            service("https://b", 2, "2021-01-01T00:00:00Z", None),
        ]));
        for (selector, why) in [
            (json!({ "selector": "ALL" }), "asks for 2 services"),
            (
                json!({ "selector": "EXACT", "count": 2 }),
                "asks for 2 services",
            ),
            (
                json!({ "selector": "EXACT", "count": 3 }),
                "2 of its operators",
            ),
            (json!({ "selector": "EXACT" }), "is 0"),
            (json!({ "selector": "planted" }), "none of ANY"),
        ] {
            config["rekorTlogConfig"] = selector;
            let error = read(&config, LogVersion::Two).unwrap_err();
            assert!(error.contains(why) && !error.contains("planted"), "{error}");
        }
        config["rekorTlogConfig"] = json!({ "selector": "EXACT", "count": 1 });
        assert_eq!(rekor(&config, LogVersion::Two), "https://a");
        config["rekorTlogUrls"][1]["operator"] = json!("https://a");
        config["rekorTlogConfig"] = json!({ "selector": "ALL" });
        assert_eq!(rekor(&config, LogVersion::Two), "https://a");
    }

    #[test]
    fn a_configuration_that_cannot_be_followed_says_why() {
        let unusable = config(&json!([{ "url": "https://r", "majorApiVersion": 9 }]));
        let error = read(&unusable, LogVersion::Two).unwrap_err();
        assert!(error.contains("no transparency log"), "{error}");
        let of_two = config(&json!([{ "url": "https://r", "majorApiVersion": 2 }]));
        let error = read(&of_two, LogVersion::One).unwrap_err();
        assert!(error.contains("only a bundle"), "{error}");
        let mut ended = config(&json!([]));
        ended["tsaUrls"][0]["validFor"] = json!({ "end": "2020-01-01T00:00:00Z" });
        let error = read(&ended, LogVersion::Two).unwrap_err();
        assert!(error.contains("no timestamp authority"), "{error}");
        for other in [json!([]), json!({}), json!({ "mediaType": "x" })] {
            let error = read(&other, LogVersion::Two).unwrap_err();
            assert!(error.contains("not a signing configuration"), "{error}");
        }
    }
}
