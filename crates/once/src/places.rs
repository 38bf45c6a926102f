//! Places that many holders share.
//!
//! What holds a place may do so for long. The more places are taken, the fewer each holder may have:
//! alone a quarter of them, and fewer among many. The last quarter is only for holders that have none,
//! so that whoever comes late finds a place though several others have taken what they can.
//!
//! Many holders in concert take that quarter too, one place each. So whoever shares the places may give
//! each of a number of holders one of its own: then there are more places than was said, and nobody
//! waits for others to have a first one.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A holder gets one more while more than this many times what it has is free.
const OTHERS: usize = 3;
/// One of this many parts of the places is for holders that have none.
const PARTS: usize = 4;

/// How many places there are, and how many each holder has taken.
#[derive(Debug)]
pub struct Places<H> {
    most: usize,
    taken: usize,
    by_holder: HashMap<H, usize>,
}

impl<H: Clone + Eq + Hash> Places<H> {
    /// This many places, one at least.
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            taken: 0,
            by_holder: HashMap::new(),
        }
    }

    /// How many places there are.
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many places nobody has.
    pub fn free(&self) -> usize {
        self.most.saturating_sub(self.taken)
    }

    /// Whether nobody has a place.
    pub fn are_unused(&self) -> bool {
        self.by_holder.is_empty()
    }

    /// Whether there is one more for this holder.
    pub fn have_room<Q: Eq + Hash + ?Sized>(&self, holder: &Q) -> bool
    where
        H: Borrow<Q>,
    {
        let free = self.free();
        match self.by_holder.get(holder) {
            None => free > 0,
            Some(own) => free > self.most / PARTS && free > own * OTHERS,
        }
    }

    /// Whether a holder that has no place gets one though all are taken, while fewer than so many
    /// holders have any.
    pub(crate) fn have_one_for_each<Q: Eq + Hash + ?Sized>(
        &self,
        holder: &Q,
        holders: usize,
    ) -> bool
    where
        H: Borrow<Q>,
    {
        self.by_holder.len() < holders && !self.by_holder.contains_key(holder)
    }

    /// Takes this many places for a holder, also if there are fewer.
    pub fn take(&mut self, holder: &H, places: usize) {
        self.taken += places;
        *self.by_holder.entry(holder.clone()).or_default() += places;
    }

    /// Takes places back that were taken.
    pub fn give_back(&mut self, holder: &H, places: usize) {
        self.taken = self.taken.saturating_sub(places);
        match self.by_holder.get_mut(holder) {
            Some(own) if *own > places => *own -= places,
            _ => {
                self.by_holder.remove(holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes all places that a holder can have.
    fn take_all(places: &mut Places<usize>, holder: usize) -> usize {
        let mut taken = 0;
        while places.have_room(&holder) {
            places.take(&holder, 1);
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_holder_has_a_quarter_and_the_last_quarter_is_for_those_who_have_none() {
        let mut places = Places::new(64);
        let each: Vec<usize> = (0..20)
            .map(|holder| take_all(&mut places, holder))
            .collect();
        assert_eq!(each[..6], [16, 12, 9, 7, 4, 1]);
        assert_eq!(take_all(&mut places, 20), 1);
        for (holder, taken) in each.into_iter().enumerate() {
            places.give_back(&holder, taken);
        }
        places.give_back(&20, 1);
        assert!(places.are_unused() && places.free() == 64);
    }

    #[test]
    fn a_holder_without_a_place_gets_one_of_its_own_while_few_holders_have_any() {
        let mut places = Places::new(8);
        for holder in 0..20 {
            assert!(places.have_one_for_each(&holder, 20));
            places.take(&holder, 1);
            assert!(!places.have_one_for_each(&holder, 20));
        }
        assert_eq!(places.free(), 0);
        assert!(!places.have_room(&20) && !places.have_one_for_each(&20, 20));
        places.give_back(&7, 1);
        assert!(!places.have_room(&20) && places.have_one_for_each(&20, 20));
    }

    #[test]
    fn of_few_places_each_holder_has_one() {
        for most in 0..4 {
            let mut places = Places::new(most);
            let each = (0..4).map(|holder| take_all(&mut places, holder));
            assert_eq!(each.sum::<usize>(), most.max(1));
            assert!(places.by_holder.values().all(|taken| *taken == 1));
        }
    }

    #[test]
    fn a_holder_may_take_more_than_there_are() {
        let mut places = Places::new(4);
        places.take(&1, 1000);
        assert!(!places.have_room(&2) && places.free() == 0);
        places.give_back(&1, 1000);
        assert!(places.have_room(&2));
    }
}
