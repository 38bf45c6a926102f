//! The services of Sigstore that a signing configuration names.
//!
//! Source: `sigstore_trustroot.proto` of protobuf-specs, `SigningConfig` and `ServiceSelector`: of the
//! services that are valid now, those of the highest version that can be used, one of each operator, the one
//! that began last. `ALL` is all of these, `EXACT` so many of them. Where not all are taken, windlass takes
//! those that began last; sigstore-go takes any of them by chance, and cosign with it.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Deserialize;
use windlass_core::config::LogVersion;
use windlass_core::time_range::TimeRange;

/// Largest file of this kind, and of a trusted root.
pub(crate) const LARGEST: usize = 4 << 20;
/// Most services of a kind that are asked at once; verifiers read no more than 32 entries.
const MOST: usize = 8;
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
    /// It asks for more than one service of a kind where there is a place for one.
    #[error(
        "it asks for {count} services of the kind {what} at once, and only a bundle has a place for what \
         they give; write \"ANY\" as the selector of {setting}"
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
    /// It asks for more services than are read at once.
    #[error("the count of {setting} is {count}, and at most {MOST} services are asked at once")]
    TooMany { count: usize, setting: &'static str },
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
    /// The logs, each of which gets an entry.
    pub(crate) rekor: Vec<RekorService>,
    /// Where timestamps are asked for, at each of them.
    pub(crate) timestamps: Vec<String>,
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
            fulcio: fulcio.first().copied().map(url),
            rekor: config.rekor(now, newest)?,
            timestamps: timestamps.into_iter().map(url).collect(),
        })
    }

    /// The same for a result that has a place for one entry and one timestamp.
    pub(crate) fn one_of_each(self) -> Result<Self, ServicesError> {
        for (kind, count) in [
            (REKOR, self.rekor.len()),
            (TIMESTAMPS, self.timestamps.len()),
        ] {
            let Kind { what, setting, .. } = kind;
            if count > 1 {
                return Err(ServicesError::Several {
                    count,
                    what,
                    setting,
                });
            }
        }
        Ok(self)
    }
}

impl SigningConfig {
    fn rekor(
        &self,
        now: Timestamp,
        newest: LogVersion,
    ) -> Result<Vec<RekorService>, ServicesError> {
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
        let rekors = chosen?.into_iter().map(|service| RekorService {
            url: service.url.clone(),
            version: if service.major_api_version == 2 {
                LogVersion::Two
            } else {
                LogVersion::One
            },
        });
        Ok(rekors.collect())
    }
}

/// The services to use, of these versions, the best first; none if there is none of any version.
fn chosen<'s>(
    kind: Kind,
    services: &'s [Service],
    selection: &Selection,
    versions: &[u32],
    now: Timestamp,
) -> Result<Vec<&'s Service>, ServicesError> {
    if services.is_empty() {
        return Ok(Vec::new());
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
    let mut usable = usable.ok_or(ServicesError::None {
        what,
        versions: known,
    })?;
    usable.truncate(selection.count(kind, usable.len())?);
    Ok(usable)
}

impl Selection {
    /// How many of those that can be used are used.
    fn count(&self, kind: Kind, usable: usize) -> Result<usize, ServicesError> {
        let Kind { setting, .. } = kind;
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
        if count > MOST {
            return Err(ServicesError::TooMany { count, setting });
        }
        Ok(count)
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
        read(config, newest).unwrap().rekor.remove(0).url
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
        assert_eq!(services.rekor[0].version, LogVersion::Two);
        assert_eq!(services.rekor.len(), 1);
        assert_eq!(services.fulcio.as_deref(), Some("https://fulcio"));
        assert_eq!(services.timestamps, ["https://tsa/api"]);
    }

    #[test]
    fn a_configuration_without_services_of_a_kind_uses_none() {
        let mut config = config(&json!([]));
        config["tsaUrls"] = json!([]);
        let services = read(&config, LogVersion::Two).unwrap();
        assert!(services.rekor.is_empty() && services.timestamps.is_empty());
    }

    /// The logs that are used under a selector.
    fn selected(config: &mut Value, selector: Value) -> Result<Vec<String>, String> {
        config["rekorTlogConfig"] = selector;
        let services = read(config, LogVersion::Two)?;
        Ok(services.rekor.into_iter().map(|one| one.url).collect())
    }

    #[test]
    fn all_or_exactly_so_many_operators_have_one_service_each() {
        let mut config = config(&json!([
            service("https://a", 2, "2021-01-01T00:00:00Z", None),
            service("https://b", 2, "2022-01-01T00:00:00Z", None),
            service("https://c", 2, "2020-01-01T00:00:00Z", None),
            service("https://one", 1, "2023-01-01T00:00:00Z", None),
        ]));
        let exact = |count: u32| json!({ "selector": "EXACT", "count": count });
        for (selector, urls) in [
            (
                json!({ "selector": "ALL" }),
                &["https://b", "https://a", "https://c"][..],
            ),
            (json!({ "selector": "ANY" }), &["https://b"]),
            (exact(1), &["https://b"]),
            (exact(2), &["https://b", "https://a"]),
            (exact(3), &["https://b", "https://a", "https://c"]),
        ] {
            assert_eq!(selected(&mut config, selector).unwrap(), urls);
        }
        // the one of an operator that began last
        config["rekorTlogUrls"][2]["operator"] = json!("https://b");
        let urls = selected(&mut config, json!({ "selector": "ALL" })).unwrap();
        assert_eq!(urls, ["https://b", "https://a"]);
        let error = selected(&mut config, exact(3)).unwrap_err();
        assert!(error.contains("2 of its operators"), "{error}");
    }

    #[test]
    fn a_selector_that_cannot_be_followed_says_why() {
        let mut config = config(&json!([
            service("https://a", 2, "2022-01-01T00:00:00Z", None),
            service("https://b", 2, "2021-01-01T00:00:00Z", None),
        ]));
        for (selector, why) in [
            (
                json!({ "selector": "EXACT", "count": 3 }),
                "2 of its operators",
            ),
            (json!({ "selector": "EXACT" }), "is 0"),
            (json!({ "selector": "planted" }), "none of ANY"),
        ] {
            let error = selected(&mut config, selector).unwrap_err();
            assert!(error.contains(why) && !error.contains("planted"), "{error}");
        }
        config["rekorTlogConfig"] = json!({ "selector": "ALL" });
        let error = read(&config, LogVersion::Two).unwrap().one_of_each();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("asks for 2 services"), "{error}");
        let many = (0..9).map(|number| {
            service(
                &format!("https://{number}"),
                2,
                "2022-01-01T00:00:00Z",
                None,
            )
        });
        config["rekorTlogUrls"] = json!(many.collect::<Vec<_>>());
        let error = read(&config, LogVersion::Two).unwrap_err();
        assert!(error.contains("at most 8"), "{error}");
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
