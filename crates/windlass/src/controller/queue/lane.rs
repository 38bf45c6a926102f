//! A lane: runs that wait for a place, and the places.
//!
//! Namespaces take turns. The runs that need one registry host may have half of the places, so that a
//! slow registry does not take them all. Of all places, and of those of each host, a namespace may have
//! a quarter at most, and the last ones are for namespaces that have none: a pass keeps its place at
//! every host that it needs until it is over, which takes as long as the slowest of them.
//!
//! Many namespaces in concert can take every place all the same. So one that has none gets one at once
//! though all are taken, if its passes were quick of late: what hangs takes such a place once, and not
//! again for ten minutes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_once::{Places, Slow};

use super::fair::Fair;
use crate::cluster::runs::RunId;

/// A registry host has one of this many parts of the places.
const HOST: usize = 2;
/// What a place stands for: a run takes one for each so many bytes that it has.
const BYTES: usize = 256 << 10;
/// How many namespaces may have a place each though all are taken.
const NAMESPACES: usize = 256;

/// A run that wants places, and which registry hosts it needs.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) id: Arc<RunId>,
    pub(super) hosts: Arc<[String]>,
    /// How many places it takes. A large run takes more, so that what is worked on at once is bounded
    /// in bytes too.
    pub(super) places: usize,
    /// It comes before the others of its namespace: what is begun is ended before something new is
    /// begun, or all of it would have to be kept in memory.
    pub(super) is_urgent: bool,
}

impl Ticket {
    /// The ticket of a run that needs no registry for now.
    pub(super) fn without_hosts(id: &Arc<RunId>, places: usize) -> Self {
        Self {
            id: Arc::clone(id),
            hosts: Arc::default(),
            places,
            is_urgent: false,
        }
    }

    fn wait_in(self, queue: &mut Fair<Self>) {
        let namespace = self.id.namespace.clone();
        if self.is_urgent {
            queue.push_urgent(&namespace, self);
        } else {
            queue.push(&namespace, self);
        }
    }

    /// How many places a run of this size takes.
    pub(super) fn places_for(bytes: usize) -> usize {
        bytes.div_ceil(BYTES).max(1)
    }
}

/// Places, and those who wait for one.
#[derive(Debug)]
pub(super) struct Lane {
    places: Places<String>,
    /// Those of each host that has any taken. A run takes one, of whatever size it is.
    hosts: HashMap<String, Places<String>>,
    /// The namespaces whose passes took long of late.
    slow: Slow<String>,
    ready: Fair<Ticket>,
    /// Those whose turn came while this host had no place left for them.
    parked: HashMap<String, Fair<Ticket>>,
}

impl Lane {
    /// A lane with this many places.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Places::new(places),
            hosts: HashMap::new(),
            slow: Slow::default(),
            ready: Fair::default(),
            parked: HashMap::new(),
        }
    }

    /// Waits for a place.
    pub(super) fn push(&mut self, ticket: Ticket) {
        ticket.wait_in(&mut self.ready);
    }

    /// Gives a place to the next one, if there is one for it.
    pub(super) fn next(&mut self, now: Instant) -> Option<Ticket> {
        loop {
            let ticket = self.unpark(now).or_else(|| {
                let Self {
                    places,
                    slow,
                    ready,
                    ..
                } = self;
                ready.pop(|namespace| has_room(places, slow, namespace, now))
            })?;
            let namespace = &ticket.id.namespace;
            let is_full = |host: &&String| !self.host_has_room(host, namespace, now);
            let Some(full) = ticket.hosts.iter().find(is_full) else {
                self.take(&ticket);
                return Some(ticket);
            };
            let full = full.clone();
            ticket.wait_in(self.parked.entry(full).or_default());
        }
    }

    fn host_has_room(&self, host: &str, namespace: &str, now: Instant) -> bool {
        let places = self.hosts.get(host);
        places.is_none_or(|places| has_room(places, &self.slow, namespace, now))
    }

    fn take(&mut self, ticket: &Ticket) {
        let Ticket {
            id, hosts, places, ..
        } = ticket;
        // the last one may take more than there are
        self.places.take(&id.namespace, *places);
        let of_host = self.places.most().div_ceil(HOST);
        for host in hosts.iter() {
            let host = self.hosts.entry(host.clone());
            let host = host.or_insert_with(|| Places::new(of_host));
            host.take(&id.namespace, 1);
        }
    }

    /// Takes the places back, which were held for so long.
    pub(super) fn leave(&mut self, ticket: &Ticket, held: Duration, now: Instant) {
        let Ticket {
            id, hosts, places, ..
        } = ticket;
        self.slow.held(&id.namespace, held, now.into_std());
        self.places.give_back(&id.namespace, *places);
        for name in hosts.iter() {
            let Some(host) = self.hosts.get_mut(name) else {
                continue;
            };
            host.give_back(&id.namespace, 1);
            if host.are_unused() {
                self.hosts.remove(name);
            }
        }
    }

    /// One who waits for a host that has room for it again. Few hosts are looked at: to have anybody
    /// wait, a host must have had a quarter of its places taken.
    fn unpark(&mut self, now: Instant) -> Option<Ticket> {
        let Self {
            places,
            hosts,
            parked,
            slow,
            ..
        } = self;
        parked.retain(|_, waiting| !waiting.is_empty());
        parked.iter_mut().find_map(|(host, waiting)| {
            let of_host = hosts.get(host);
            waiting.pop(|name| {
                has_room(places, slow, name, now)
                    && of_host.is_none_or(|places| has_room(places, slow, name, now))
            })
        })
    }
}

