//! A reading: the candidates and warnings that one source gives.

use super::candidate::Candidate;
use super::warning::Warning;

/// Most problems of a source that are listed: tenants write sources, others read about them.
const MOST: usize = 20;

/// What a source has for a repository.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) warnings: Vec<Warning>,
}

impl Reading {
    pub(crate) fn warn(&mut self, place: &str, problem: String) {
        let problem = match self.warnings.len() {
            ..MOST => problem,
            MOST => "it has more problems, which are not listed".to_owned(),
            _ => return,
        };
        self.warnings.push(Warning {
            place: place.to_owned(),
            problem,
        });
    }

    /// The text of the error is left out: it may quote a value.
    pub(crate) fn unreadable(place: &str, error: &serde_json::Error) -> Self {
        let mut reading = Self::default();
        let (line, column) = (error.line(), error.column());
        let problem = format!(
            "it is not a Docker configuration in JSON (line {line}, column {column}); create it \
             again"
        );
        reading.warn(place, problem);
        reading
    }
}
