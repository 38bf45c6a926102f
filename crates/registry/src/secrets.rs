//! The secrets in use, and texts without them.
//!
//! A registry may repeat what it was sent. So every password and token is noted before it is sent, and
//! whatever a registry says passes through here before it is printed: a secret is masked as it is, in
//! base64 at each of its three alignments (as in `Authorization: Basic`), in hexadecimal, and in each
//! of these with characters escaped as in URLs or JSON strings, in any case of letters.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aho_corasick::AhoCorasick;
use zeroize::Zeroizing;

use self::forms::{Form, forms};
use self::view::{Place, View};
use crate::auth::Credential;

mod forms;
mod view;

/// What stands in place of a secret.
const MASK: &str = "[redacted]";
/// Most secrets that are remembered: the newest.
const REMEMBERED: usize = 256;
/// Shortest secret that is looked for within a text. A text with a shorter one is masked as a whole.
const SHORTEST: usize = 4;

/// The secrets in use. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    known: VecDeque<Zeroizing<String>>,
    /// Made of all that are known; none after a change.
    patterns: Option<Arc<Patterns>>,
}

/// What is looked for.
struct Patterns {
    automaton: AhoCorasick,
    forms: Vec<Form>,
    /// Secrets that are too short to be looked for alone.
    short: Vec<Zeroizing<String>>,
}

impl Secrets {
    /// Notes a secret.
    pub fn note(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let mut state = self.state();
        let place = state
            .known
            .iter()
            .position(|known| known.as_str() == secret);
        if let Some(place) = place {
            let known = state.known.remove(place);
            state.known.extend(known);
            return;
        }
        if state.known.len() == REMEMBERED {
            state.known.pop_front();
        }
        state.known.push_back(Zeroizing::new(secret.to_owned()));
        state.patterns = None;
    }

    pub(crate) fn note_all(&self, credential: &Credential) {
        for secret in credential.secrets() {
            self.note(secret);
        }
        if let Credential::Password { username, password } = credential {
            let both = Zeroizing::new(format!("{}:{}", username.as_str(), password.as_str()));
            self.note(&both);
        }
    }

    /// A text without the secrets that are known.
    pub fn mask(&self, text: &str) -> String {
        let Some(patterns) = self.patterns() else {
            return text.to_owned();
        };
        let lower = text.to_ascii_lowercase();
        if patterns
            .short
            .iter()
            .any(|short| lower.contains(&short.to_ascii_lowercase()))
        {
            return MASK.to_owned();
        }
        let mut hidden = vec![false; text.len()];
        for view in View::all(text) {
            for found in patterns.automaton.find_overlapping_iter(view.bytes()) {
                let place = view.place(found.start(), found.end());
                let place = match patterns.forms.get(found.pattern().as_usize()) {
                    Some(form) if form.is_part => place.word_around(text),
                    _ => place,
                };
                let Place { start, end } = place;
                hidden[start..end].fill(true);
            }
        }
        without(text, &hidden)
    }

    /// Whether a text has a secret that nothing has by chance. The name of a host is such a text: it
    /// gets to resolvers, and into the logs of whoever connects.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        let Some(patterns) = self.patterns() else {
            return false;
        };
        let views = View::all(text);
        let mut found = views
            .iter()
            .flat_map(|view| patterns.automaton.find_overlapping_iter(view.bytes()));
        found.any(|found| {
            let form = patterns.forms.get(found.pattern().as_usize());
            form.is_some_and(|form| form.is_long)
        })
    }

    /// None if there is nothing to look for.
    fn patterns(&self) -> Option<Arc<Patterns>> {
        let mut state = self.state();
        if state.known.is_empty() {
            return None;
        }
        if state.patterns.is_none() {
            state.patterns = Patterns::of(&state.known).map(Arc::new);
        }
        state.patterns.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Patterns {
    fn of(known: &VecDeque<Zeroizing<String>>) -> Option<Self> {
        let (short, long): (Vec<_>, Vec<_>) = known
            .iter()
            .cloned()
            .partition(|secret| secret.len() < SHORTEST);
        let forms: Vec<Form> = long.iter().flat_map(|secret| forms(secret)).collect();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(forms.iter().map(|form| form.text.as_bytes()))
            .ok()?;
        Some(Self {
            automaton,
            forms,
            short,
        })
    }
}

/// The text with a mask in place of each hidden piece.
fn without(text: &str, hidden: &[bool]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (start, letter) in text.char_indices() {
        let end = start + letter.len_utf8();
        let is_hidden = hidden
            .get(start..end)
            .is_some_and(|bytes| bytes.contains(&true));
        match (is_hidden, was_hidden) {
            (false, _) => shown.push(letter),
            (true, false) => shown.push_str(MASK),
            (true, true) => {}
        }
        was_hidden = is_hidden;
    }
    shown
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

    fn secrets(secret: &str) -> Secrets {
        let secrets = Secrets::default();
        secrets.note(secret);
        secrets
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
            let masked = secrets.mask(&format!("you sent <{encoding}> to us"));
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
        secrets.note_all(&credential);
        assert_eq!(secrets.mask("you sent abc"), "[redacted]");
        let basic = STANDARD.encode("robot:abc");
        assert_eq!(
            secrets.mask(&format!("Basic {basic}!")),
            "Basic [redacted]!"
        );
        assert_eq!(secrets.mask("you sent nothing"), "you sent nothing");
    }

    #[test]
    fn only_the_newest_secrets_are_remembered() {
        let secrets = secrets("the-first-one");
        secrets.note("another-one");
        for number in 0..REMEMBERED - 2 {
            secrets.note(&format!("further-{number}"));
        }
        // used again
        secrets.note("the-first-one");
        secrets.note("the-last-one");
        assert_eq!(secrets.mask("the-first-one"), MASK);
        assert_eq!(secrets.mask("another-one"), "another-one");
        assert!(!format!("{secrets:?}").contains("first"));
    }

    #[test]
    fn a_name_with_a_secret_is_told_unless_the_secret_is_an_ordinary_word() {
        let secrets = secrets("w1ne-dark");
        secrets.note("harbor");
        assert!(secrets.are_in("W1NE-DARK.example"));
        assert!(secrets.are_in("77316e652d6461726b.example"));
        assert!(!secrets.are_in("harbor.example"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_secret_is_left(
            before in ".{0,40}", secret in "[a-zA-Z0-9+/=%&é ]{4,30}", after in ".{0,40}",
        ) {
            let masked = secrets(&secret).mask(&format!("{before}{secret}{after}"));
            prop_assert!(!masked.contains(&secret));
        }
    }
}
