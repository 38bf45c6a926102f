//! What the cluster remembers of windlass: since when it signs in this cluster, with which keys, and
//! with certificates of which authorities. All of it decides which marks are believed, see [`windlass_core::decide::Trust`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use windlass_core::certificate::Authority;
use windlass_core::key::{END_OF_PUBLIC_KEY, PublicKey, pem_blocks};

/// Keys that are kept; beyond that the oldest is forgotten.
const MOST_KEYS: usize = 64;

/// What is remembered.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// When windlass first signed in this cluster: in the far future if it has not yet, none if that
    /// cannot be kept.
    pub(crate) since: Option<Timestamp>,
    /// Keys that have signed, the oldest first.
    pub(crate) keys: Vec<PublicKey>,
    /// Authorities whose certificates have signed, the oldest first.
    pub(crate) authorities: Vec<Authority>,
}

/// What signs and is remembered.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    Key(PublicKey),
    Authority(Authority),
}

/// An authority as it is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    identity: String,
    issuer: String,
    /// PEM of the key that issues certificates.
    key: String,
}

impl History {
    /// Adds what signs; true if it is new.
    pub(super) fn add(&mut self, mark: &Mark) -> bool {
        match mark {
            Mark::Key(key) => add(&mut self.keys, key),
            Mark::Authority(authority) => add(&mut self.authorities, authority),
        }
    }

    /// The keys as a text: PEM blocks one after another.
    pub(super) fn pem(&self) -> String {
        self.keys.iter().map(PublicKey::to_pem).collect()
    }

    /// The authorities as a text: a list in JSON.
    pub(super) fn json(&self) -> String {
        let each = self.authorities.iter().map(|authority| Written {
            identity: authority.identity().to_owned(),
            issuer: authority.issuer().to_owned(),
            key: authority.key().to_pem(),
        });
        let each: Vec<Written> = each.collect();
        serde_json::json!(each).to_string()
    }
}

fn add<T: Clone + PartialEq>(list: &mut Vec<T>, one: &T) -> bool {
    if list.contains(one) {
        return false;
    }
    list.push(one.clone());
    let surplus = list.len().saturating_sub(MOST_KEYS);
    list.drain(..surplus);
    true
}

/// The authorities in a text; those that cannot be read are left out.
pub(super) fn authorities(text: &str) -> Vec<Authority> {
    let written: Vec<Written> = serde_json::from_str(text).unwrap_or_default();
    let read = written.into_iter().take(MOST_KEYS).filter_map(|one| {
        let key = PublicKey::from_pem(one.key.as_bytes()).ok()?;
        Some(Authority::new(key, one.identity, one.issuer))
    });
    read.collect()
}

/// The keys in a text; those that cannot be read are left out.
pub(super) fn keys(text: &str) -> Vec<PublicKey> {
    let blocks = pem_blocks(text, END_OF_PUBLIC_KEY).take(MOST_KEYS);
    let keys = blocks.map(|block| PublicKey::from_pem(block.as_bytes()));
    keys.filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use windlass_core::key::PrivateKey;

    use super::*;

    fn key(seed: u8) -> PublicKey {
        let key = PrivateKey::generate_p256(&[seed; 32]).unwrap();
        key.public_key().clone()
    }

    #[test]
    fn keys_are_read_back_and_the_oldest_is_forgotten() {
        let mut history = History::default();
        for seed in 1..=70 {
            assert!(history.add(&Mark::Key(key(seed))));
            assert!(!history.add(&Mark::Key(key(seed))));
        }
        let text = history.pem();
        let read = keys(&text);
        assert_eq!(read.len(), MOST_KEYS);
        assert_eq!(read, history.keys);
        assert_eq!(read.last(), Some(&key(70)));
    }

    #[test]
    fn authorities_are_read_back_and_told_apart_by_key_identity_and_issuer() {
        let of = |seed, identity: &str, issuer: &str| {
            Authority::new(key(seed), identity.to_owned(), issuer.to_owned())
        };
        let mut history = History::default();
        let each = [
            of(1, "a", "i"),
            of(2, "a", "i"),
            of(1, "b", "i"),
            of(1, "a", "j"),
        ];
        for authority in &each {
            assert!(history.add(&Mark::Authority(authority.clone())));
            assert!(!history.add(&Mark::Authority(authority.clone())));
        }
        assert_eq!(authorities(&history.json()), each);
        for text in ["", "{}", r#"[{"identity":"a","issuer":"i","key":"x"}]"#] {
            assert_eq!(authorities(text), []);
        }
    }

    #[test]
    fn a_key_that_cannot_be_read_does_not_hide_the_others() {
        let text = format!(
            "{}-----BEGIN PUBLIC KEY-----\nx\n{END_OF_PUBLIC_KEY}\n{}",
            key(1).to_pem(),
            key(2).to_pem()
        );
        assert_eq!(keys(&text), [key(1), key(2)]);
        assert_eq!(keys(""), []);
    }
}
