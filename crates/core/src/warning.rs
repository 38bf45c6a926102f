//! Warnings: what was left out of a payload and what looks wrong in a run, for its owner.

use std::collections::HashSet;
use std::fmt;

use crate::terminal::quoted_start;

/// Most notes that are kept; a run may hold any number of mistakes.
const MOST: usize = 100;
/// Longest name or value shown in a note, in characters.
const SHOWN: usize = 120;

/// Something about a run that its owner should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning(pub String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A collection of notes, each once, in the order in which they came up.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    kept: Vec<Warning>,
    seen: HashSet<String>,
    left_off: usize,
    losses: usize,
}

impl Notes {
    pub(crate) fn add(&mut self, note: String) {
        if self.seen.contains(&note) {
            return;
        }
        if self.kept.len() - self.losses >= MOST {
            self.left_off += 1;
            return;
        }
        self.seen.insert(note.clone());
        self.kept.push(Warning(note));
    }

    /// Adds a note on something that belongs in the payload and could not be put there. Other notes
    /// do not use up the room for these.
    pub(crate) fn add_loss(&mut self, note: String) {
        if self.seen.contains(&note) {
            return;
        }
        if self.losses >= MOST {
            self.left_off += 1;
            return;
        }
        self.losses += 1;
        self.seen.insert(note.clone());
        self.kept.push(Warning(note));
    }

    pub(crate) fn add_all(&mut self, notes: Vec<String>) {
        for note in notes {
            self.add_loss(note);
        }
    }

    pub(crate) fn into_warnings(mut self) -> Vec<Warning> {
        if self.left_off > 0 {
            self.kept
                .push(Warning(format!("and {} more", self.left_off)));
        }
        self.kept
    }
}

/// A text of the run as a note may show it: quoted and not too long.
pub(crate) fn shown(text: &str) -> String {
    quoted_start(text, SHOWN)
}