/// Whether a namespace gets one more of these places.
fn has_room(places: &Places<String>, slow: &Slow<String>, namespace: &str, now: Instant) -> bool {
    slow.leaves_room(namespace, (places, NAMESPACES), now.into_std())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::runs::RunKind;

    fn ticket(namespace: &str, number: usize, hosts: &[&str]) -> Ticket {
        let id = RunId {
            kind: RunKind::Task,
            namespace: namespace.to_owned(),
            name: format!("{namespace}-{number}"),
            uid: format!("uid-{namespace}-{number}"),
        };
        Ticket {
            id: Arc::new(id),
            hosts: hosts.iter().map(ToString::to_string).collect(),
            places: 1,
            is_urgent: false,
        }
    }

    fn take(lane: &mut Lane) -> Option<Ticket> {
        lane.next(Instant::now())
    }

    fn take_all(lane: &mut Lane) -> Vec<Ticket> {
        std::iter::from_fn(|| take(lane)).collect()
    }

    fn leave(lane: &mut Lane, ticket: &Ticket) {
        lane.leave(ticket, Duration::ZERO, Instant::now());
    }

    /// Lets these have been slow of late.
    fn slow<'n>(lane: &mut Lane, namespaces: impl IntoIterator<Item = &'n str>) {
        let (time, now) = (Duration::from_secs(60), Instant::now().into_std());
        for namespace in namespaces {
            lane.slow.held(&namespace.to_owned(), time, now);
        }
    }

    fn namespaces(taken: &[Ticket]) -> Vec<&str> {
        let each = taken.iter().map(|ticket| ticket.id.namespace.as_str());
        each.collect()
    }

    #[test]
    fn a_namespace_has_a_quarter_of_the_places_and_the_others_have_the_rest() {
        let mut lane = Lane::new(8);
        (0..100).for_each(|number| lane.push(ticket("b", number, &[])));
        lane.push(ticket("a", 0, &[]));
        let taken: Vec<Ticket> = take_all(&mut lane);
        assert_eq!(namespaces(&taken), ["b", "a", "b"]);
        leave(&mut lane, &taken[0]);
        let next = take(&mut lane).unwrap();
        assert_eq!(next.id.name, "b-2");
        assert!(take(&mut lane).is_none());
    }

    #[test]
    fn a_large_run_takes_several_places_and_is_served_however_large_it_is() {
        assert_eq!(Ticket::places_for(0), 1);
        assert_eq!(Ticket::places_for(BYTES), 1);
        assert_eq!(Ticket::places_for(BYTES + 1), 2);
        let mut lane = Lane::new(16);
        let large = |number| Ticket {
            places: 3,
            ..ticket("b", number, &[])
        };
        (0..9).for_each(|number| lane.push(large(number)));
        let taken: Vec<Ticket> = take_all(&mut lane);
        assert_eq!(taken.len(), 2, "of four places");
        for ticket in &taken {
            leave(&mut lane, ticket);
        }
        let huge = Ticket {
            places: 1000,
            ..ticket("a", 0, &[])
        };
        lane.push(huge);
        let names = take_all(&mut lane).into_iter();
        let names: Vec<String> = names.map(|ticket| ticket.id.name.clone()).collect();
        assert_eq!(names, ["b-2", "a-0"]);
    }

    #[test]
    fn what_is_begun_is_ended_before_something_new_is_begun_also_at_a_host_without_room() {
        let mut lane = Lane::new(4);
        slow(&mut lane, ["a", "b"]);
        lane.push(ticket("a", 0, &["r.io"]));
        lane.push(ticket("b", 0, &["r.io"]));
        let taken = take_all(&mut lane);
        let urgent = |number| Ticket {
            is_urgent: true,
            ..ticket("a", number, &["r.io"])
        };
        lane.push(ticket("a", 1, &["r.io"]));
        lane.push(urgent(2));
        assert!(take(&mut lane).is_none());
        lane.push(urgent(3));
        assert!(take(&mut lane).is_none());
        leave(&mut lane, &taken[0]);
        let mut order = Vec::new();
        while let Some(next) = take(&mut lane) {
            order.push(next.id.name.clone());
            leave(&mut lane, &next);
        }
        assert_eq!(order, ["a-2", "a-3", "a-1"]);
    }

    #[test]
    fn a_lane_with_few_places_gives_each_namespace_one() {
        let mut lane = Lane::new(2);
        lane.push(ticket("b", 0, &[]));
        lane.push(ticket("b", 1, &[]));
        lane.push(ticket("a", 0, &[]));
        let taken: Vec<Ticket> = take_all(&mut lane);
        assert_eq!(namespaces(&taken), ["b", "a"]);
    }

    #[test]
    fn runs_of_a_host_without_room_wait_without_a_place_and_in_turn() {
        let mut lane = Lane::new(16);
        for number in 0..12 {
            let namespace = format!("b{number}");
            lane.push(ticket(&namespace, 0, &["slow.io"]));
            slow(&mut lane, [namespace.as_str()]);
        }
        slow(&mut lane, ["a"]);
        let mut taken: Vec<Ticket> = take_all(&mut lane);
        assert_eq!(taken.len(), 8, "the half");
        lane.push(ticket("a", 0, &["slow.io"]));
        lane.push(ticket("a", 1, &["other.io"]));
        let other = take(&mut lane).unwrap();
        assert_eq!(other.id.name, "a-1");
        assert!(take(&mut lane).is_none());
        // every place of the host that is given back is taken again, until nobody waits
        let mut ended = 0;
        while let Some(ticket) = taken.pop() {
            leave(&mut lane, &ticket);
            ended += 1;
            taken.extend(take_all(&mut lane));
        }
        assert_eq!(ended, 13);
        assert!(lane.hosts.keys().eq(["other.io"]));
        assert!(lane.unpark(Instant::now()).is_none() && lane.parked.is_empty());
    }

    #[test]
    fn runs_that_hold_a_host_while_they_wait_for_another_leave_places_at_it() {
        for places in [32, 256] {
            let mut lane = Lane::new(places);
            for namespace in ["b", "c", "d", "e", "f"] {
                for number in 0..200 {
                    let mut ticket = ticket(namespace, number, &["r.io", "slow.io"]);
                    ticket.places = 1 + number % 6;
                    lane.push(ticket);
                }
            }
            while take(&mut lane).is_some() {}
            for namespace in ["a", "g"] {
                lane.push(ticket(namespace, 0, &["r.io"]));
                let next = take(&mut lane).map(|next| next.id.namespace.clone());
                assert_eq!(next.as_deref(), Some(namespace), "of {places}");
            }
        }
    }

    #[test]
    fn many_namespaces_together_leave_a_place_for_one_that_has_none() {
        let mut lane = Lane::new(256);
        for namespace in 0..30 {
            let ticket = |number| ticket(&format!("b{namespace}"), number, &["slow.io"]);
            (0..100).for_each(|number| lane.push(ticket(number)));
            while take(&mut lane).is_some() {}
        }
        lane.push(ticket("a", 0, &["slow.io"]));
        assert!(take(&mut lane).is_some());
    }

    #[test]
    fn one_who_waits_for_two_hosts_keeps_no_other_from_the_first() {
        let mut lane = Lane::new(4);
        slow(&mut lane, ["a", "b", "c", "d", "e"]);
        let both = ["x.io", "y.io"];
        lane.push(ticket("a", 0, &["x.io"]));
        lane.push(ticket("b", 0, &["x.io"]));
        let x: Vec<Ticket> = take_all(&mut lane);
        lane.push(ticket("c", 0, &both));
        lane.push(ticket("d", 0, &["x.io"]));
        assert!(take(&mut lane).is_none());
        leave(&mut lane, &x[0]);
        // the second host fills up before the first has room
        lane.push(ticket("e", 0, &["y.io"]));
        let next: Vec<Ticket> = take_all(&mut lane);
        assert_eq!(namespaces(&next), ["c", "e"]);
        leave(&mut lane, &next[0]);
        assert_eq!(take(&mut lane).unwrap().id.namespace, "d");
    }

    /// A pass in simulated time: when it ends and began, and its ticket.
    type Pass = (Instant, Instant, Ticket);

    /// Lets time pass until a moment. Passes of `a` take 100 ms; all others a minute, and are tried
    /// again and again.
    fn play(lane: &mut Lane, passes: &mut Vec<Pass>, until: Instant) {
        loop {
            passes.sort_by_key(|(end, ..)| std::cmp::Reverse(*end));
            let ended = passes.pop_if(|(end, ..)| *end <= until);
            let now = ended.as_ref().map_or(until, |(end, ..)| *end);
            if let Some((end, begun, ticket)) = &ended {
                lane.leave(ticket, *end - *begun, *end);
                if ticket.id.namespace != "a" {
                    lane.push(ticket.clone());
                }
            }
            while let Some(ticket) = lane.next(now) {
                let is_quick = ticket.id.namespace == "a";
                let time = Duration::from_millis(if is_quick { 100 } else { 60_000 });
                passes.push((now + time, now, ticket));
            }
            if ended.is_none() {
                return;
            }
        }
    }

    #[test]
    fn forty_namespaces_whose_runs_hang_keep_one_that_is_quick_from_no_registry() {
        let begun = Instant::now();
        let mut lane = Lane::new(256);
        let (mut passes, mut most) = (Vec::new(), 0);
        // one after the other, so that the first ones take what they can and the last ones the rest
        for namespace in 0..40 {
            for number in 0..100 {
                let host = format!("{}.io", number % 3);
                lane.push(ticket(&format!("b{namespace}"), number, &["r.io", &host]));
            }
            play(&mut lane, &mut passes, begun);
        }
        for visit in 1..=1500 {
            let now = begun + Duration::from_millis(700) * visit;
            play(&mut lane, &mut passes, now);
            most = most.max(passes.len());
            let own = ticket("a", visit as usize, &["r.io"]);
            lane.push(own.clone());
            play(&mut lane, &mut passes, now);
            let begun = passes.iter().find(|(.., it)| it.id == own.id);
            assert!(begun.is_some(), "visit {visit} waits");
        }
        assert!(most >= 128, "no more than {most} hang");
    }

    #[test]
    fn a_namespace_whose_run_hung_gets_a_place_beyond_all_once_in_ten_minutes() {
        let (mut lane, begun) = (Lane::new(4), Instant::now());
        for namespace in ["a", "b", "c", "d", "e"] {
            lane.push(ticket(namespace, 0, &[]));
        }
        let taken = take_all(&mut lane);
        assert_eq!(namespaces(&taken), ["a", "b", "c", "d", "e"]);
        let minute = Duration::from_secs(60);
        lane.leave(&taken[4], minute, begun + minute);
        lane.push(ticket("e", 1, &[]));
        assert!(lane.next(begun + minute).is_none());
        let quick = ticket("f", 0, &[]);
        lane.push(quick.clone());
        assert_eq!(lane.next(begun + minute).unwrap().id, quick.id);
        lane.leave(&quick, Duration::ZERO, begun + minute);
        assert!(lane.next(begun + minute * 10).is_none());
        assert!(lane.next(begun + minute * 12).is_some());
    }
}
