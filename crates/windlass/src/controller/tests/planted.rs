//! Planted secrets: everything secret that a controller holds, and the search for it wherever others
//! read. The forms are computed here anew, so that the search does not share a mistake with the masks.

use std::collections::BTreeSet;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use windlass_core::key::PrivateKey;

use super::*;
use crate::telemetry::Health;

/// Fewest characters of a form that is looked for.
const SHORTEST: usize = 6;

/// Secrets, each with its name.
#[derive(Debug, Default)]
pub(super) struct Planted(Vec<(String, Vec<u8>)>);

impl Planted {
    /// Those of a scene: the key and its password, and the token for the cluster.
    pub(super) fn of(scene: &Scene) -> Self {
        let key = PrivateKey::from_cosign(KEY.as_bytes(), PASSWORD.trim_end().as_bytes());
        let key = key.or_else(|_| PrivateKey::from_cosign(KEY.as_bytes(), PASSWORD.as_bytes()));
        let der = key.unwrap().to_pkcs8_der().unwrap();
        let lines = KEY.lines().filter(|line| line.len() > 40);
        let mut planted = Self::default();
        planted.add("the password of the key", PASSWORD.trim_end());
        planted.add("the token for the cluster", scene.local.cluster.token());
        for line in lines {
            planted.add("the encrypted key", line);
        }
        // the private scalar of P-256 follows a fixed beginning
        planted.0.push(("the key".to_owned(), der[36..68].to_vec()));
        planted
    }

    pub(super) fn add(&mut self, name: &str, secret: &str) {
        self.0.push((name.to_owned(), secret.as_bytes().to_vec()));
    }

    /// Fails if a secret stands in a text in any form.
    pub(super) fn search(&self, place: &str, text: &str) {
        let lower = text.to_ascii_lowercase();
        for (name, secret) in &self.0 {
            for form in forms(secret) {
                let found = lower.contains(&form.to_ascii_lowercase());
                assert!(!found, "{name} is in {place} as {form}");
            }
        }
    }

    /// Fails if a secret stands anywhere that a scene lets others read, or in why it is not ready.
    pub(super) fn search_with_readiness(&self, scene: &Scene, log: &str, health: &Health) {
        self.search_everywhere(scene, log);
        self.search("the readiness", &health.not_ready().unwrap_or_default());
    }

    /// Fails if a secret stands anywhere that a scene lets others read.
    pub(super) fn search_everywhere(&self, scene: &Scene, log: &str) {
        self.search("the log", log);
        for kind in ["events", "taskruns.tekton.dev"] {
            let objects = json!(scene.local.cluster.list(kind)).to_string();
            self.search(kind, &objects);
        }
        self.search("the metrics", &metrics(scene));
        let environment: Vec<_> = std::env::vars_os().collect();
        self.search("the environment", &format!("{environment:?}"));
        let arguments: Vec<_> = std::env::args_os().collect();
        self.search("the arguments", &format!("{arguments:?}"));
    }
}

fn metrics(scene: &Scene) -> String {
    format!("{:?}", scene.local.metrics)
}

/// The forms that a secret may have: as it is, and in base64, hexadecimal and URLs.
fn forms(secret: &[u8]) -> BTreeSet<String> {
    let mut forms: BTreeSet<String> = BTreeSet::new();
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.insert(text.to_owned());
        forms.insert(text.chars().rev().collect());
    }
    let each = |form: fn(u8) -> String| secret.iter().copied().map(form).collect::<String>();
    forms.insert(each(|byte| format!("{byte:02x}")));
    forms.insert(each(|byte| format!("%{byte:02x}")));
    forms.insert(each(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02x}"),
    }));
    for before in ["", "a", "ab"] {
        for after in ["", "z", "zz"] {
            let plain = [before.as_bytes(), secret, after.as_bytes()].concat();
            for encoded in [
                STANDARD_NO_PAD.encode(&plain),
                URL_SAFE_NO_PAD.encode(&plain),
            ] {
                let from = [0, 2, 3][before.len()];
                let to = encoded.len() - [0, 2, 3][after.len()].min(encoded.len());
                let middle = encoded.get(from..to).unwrap_or_default();
                forms.insert(middle[..middle.len().saturating_sub(1)].to_owned());
            }
        }
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

#[test]
fn a_planted_secret_is_found_in_every_encoding() {
    let mut planted = Planted::default();
    planted.add("it", "wine-dark/sea");
    let found = |text: &str| std::panic::catch_unwind(|| planted.search("here", text)).is_err();
    for text in [
        "a wine-dark/sea b".to_owned(),
        "WINE-DARK/SEA".to_owned(),
        format!("Basic {}", STANDARD.encode("pusher:wine-dark/sea")),
        STANDARD.encode("wine-dark/sea"),
        STANDARD.encode("x wine-dark/sea and more"),
        "77696e652d6461726b2f736561".to_owned(),
        "wine-dark%2Fsea".to_owned(),
    ] {
        assert!(found(&text), "{text}");
    }
    assert!(!found("wine-dark sea"));
}
