//! Holders that had a place for long of late.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::places::Places;

/// How long a place is held at most by a holder that is quick.
const QUICK: Duration = Duration::from_secs(5);
/// How long a holder is remembered that was not.
const MEMORY: Duration = Duration::from_secs(600);
/// How many are remembered. Beyond it, whoever was slow first is forgotten.
const MOST: usize = 10_000;

/// The holders that were slow, each until it is forgotten.
#[derive(Debug)]
pub struct Slow<H>(HashMap<H, Instant>);

impl<H> Default for Slow<H> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<H: Clone + Eq + Hash> Slow<H> {
    /// A holder had a place for so long, until now.
    pub fn held(&mut self, holder: &H, time: Duration, now: Instant) {
        if time <= QUICK {
            return;
        }
        if !self.0.contains_key(holder) && self.0.len() >= MOST {
            self.0.retain(|_, until| now < *until);
            self.forget_first();
        }
        self.0.insert(holder.clone(), now + MEMORY);
    }

    /// Whether a holder was slow of late.
    pub fn has<Q: Eq + Hash + ?Sized>(&self, holder: &Q, now: Instant) -> bool
    where
        H: Borrow<Q>,
    {
        self.0.get(holder).is_some_and(|until| now < *until)
    }

    /// Whether a holder gets one more of these places: one that is free for it or, unless it was slow of
    /// late, one of its own while fewer than so many holders have any.
    pub fn leaves_room<Q: Eq + Hash + ?Sized>(
        &self,
        holder: &Q,
        (places, holders): (&Places<H>, usize),
        now: Instant,
    ) -> bool
    where
        H: Borrow<Q>,
    {
        let has_own = || places.have_one_for_each(holder, holders);
        places.have_room(holder) || has_own() && !self.has(holder, now)
    }

    fn forget_first(&mut self) {
        if self.0.len() < MOST {
            return;
        }
        let first = self.0.iter().min_by_key(|(_, until)| **until);
        let first = first.map(|(holder, _)| holder.clone());
        first.map(|holder| self.0.remove(&holder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_held_a_place_for_long_is_slow_for_a_while() {
        let (mut slow, now) = (Slow::default(), Instant::now());
        slow.held(&"quick", QUICK, now);
        slow.held(&"slow", QUICK + Duration::from_millis(1), now);
        // nothing quick makes up for it
        slow.held(&"slow", Duration::ZERO, now);
        assert!(!slow.has(&"quick", now));
        assert!(slow.has(&"slow", now + MEMORY / 2));
        assert!(!slow.has(&"slow", now + MEMORY));
    }

    #[test]
    fn of_too_many_the_first_one_is_forgotten() {
        let (mut slow, now) = (Slow::default(), Instant::now());
        let at = |number: usize| now + Duration::from_millis(number as u64);
        for number in 0..=MOST {
            slow.held(&number, MEMORY, at(number));
        }
        assert_eq!(slow.0.len(), MOST);
        assert!(!slow.has(&0, at(MOST)) && slow.has(&1, at(MOST)));
        slow.held(&0, MEMORY, at(MOST) + MEMORY);
        assert_eq!(slow.0.len(), 1);
    }
}
