//! The settings of the transparency log: `transparency.*` of both ConfigMaps.

use super::root_source::Source;
use super::{Reader, literals, quoted, words};
use crate::config::kinds::{LogNeed, LogVersion, TransparencyMode};
use crate::config::redact::Endpoint;
use crate::config::settings::{Config, Timestamps, Transparency};
use crate::key::{Certificate, PublicKey};
use crate::time_range::TimeRange;
use crate::trusted_root::{Roots, TimeAuthority};

const ENABLED: &str = "transparency.enabled";
const URL: &str = "transparency.url";
const MODE: &str = "transparency.mode";
const PUBLIC_KEY: &str = "transparency.public-key";
const VERSION: &str = "transparency.version";
const ORIGIN: &str = "transparency.origin";
const TIMESTAMP_URL: &str = "transparency.timestamp-url";
const TIMESTAMP_CHAIN: &str = "transparency.timestamp-chain";
/// Most certificates of a timestamp authority.
const MOST_CERTIFICATES: usize = 8;
/// Longest name of a log.
const LONGEST_ORIGIN: usize = 256;
/// Where plain HTTP does not leave the machine.
const LOCAL: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

impl Reader<'_> {
    /// What Chains knows.
    pub(super) fn transparency(&mut self) -> Transparency {
        Transparency {
            mode: self.transparency_mode(),
            url: self.text_or(URL, "https://rekor.sigstore.dev"),
            need: LogNeed::Required,
            public_key: None,
            version: LogVersion::One,
            origin: String::new(),
            timestamps: None,
        }
    }

    /// What `windlass-config` adds. What a key of its own does not say is taken from the trusted root.
    pub(super) fn more_transparency(&mut self, settings: &mut Transparency, source: &Source) {
        settings.need = self.choice(MODE, &LogNeed::NAMES, settings.need);
        settings.public_key = self.public_key(PUBLIC_KEY);
        settings.version = self.choice(VERSION, &LogVersion::NAMES, settings.version);
        settings.origin = self.origin();
        settings.timestamps = self.timestamps(source);
        let is_on = settings.mode != TransparencyMode::Off;
        let has_key = settings.public_key.is_some() || self.given.contains_key(PUBLIC_KEY);
        if let Some(roots) = source.roots()
            && is_on
            && !has_key
        {
            settings.public_key = key_of_log(roots, settings);
            if settings.public_key.is_none() {
                let instead = "one that has the log at transparency.url (or the one that \
                               transparency.origin names), or set transparency.public-key";
                self.refuse_root("a trusted root without the log", instead);
            }
        } else if is_on && settings.version == LogVersion::Two && !has_key && !source.is_awaited() {
            let key = "the public key of the log, PEM: a log of version 2 does not give it";
            self.refuse(PUBLIC_KEY, "", vec![key]);
        }
        if !is_on && settings.timestamps.is_some() {
            let message = format!("timestamps are of what is logged, and {ENABLED} is not set");
            self.warn(TIMESTAMP_URL, message);
        }
        let url = settings.url.expose();
        let is_plain = url
            .strip_prefix("http://")
            .is_some_and(|rest| !is_local(rest));
        if is_on && is_plain && settings.public_key.is_none() && !source.is_awaited() {
            let message = format!(
                "it is plain HTTP, so whoever is on the way can respond in the place of the log; use \
                 https, or set {PUBLIC_KEY}"
            );
            self.warn(URL, message);
        }
    }

    fn transparency_mode(&mut self) -> TransparencyMode {
        self.describe(ENABLED, literals(["true", "manual", "false"]), "false");
        match self.get(ENABLED) {
            Some("true") => TransparencyMode::Always,
            Some("manual") => TransparencyMode::Manual,
            None | Some("false" | "") => TransparencyMode::Off,
            Some(other) => {
                let message = format!(
                    "{} means off; use \"true\" or \"manual\" to switch the log on, \"false\" to \
                     switch it off",
                    quoted(ENABLED, other)
                );
                self.warn(ENABLED, message);
                TransparencyMode::Off
            }
        }
    }

    /// Warns of what nobody verifies: a log of version 2 gives neither a time nor anything that is read
    /// under tags.
    pub(super) fn warn_of_version(&mut self, config: &Config) {
        let settings = &config.transparency;
        if settings.mode == TransparencyMode::Off || settings.version == LogVersion::One {
            return;
        }
        if config.is_keyless() && settings.timestamps.is_none() {
            let message = format!(
                "a log of version 2 tells no time, and certificates end within minutes: set \
                 {TIMESTAMP_URL} and {TIMESTAMP_CHAIN}"
            );
            self.warn(VERSION, message);
        }
        if !config.storage.oci_encoding.in_bundles() {
            let message = "signatures under tags have no place for entries of version 2; set \
                           storage.oci.encoding-format to sigstore-bundle or both";
            self.warn(VERSION, message.to_owned());
        }
    }

    /// What a log calls itself: one line without spaces.
    fn origin(&mut self) -> String {
        self.describe(ORIGIN, words("text"), "");
        let text = self.get(ORIGIN).unwrap_or_default();
        let is_name = |c: char| c.is_ascii_graphic() && c != '+';
        if text.len() > LONGEST_ORIGIN || !text.chars().all(is_name) {
            let name =
                "the first line of the log's checkpoints, such as log2025-1.rekor.sigstore.dev";
            self.refuse(ORIGIN, text, vec![name]);
        }
        text.to_owned()
    }

    /// The timestamp authority; nothing if there is no address. One that is not known by its
    /// certificates is refused: nobody could tell its word from another's.
    fn timestamps(&mut self, source: &Source) -> Option<Timestamps> {
        let url: Endpoint = self.text(TIMESTAMP_URL);
        self.describe(TIMESTAMP_CHAIN, words("certificates, PEM"), "");
        let pem = self.get(TIMESTAMP_CHAIN).unwrap_or_default().trim();
        let is_named = !url.expose().is_empty();
        let chain = match pem {
            "" => Vec::new(),
            pem => Certificate::all_from_pem(pem, MOST_CERTIFICATES).unwrap_or_default(),
        };
        if source.is_awaited() && pem.is_empty() && is_named {
            let authorities = Vec::new();
            return Some(Timestamps { url, authorities });
        }
        if let Some(roots) = source.roots().filter(|_| pem.is_empty() && is_named) {
            let authorities = roots.time_authorities.clone();
            if authorities.is_empty() {
                let instead = "one that has it, or set transparency.timestamp-chain";
                self.refuse_root("a trusted root without a timestamp authority", instead);
            }
            return Some(Timestamps { url, authorities });
        }
        if chain.is_empty() && (is_named || !pem.is_empty()) {
            let certificates = "the certificates of the timestamp authority, PEM, from the one that \
                                signs timestamps to the root: GET /api/v1/timestamp/certchain gives \
                                them";
            self.refuse(TIMESTAMP_CHAIN, pem, vec![certificates]);
            return None;
        }
        let authority = TimeAuthority {
            chain,
            valid_for: TimeRange::default(),
        };
        is_named.then(|| Timestamps {
            url,
            authorities: vec![authority],
        })
    }

    /// A public key, PEM; nothing is none.
    fn public_key(&mut self, key: &'static str) -> Option<PublicKey> {
        self.describe(key, words("a public key, PEM"), "");
        let text = self.get(key).filter(|text| !text.is_empty())?;
        let read = PublicKey::from_pem(text.as_bytes());
        if read.is_err() {
            self.refuse(
                key,
                text,
                vec!["a public key, PEM: -----BEGIN PUBLIC KEY-----"],
            );
        }
        read.ok()
    }
}

/// The key of the log of the settings: by its address, or by what it calls itself.
fn key_of_log(roots: &Roots, settings: &Transparency) -> Option<PublicKey> {
    let key = roots.key_of_log(settings.url.expose());
    key.or_else(|| roots.key_of_origin(&settings.origin))
        .cloned()
}

/// Whether an address without its scheme is on this machine.
fn is_local(address: &str) -> bool {
    let names = LOCAL.iter().filter_map(|name| address.strip_prefix(name));
    let mut rests = names.filter(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    rests.next().is_some()
}
