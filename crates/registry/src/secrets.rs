//! The secrets in use, and texts without them.
//!
//! A registry may repeat what it was sent. So every password and token is noted before it is sent, and
//! whatever a registry says passes through here before it is printed: a secret is masked as it is, in
//! base64 at each of its three alignments (as in `Authorization: Basic`), in hexadecimal, and in each
//! of these with characters escaped as in URLs or JSON strings, in any case of letters.
//!
//! Each tenant has its own: what a registry says in its response to one is masked with the secrets of
//! that one. With those of all, a tenant whose password is an ordinary word would take it out of what
//! the others are told, and one with many passwords would push out theirs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use self::known::Known;
use self::patterns::Patterns;
use crate::auth::Credential;
use crate::tenant::Tenant;

mod forms;
mod known;
mod patterns;
mod view;

/// The secrets in use. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Known>>);

/// The secrets of one tenant.
#[derive(Debug, Clone, Copy)]
pub struct TenantSecrets<'a> {
    secrets: &'a Secrets,
    tenant: &'a Tenant,
}

impl Secrets {
    /// The secrets of a tenant.
    pub fn of<'a>(&'a self, tenant: &'a Tenant) -> TenantSecrets<'a> {
        TenantSecrets {
            secrets: self,
            tenant,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        locked(&self.0)
    }
}

impl TenantSecrets<'_> {
    /// Notes a secret.
    pub fn note(self, secret: &str) {
        if !secret.is_empty() {
            let used = self.secrets.known().used(self.tenant);
            locked(&used).note(secret);
        }
    }

    pub(crate) fn note_all(self, credential: &Credential) {
        for secret in credential.secrets() {
            self.note(secret);
        }
        if let Credential::Password { username, password } = credential
            && forms::tells_more(username, password)
        {
            let both = Zeroizing::new(format!("{}:{}", username.as_str(), password.as_str()));
            self.note(&both);
        }
    }

    /// A text without the secrets that are known.
    pub fn mask(self, text: &str) -> String {
        let masked = self.with(|patterns| patterns.mask(text));
        masked.unwrap_or_else(|| text.to_owned())
    }

    /// Whether a text has a secret that nothing has by chance. The name of a host is such a text: it
    /// gets to resolvers, and into the logs of whoever connects.
    pub(crate) fn are_in(self, text: &str) -> bool {
        self.with(|patterns| patterns.are_in(text))
            .unwrap_or_default()
    }

