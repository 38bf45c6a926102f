//! Patterns: what is looked for in a text, and the text with a mask in place of what is found.

use aho_corasick::AhoCorasick;
use zeroize::Zeroizing;

use super::forms::{Beginning, Extent, Form, forms};
use super::view::{Place, View};

/// What stands in place of a secret.
const MASK: &str = "[redacted]";

/// What is looked for.
pub(crate) struct Patterns {
    automaton: AhoCorasick,
    forms: Vec<Form>,
    /// Secrets that are too short to be looked for alone.
    short: Vec<Zeroizing<String>>,
}

impl Patterns {
    /// None if there is nothing to look for.
    pub(super) fn of<'s>(secrets: impl Iterator<Item = &'s Beginning>) -> Option<Self> {
        let mut short = Vec::new();
        let mut all: Vec<(Zeroizing<String>, Form)> = Vec::new();
        for secret in secrets {
            if secret.is_short() {
                short.push(Zeroizing::new(secret.text().to_ascii_lowercase()));
            }
            all.extend(forms(secret));
        }
        all.sort_by(|(one, _), (other, _)| one.as_str().cmp(other));
        all.dedup_by(|(text, form), (before, known)| {
            let is_known = text == before;
            if is_known {
                *known = known.or(*form);
            }
            is_known
        });
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(all.iter().map(|(text, _)| text.as_bytes()))
            .ok()?;
        Some(Self {
            automaton,
            forms: all.into_iter().map(|(_, form)| form).collect(),
            short,
        })
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
            for found in self.automaton.find_overlapping_iter(view.bytes()) {
                let place = view.place(found.start(), found.end());
                let form = self.forms.get(found.pattern().as_usize());
                let extent = form.map_or(Extent::Whole, |form| form.extent);
                hidden.hide(text, place, extent);
            }
        }
        hidden.without(text)
    }

    /// Whether a text has a secret that nothing has by chance.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let views = View::all(text);
        let mut found = views
            .iter()
            .flat_map(|view| self.automaton.find_overlapping_iter(view.bytes()));
        found.any(|found| {
            let form = self.forms.get(found.pattern().as_usize());
            form.is_some_and(|form| form.is_long)
        })
    }

    /// How much memory the search takes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.automaton.memory_usage()
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
