//! The settings of the transparency log: `transparency.*` of both ConfigMaps.

use super::{Reader, literals, quoted, words};
use crate::config::kinds::{LogNeed, TransparencyMode};
use crate::config::settings::Transparency;
use crate::key::PublicKey;

const ENABLED: &str = "transparency.enabled";
const URL: &str = "transparency.url";
const MODE: &str = "transparency.mode";
const PUBLIC_KEY: &str = "transparency.public-key";
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
        }
    }

    /// What `windlass-config` adds.
    pub(super) fn more_transparency(&mut self, settings: &mut Transparency) {
        settings.need = self.choice(MODE, &LogNeed::NAMES, settings.need);
        settings.public_key = self.public_key(PUBLIC_KEY);
        let url = settings.url.expose();
        let is_plain = url
            .strip_prefix("http://")
            .is_some_and(|rest| !is_local(rest));
        if settings.mode != TransparencyMode::Off && is_plain && settings.public_key.is_none() {
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

/// Whether an address without its scheme is on this machine.
fn is_local(address: &str) -> bool {
    let names = LOCAL.iter().filter_map(|name| address.strip_prefix(name));
    let mut rests = names.filter(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    rests.next().is_some()
}