    /// Looks for what there is to look for. Only this tenant waits meanwhile.
    fn with<T>(self, look: impl FnOnce(&Patterns) -> T) -> Option<T> {
        let used = self.secrets.known().of(self.tenant)?;
        let newest = locked(&used);
        Some(look(newest.patterns()))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "w1ne-dark/sea+?\u{e9}";

    fn team(name: &str) -> Tenant {
        Tenant::from(name)
    }

    fn secrets(secret: &str) -> Secrets {
        let secrets = Secrets::default();
        secrets.of(&Tenant::default()).note(secret);
        secrets
    }

    fn mask(secrets: &Secrets, text: &str) -> String {
        secrets.of(&Tenant::default()).mask(text)
    }

    /// All escaped as in a URL.
    fn escaped(text: &str) -> String {
        let each = text.bytes().map(|byte| format!("%{byte:02x}"));
        each.collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_secret_is_masked_in_every_encoding() {
        let secrets = secrets(SECRET);
        let hex = SECRET.bytes().map(|byte| format!("{byte:02X}"));
        let hex = hex.collect::<Vec<_>>().concat();
        let form: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let mut encodings = vec![
            SECRET.to_owned(),
            SECRET.to_ascii_uppercase(),
            form.clone(),
            form_urlencoded::byte_serialize(form.as_bytes()).collect(),
            escaped(SECRET),
            escaped(&escaped(SECRET)),
            hex,
            SECRET.replace('/', "\\/"),
            SECRET.replace('w', "\\u0077"),
        ];
        for before in ["", "a", "ab", "alice:"] {
            for after in ["", "z", "zz"] {
                let plain = format!("{before}{SECRET}{after}");
                let base64 = STANDARD.encode(&plain);
                encodings.push(form_urlencoded::byte_serialize(base64.as_bytes()).collect());
                encodings.push(base64.replace('/', "\\/"));
                encodings.push(base64);
                encodings.push(URL_SAFE_NO_PAD.encode(&plain));
            }
        }
        for encoding in encodings {
            let masked = mask(&secrets, &format!("you sent <{encoding}> to us"));
            assert_eq!(masked, "you sent <[redacted]> to us", "{encoding}");
        }
    }

    #[test]
    fn a_text_with_a_secret_of_a_few_letters_is_masked_as_a_whole() {
        let credential = Credential::Password {
            username: "robot".to_owned().into(),
            password: "abc".to_owned().into(),
        };
        let secrets = Secrets::default();
        secrets.of(&Tenant::default()).note_all(&credential);
        assert_eq!(mask(&secrets, "you sent abc"), "[redacted]");
        let basic = STANDARD.encode("robot:abc");
        assert_eq!(
            mask(&secrets, &format!("Basic {basic}!")),
            "Basic [redacted]!"
        );
        assert_eq!(mask(&secrets, "you sent nothing"), "you sent nothing");
    }

    #[test]
    fn the_newest_secrets_of_a_tenant_are_remembered() {
        let (secrets, tenant) = (Secrets::default(), Tenant::default());
        let of_tenant = secrets.of(&tenant);
        for first in ["the-first-one", "another-one"] {
            of_tenant.note(first);
        }
        for number in 0..known::EACH - 2 {
            of_tenant.note(&format!("further-{number}"));
        }
        // used again
        of_tenant.note("the-first-one");
        of_tenant.note("the-last-one");
        assert_eq!(of_tenant.mask("the-first-one"), "[redacted]");
        assert_eq!(of_tenant.mask("another-one"), "another-one");
        assert!(!format!("{secrets:?}").contains("first"));
    }

    #[test]
    fn a_tenant_with_many_secrets_pushes_none_of_another_out() {
        let secrets = Secrets::default();
        let (modest, greedy) = (team("team-a"), team("team-b"));
        secrets.of(&modest).note("the-only-one");
        for number in 0..10_000 {
            secrets.of(&greedy).note(&format!("further-{number}"));
        }
        let masked = secrets.of(&modest).mask("you sent the-only-one");
        assert_eq!(masked, "you sent [redacted]");
    }

    #[test]
    fn the_secrets_of_a_tenant_change_nothing_of_what_another_is_told() {
        let secrets = Secrets::default();
        let (modest, hostile) = (team("team-a"), team("team-b"));
        for word in ["e", "denied", "auth.example.com", "cdn.example.com"] {
            secrets.of(&hostile).note(word);
        }
        let text = "denied: ask auth.example.com";
        assert_eq!(secrets.of(&modest).mask(text), text);
        assert!(!secrets.of(&modest).are_in("cdn.example.com"));
        assert!(secrets.of(&hostile).are_in("cdn.example.com"));
    }

    #[test]
    fn a_secret_of_any_length_is_masked_with_what_stands_for_the_rest_of_it() {
        let token = "eyJhbGciOiJSUzI1NiJ9.".repeat(5_000);
        let phrase = format!(
            "a phrase of many words, and then {}",
            "some more ".repeat(500)
        );
        let escaped: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let basic = STANDARD.encode(format!("robot:{phrase}"));
        let hex = token.bytes().map(|byte| format!("{byte:02x}"));
        for (secret, shown, masked) in [
            (&token, token.clone(), "you sent <[redacted]> to us"),
            (
                &token,
                token[..200].to_owned(),
                "you sent <[redacted]> to us",
            ),
            (&token, escaped, "you sent <[redacted]> to us"),
            (&token, hex.collect(), "you sent <[redacted]> to us"),
            (&phrase, basic, "you sent <[redacted]> to us"),
            (&phrase, phrase.clone(), "you sent <[redacted]"),
        ] {
            let text = format!("you sent <{shown}> to us");
            assert_eq!(mask(&secrets(secret), &text), masked);
        }
    }

    #[test]
    fn what_is_kept_to_look_for_secrets_is_small_however_long_and_many_they_are() {
        let (secrets, tenant) = (Secrets::default(), Tenant::default());
        for number in 0..2 * known::EACH {
            // no two begin alike
            let piece = format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            secrets.of(&tenant).note(&piece.repeat(1000));
        }
        let bytes = secrets.of(&tenant).with(Patterns::bytes).unwrap();
        assert!(bytes < 1 << 20, "{bytes}");
    }

    #[test]
    fn a_name_with_a_secret_is_told_unless_the_secret_is_an_ordinary_word() {
        let (secrets, tenant) = (Secrets::default(), Tenant::default());
        let of_tenant = secrets.of(&tenant);
        for secret in ["w1ne-dark", "harbor"] {
            of_tenant.note(secret);
        }
        assert!(of_tenant.are_in("W1NE-DARK.example"));
        assert!(of_tenant.are_in("77316e652d6461726b.example"));
        assert!(!of_tenant.are_in("harbor.example"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_secret_is_left(
            before in ".{0,40}", secret in "[a-zA-Z0-9+/=%&é ]{4,30}", after in ".{0,40}",
        ) {
            let masked = mask(&secrets(&secret), &format!("{before}{secret}{after}"));
            prop_assert!(!masked.contains(&secret));
        }
    }
}
