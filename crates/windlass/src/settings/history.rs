//! What the cluster remembers of windlass: since when it signs in this cluster, and with which keys.
//! Both decide which marks are believed, see [`windlass_core::decide::Trust`].

use jiff::Timestamp;
use windlass_core::key::PublicKey;

/// Keys that are kept; beyond that the oldest is forgotten.
const MOST_KEYS: usize = 64;
/// End of a PEM block.
const END: &str = "-----END PUBLIC KEY-----";

/// What is remembered.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// When windlass first signed in this cluster: in the far future if it has not yet, none if that
    /// cannot be kept.
    pub(crate) since: Option<Timestamp>,
    /// Keys that have signed, the oldest first.
    pub(crate) keys: Vec<PublicKey>,
}

impl History {
    /// Adds a key; true if it is new.
    pub(super) fn add(&mut self, key: &PublicKey) -> bool {
        if self.keys.contains(key) {
            return false;
        }
        self.keys.push(key.clone());
        let surplus = self.keys.len().saturating_sub(MOST_KEYS);
        self.keys.drain(..surplus);
        true
    }

    /// The keys as a text: PEM blocks one after another.
    pub(super) fn pem(&self) -> String {
        self.keys.iter().map(PublicKey::to_pem).collect()
    }
}

/// The keys in a text; those that cannot be read are left out.
pub(super) fn keys(text: &str) -> Vec<PublicKey> {
    let blocks = text.split_inclusive(END).take(MOST_KEYS);
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
            assert!(history.add(&key(seed)));
            assert!(!history.add(&key(seed)));
        }
        let text = history.pem();
        let read = keys(&text);
        assert_eq!(read.len(), MOST_KEYS);
        assert_eq!(read, history.keys);
        assert_eq!(read.last(), Some(&key(70)));
    }

    #[test]
    fn a_key_that_cannot_be_read_does_not_hide_the_others() {
        let text = format!(
            "{}-----BEGIN PUBLIC KEY-----\nx\n{END}\n{}",
            key(1).to_pem(),
            key(2).to_pem()
        );
        assert_eq!(keys(&text), [key(1), key(2)]);
        assert_eq!(keys(""), []);
    }
}
