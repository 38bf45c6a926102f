//! A lane: runs that wait for a place, and the places.
//!
//! Namespaces take turns. The runs that need one registry host may have half of the places, so that a
//! slow registry does not take them all. Of all places, and of those of each host, a namespace may have
//! a quarter at most, and the last ones are for namespaces that have none: a pass keeps its place at
//! every host that it needs until it is over, which takes as long as the slowest of them.

use std::collections::HashMap;
use std::sync::Arc;

use windlass_once::Places;

use super::fair::Fair;
use crate::cluster::runs::RunId;

/// A registry host has one of this many parts of the places.
const HOST: usize = 2;
/// What a place stands for: a run takes one for each so many bytes that it has.
const BYTES: usize = 256 << 10;

/// A run that wants places, and which registry hosts it needs.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) id: Arc<RunId>,
    pub(super) hosts: Arc<[String]>,
    /// How many places it takes. A large run takes more, so that what is worked on at once is bounded
    /// in bytes too.
    pub(super) places: usize,
}

impl Ticket {
    /// The ticket of a run that needs no registry for now.
    pub(super) fn without_hosts(id: &Arc<RunId>, places: usize) -> Self {
        Self {
            id: Arc::clone(id),
            hosts: Arc::default(),
            places,
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
            ready: Fair::default(),
            parked: HashMap::new(),
        }
    }

    /// Waits for a place.
    pub(super) fn push(&mut self, ticket: Ticket) {
        let namespace = ticket.id.namespace.clone();
        self.ready.push(&namespace, ticket);
    }

    /// Waits for a place before the others of its namespace.
    pub(super) fn push_first(&mut self, ticket: Ticket) {
        let namespace = ticket.id.namespace.clone();
        self.ready.push_first(&namespace, ticket);
    }

    /// Gives a place to the next one, if there is one left for it.
    pub(super) fn next(&mut self) -> Option<Ticket> {
        if self.places.free() == 0 {
            return None;
        }
        loop {
            let ticket = self.unpark().or_else(|| {
                let places = &self.places;
                self.ready.pop(|namespace| places.have_room(namespace))
            })?;
            let namespace = &ticket.id.namespace;
            let has_room = |host: &&String| has_room(&self.hosts, host, namespace);
            let Some(full) = ticket.hosts.iter().find(|host| !has_room(host)) else {
                self.take(&ticket);
                return Some(ticket);
            };
            let (full, namespace) = (full.clone(), namespace.clone());
            let parked = self.parked.entry(full).or_default();
            parked.push(&namespace, ticket);
        }
    }

    fn take(&mut self, ticket: &Ticket) {
        let Ticket { id, hosts, places } = ticket;
        // the last one may take more than there are
        self.places.take(&id.namespace, *places);
        let of_host = self.places.most().div_ceil(HOST);
        for host in hosts.iter() {
            let host = self.hosts.entry(host.clone());
            let host = host.or_insert_with(|| Places::new(of_host));
            host.take(&id.namespace, 1);
        }
    }

    /// Takes the places back.
    pub(super) fn leave(&mut self, ticket: &Ticket) {
        let Ticket { id, hosts, places } = ticket;
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
    fn unpark(&mut self) -> Option<Ticket> {
        let Self {
            places,
            hosts,
            parked,
            ..
        } = self;
        parked.retain(|_, waiting| !waiting.is_empty());
        parked.iter_mut().find_map(|(host, waiting)| {
            waiting.pop(|name| places.have_room(name) && has_room(hosts, host, name))
        })
    }
}

/// Whether a host has a place left for this namespace.
fn has_room(hosts: &HashMap<String, Places<String>>, host: &str, namespace: &str) -> bool {
    let host = hosts.get(host);
    host.is_none_or(|places| places.have_room(namespace))
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
        let taken: Vec<Ticket> = std::iter::from_fn(|| lane.next()).collect();
        assert_eq!(namespaces(&taken), ["b", "a", "b"]);
        lane.leave(&taken[0]);
        let next = lane.next().unwrap();
        assert_eq!(next.id.name, "b-2");
        assert!(lane.next().is_none());
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
        let taken: Vec<Ticket> = std::iter::from_fn(|| lane.next()).collect();
        assert_eq!(taken.len(), 2, "of four places");
        for ticket in &taken {
            lane.leave(ticket);
        }
        let huge = Ticket {
            places: 1000,
            ..ticket("a", 0, &[])
        };
        lane.push(huge);
        let names: Vec<String> = std::iter::from_fn(|| lane.next())
            .map(|ticket| ticket.id.name.clone())
            .collect();
        assert_eq!(names, ["b-2", "a-0"]);
    }

    #[test]
    fn a_lane_with_few_places_gives_each_namespace_one() {
        let mut lane = Lane::new(2);
        lane.push(ticket("b", 0, &[]));
        lane.push(ticket("b", 1, &[]));
        lane.push(ticket("a", 0, &[]));
        let taken: Vec<Ticket> = std::iter::from_fn(|| lane.next()).collect();
        assert_eq!(namespaces(&taken), ["b", "a"]);
    }

    #[test]
    fn runs_of_a_host_without_room_wait_without_a_place_and_in_turn() {
        let mut lane = Lane::new(16);
        for number in 0..12 {
            lane.push(ticket(&format!("b{number}"), 0, &["slow.io"]));
        }
        let mut taken: Vec<Ticket> = std::iter::from_fn(|| lane.next()).collect();
        assert_eq!(taken.len(), 8, "the half");
        lane.push(ticket("a", 0, &["slow.io"]));
        lane.push(ticket("a", 1, &["other.io"]));
        let other = lane.next().unwrap();
        assert_eq!(other.id.name, "a-1");
        assert!(lane.next().is_none());
        // every place of the host that is given back is taken again, until nobody waits
        let mut ended = 0;
        while let Some(ticket) = taken.pop() {
            lane.leave(&ticket);
            ended += 1;
            taken.extend(std::iter::from_fn(|| lane.next()));
        }
        assert_eq!(ended, 13);
        assert!(lane.hosts.keys().eq(["other.io"]));
        assert!(lane.unpark().is_none() && lane.parked.is_empty());
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
            while lane.next().is_some() {}
            for namespace in ["a", "g"] {
                lane.push(ticket(namespace, 0, &["r.io"]));
                let next = lane.next().map(|next| next.id.namespace.clone());
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
            while lane.next().is_some() {}
        }
        lane.push(ticket("a", 0, &["slow.io"]));
        assert!(lane.next().is_some());
    }

    #[test]
    fn one_who_waits_for_two_hosts_keeps_no_other_from_the_first() {
        let mut lane = Lane::new(4);
        let both = ["x.io", "y.io"];
        lane.push(ticket("a", 0, &["x.io"]));
        lane.push(ticket("b", 0, &["x.io"]));
        let x: Vec<Ticket> = std::iter::from_fn(|| lane.next()).collect();
        lane.push(ticket("c", 0, &both));
        lane.push(ticket("d", 0, &["x.io"]));
        assert!(lane.next().is_none());
        lane.leave(&x[0]);
        // the second host fills up before the first has room
        lane.push(ticket("e", 0, &["y.io"]));
        let next: Vec<Ticket> = std::iter::from_fn(|| lane.next()).collect();
        assert_eq!(namespaces(&next), ["c", "e"]);
        lane.leave(&next[0]);
        assert_eq!(lane.next().unwrap().id.namespace, "d");
    }
}
