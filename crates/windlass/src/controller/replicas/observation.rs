//! Whether a lease is held, as one who watches it knows.
//!
//! The clock of the holder is not trusted: a lease is held for its duration after a renewal was seen.
//! Only where a lease is seen for the first time, its own times count, so that nobody waits for one who
//! ended an hour ago. A holder whose clock is wrong by more than the duration is believed with its next
//! renewal.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cluster::lease::term::Term;
use crate::cluster::time_of_day;

/// What was seen of a lease last.
#[derive(Debug, Clone)]
pub(super) struct Observation {
    holder: String,
    renewed: Option<Timestamp>,
    /// Until when it is held, unless it is renewed.
    pub(super) until: Instant,
}

impl Observation {
    /// What is seen of a lease now, after what was seen of it before.
    pub(super) fn new(before: Option<&Self>, term: &Term<'_>, longest: Duration) -> Self {
        let duration = term.duration.unwrap_or(longest).min(longest);
        let now = Instant::now();
        let until = match before {
            Some(before) if before.holder == term.holder && before.renewed == term.renewed => {
                before.until
            }
            Some(_) => now + duration,
            None => now + left(term, duration),
        };
        Self {
            holder: term.holder.to_owned(),
            renewed: term.renewed,
            until,
        }
    }

    /// Who holds the lease, or did.
    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether it is held.
    pub(super) fn is_fresh(&self) -> bool {
        !self.holder.is_empty() && Instant::now() < self.until
    }
}

/// How much of a term is left by the clock of its holder.
fn left(term: &Term<'_>, duration: Duration) -> Duration {
    let Some(renewed) = term.renewed else {
        return duration;
    };
    match Duration::try_from(time_of_day::now().duration_since(renewed)) {
        Ok(since) => duration.saturating_sub(since),
        // it was renewed in what is the future here
        Err(_) => duration,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(60);

    fn term(holder: &str, renewed: Timestamp) -> Term<'_> {
        Term {
            holder,
            duration: Some(Duration::from_secs(15)),
            renewed: Some(renewed),
            annotations: &[],
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_held_for_its_duration_after_each_renewal_that_is_seen() {
        let start = Timestamp::now();
        let first = Observation::new(None, &term("a", start), LONGEST);
        tokio::time::advance(Duration::from_secs(14)).await;
        assert!(first.is_fresh());
        let same = Observation::new(Some(&first), &term("a", start), LONGEST);
        // whatever its clock says
        let odd = start - jiff::SignedDuration::from_hours(1);
        let renewed = Observation::new(Some(&first), &term("a", odd), LONGEST);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!same.is_fresh() && renewed.is_fresh());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_ended_long_ago_is_not_waited_for_and_one_without_a_holder_neither() {
        let hour = jiff::SignedDuration::from_hours(1);
        let now = Timestamp::now();
        let seen = |term: &Term<'_>| Observation::new(None, term, LONGEST);
        assert!(!seen(&term("a", now - hour)).is_fresh());
        assert!(!seen(&term("", now)).is_fresh());
        // from the future, or without a time: not longer than its duration
        let untimed = Term {
            renewed: None,
            ..term("a", now)
        };
        for odd in [term("a", now + hour), untimed] {
            let seen = seen(&odd);
            assert!(seen.is_fresh());
            tokio::time::advance(Duration::from_secs(16)).await;
            assert!(!seen.is_fresh());
        }
    }
}
