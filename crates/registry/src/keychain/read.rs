//! A reading: the candidates and warnings that one source gives.

use super::candidate::Candidate;
use super::warning::Warning;

/// Most credentials that are tried for a repository, besides none: each costs a request or two.
pub(super) const TRIED: usize = 64;
/// Longest password or token, in bytes. No server accepts a header of that length.
const LONGEST: usize = 64 << 10;
/// Most problems of a source that are listed: tenants write sources, others read about them.
const MOST: usize = 20;

/// What a source has for a repository.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) warnings: Vec<Warning>,
}

impl Reading {
    /// The same without credentials that no registry accepts, and with this many at most.
    pub(super) fn within(self, most: usize) -> Self {
        let mut read = Self {
            candidates: Vec::new(),
            warnings: self.warnings,
        };
        for candidate in self.candidates {
            if candidate.credential.bytes() > LONGEST {
                let problem = format!(
                    "it has a credential of more than {LONGEST} bytes, which no registry accepts; \
                     that is not used"
                );
                read.warn(&candidate.source, problem);
            } else if read.candidates.len() == most {
                let problem = format!(
                    "there are more than {TRIED} credentials for this repository; the others are \
                     not tried, remove those that are not needed"
                );
                read.warn(&candidate.source, problem);
                break;
            } else {
                read.candidates.push(candidate);
            }
        }
        read
    }

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
