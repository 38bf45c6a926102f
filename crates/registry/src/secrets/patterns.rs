//! Patterns: what is looked for in a text, and the text with a mask in place of what is found.
//!
//! A registry may give a token for each repository, so a pattern is added and taken away without a look
//! at the others. They are found by their first letters.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use zeroize::Zeroizing;

use super::forms::{Beginning, Extent, Form, SHORTEST, forms};
use super::view::{Place, View};

/// What stands in place of a secret.
const MASK: &str = "[redacted]";

/// What is looked for, in lower case.
#[derive(Default)]
pub(super) struct Patterns {
    /// The forms of secrets by their first letters.
    forms: HashMap<[u8; SHORTEST], Vec<(Zeroizing<String>, Form)>>,
    /// Secrets that are too short to be looked for alone.
    short: Vec<Zeroizing<String>>,
}

impl Patterns {
    /// Looks for a secret from now on.
    pub(super) fn add(&mut self, secret: &Beginning) {
        if secret.is_short() {
            self.short.push(lower(secret.text()));
        }
        for (text, form) in forms(secret) {
            let text = lower(&text);
            if let Some(first) = text.as_bytes().first_chunk() {
                self.forms.entry(*first).or_default().push((text, form));
            }
        }
    }

    /// No longer looks for a secret that was added.
    pub(super) fn remove(&mut self, secret: &Beginning) {
        if secret.is_short() {
            remove_one(&mut self.short, &lower(secret.text()));
        }
        for (text, form) in forms(secret) {
            let text = lower(&text);
            let Some(first) = text.as_bytes().first_chunk() else {
                continue;
            };
            if let Entry::Occupied(mut alike) = self.forms.entry(*first) {
                remove_one(alike.get_mut(), &(text, form));
                if alike.get().is_empty() {
                    alike.remove();
                }
            }
        }
    }

    /// A text without the secrets.
    pub(super) fn mask(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        if self
            .short
            .iter()
            .any(|short| lower.contains(short.as_str()))
        {
            return MASK.to_owned();
        }
        let mut hidden = Hidden::none(text);
        for view in View::all(text) {
            for (place, form) in self.found_in(&view) {
                hidden.hide(text, place, form.extent);
            }
        }
        hidden.without(text)
    }

    /// Whether a text has a secret that nothing has by chance.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let views = View::all(text);
        let mut found = views.iter().flat_map(|view| self.found_in(view));
        found.any(|(_, form)| form.is_long)
    }

    /// Where forms are, also within each other.
    fn found_in<'a>(&'a self, view: &'a View) -> impl Iterator<Item = (Place, Form)> + 'a {
        let text = view.bytes().to_ascii_lowercase();
        (0..text.len()).flat_map(move |start| {
            let rest = &text[start..];
            let alike = rest.first_chunk().and_then(|first| self.forms.get(first));
            let alike = alike.into_iter().flatten();
            let found = alike.filter(|(form, _)| rest.starts_with(form.as_bytes()));
            let found = found.map(|(text, form)| (view.place(start, start + text.len()), *form));
            // seldom more than one
            found.collect::<Vec<_>>()
        })
    }

    /// How many bytes are looked for.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let all = self.forms.values().flatten();
        all.map(|(text, _)| text.capacity()).sum()
    }
}

fn lower(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_ascii_lowercase())
}

fn remove_one<T: PartialEq>(all: &mut Vec<T>, one: &T) {
    if let Some(place) = all.iter().position(|it| it == one) {
        all.swap_remove(place);
    }
}

/// Which bytes of a text are hidden.
struct Hidden {
    bytes: Vec<bool>,
    /// Those of whole words. A text may repeat a secret as often as it likes, so that each word is gone
    /// through once.
    words: Vec<bool>,
    /// Where the rest begins that is hidden.
    rest: usize,
}

impl Hidden {
    fn none(text: &str) -> Self {
        Self {
            bytes: vec![false; text.len()],
            words: vec![false; text.len()],
            rest: text.len(),
        }
    }

    fn hide(&mut self, text: &str, place: Place, extent: Extent) {
        let Place { start, end } = place;
        match extent {
            Extent::Whole => self.bytes[start..end].fill(true),
            Extent::Word if self.words[start..end].iter().all(|byte| *byte) => {}
            Extent::Word => {
                let Place { start, end } = place.word_around(text);
                self.words[start..end].fill(true);
            }
            Extent::Rest => self.rest = self.rest.min(start),
        }
    }

    /// The text with a mask in place of each hidden piece.
    fn without(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut was_hidden = false;
        for (start, letter) in text.char_indices() {
            let mut bytes = start..start + letter.len_utf8();
            let is_hidden =
                bytes.any(|byte| byte >= self.rest || self.bytes[byte] || self.words[byte]);
            match (is_hidden, was_hidden) {
                (false, _) => shown.push(letter),
                (true, false) => shown.push_str(MASK),
                (true, true) => {}
            }
            was_hidden = is_hidden;
        }
        shown
    }
}
