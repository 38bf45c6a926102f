//! The builder of an explanation: what was found so far.

use std::collections::HashSet;

use super::finds::{Finds, Images};
use super::origin::{Origin, Place};
use crate::format::Format;
use crate::warning::Notes;

/// An explanation in the making, and what the payload's own warnings say without a place.
#[derive(Debug)]
pub(super) struct ExplanationBuilder {
    pub(super) format: Format,
    pub(super) deep: bool,
    pub(super) images: Images,
    pub(super) subjects: Finds,
    pub(super) dependencies: Finds,
    /// Whole task runs that the payload contains.
    pub(super) copies: Vec<Origin>,
    pub(super) warnings: Vec<String>,
    /// Warnings of the payload that are among `warnings`, with the place.
    pub(super) placed: HashSet<String>,
}

impl ExplanationBuilder {
    pub(super) fn new(format: Format, deep: bool) -> Self {
        Self {
            format,
            deep,
            images: Images::default(),
            subjects: Finds::default(),
            dependencies: Finds::default(),
            copies: Vec::new(),
            warnings: Vec::new(),
            placed: HashSet::new(),
        }
    }

    /// Whether hints on the results of steps count, and only images and build artifacts are
    /// subjects.
    pub(super) fn is_narrow(&self) -> bool {
        self.format == Format::SlsaV2Alpha4
    }

    /// Takes over notes with the place they are about, and a closer reason.
    pub(super) fn note(
        &mut self,
        place: Place<'_>,
        position: &str,
        notes: Notes,
        reason: Option<String>,
    ) {
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        for warning in notes.into_warnings() {
            let text = warning.to_string();
            self.warn(place, &format!("{position}{text}{reason}"));
            self.placed.insert(text);
        }
    }

    pub(super) fn warn(&mut self, place: Place<'_>, sentence: &str) {
        self.warnings.push(place.says(sentence));
    }
}
