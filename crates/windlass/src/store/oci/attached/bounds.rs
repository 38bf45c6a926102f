//! How much of what is attached to an image is read at most.
//!
//! A registry that somebody verifies against may list anything, any number of times, with any size
//! stated, and send something else. The bounds are below what a verifier has in memory, and above
//! what clients write: cosign, too, reads 1,000 entries. What breaks the bound of one entry is a
//! finding about that entry; what breaks a bound of the whole ends the reading, since nobody knows
//! what was not read. The class of bug is CVE-2024-29902 and CVE-2024-29903 of cosign.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::oci::layer;

/// Most entries, in tags and referrers together.
pub(crate) const ENTRIES: usize = layer::MOST;
/// Most bytes of one content, and of one list.
pub(crate) const CONTENT: usize = 16 << 20;
/// How many contents are fetched at once.
pub(crate) const AT_ONCE: usize = 4;
/// Most bytes of all contents together.
pub(crate) const TOTAL: u64 = 64 << 20;

/// What may still be fetched.
#[derive(Debug)]
pub(super) struct Budget(AtomicU64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU64::new(TOTAL))
    }
}

impl Budget {
    /// Takes the bytes of a content out of it, before the content is fetched; none if they are not
    /// left.
    #[must_use]
    pub(super) fn take(&self, bytes: u64) -> Option<()> {
        let less = |left: u64| left.checked_sub(bytes);
        let order = Ordering::Relaxed;
        self.0.fetch_update(order, order, less).ok().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_read_up_to_the_last_byte_of_the_budget_and_no_further() {
        let budget = Budget::default();
        for _ in 0..4 {
            budget.take(CONTENT as u64).unwrap();
        }
        budget.take(0).unwrap();
        assert_eq!(budget.take(1), None);
    }
}
