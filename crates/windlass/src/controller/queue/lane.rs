//! A lane: runs that wait for a place, and the places.
//!
//! Namespaces take turns. Each may have a share of the places, and so may the runs of all namespaces
//! that need one registry host, so that neither a tenant nor a slow registry takes them all.

use std::collections::HashMap;
use std::sync::Arc;

use super::fair::Fair;
use crate::cluster::runs::RunId;

/// A namespace has one of this many parts of the places.
const NAMESPACE: usize = 4;
/// A registry host has one of this many parts, which is more: several namespaces share it.
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
    places: Limit,
    namespaces: Places,
    hosts: Places,
    ready: Fair<Ticket>,
    /// Those whose turn came while this host had no place left.
    parked: HashMap<String, Fair<Ticket>>,
}

/// How many places are taken, of how many.
#[derive(Debug)]
struct Limit {
    most: usize,
    taken: usize,
}

/// How many places each has taken, of how many.
#[derive(Debug)]
struct Places {
    most: usize,
    taken: HashMap<String, usize>,
}

impl Lane {
    /// A lane with this many places.
    pub(super) fn new(places: usize) -> Self {
        let places = places.max(1);
        Self {
            places: Limit {
                most: places,
                taken: 0,
            },
            namespaces: Places::one_part_of(NAMESPACE, places),
            hosts: Places::one_part_of(HOST, places),
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
        if self.places.taken >= self.places.most {
            return None;
        }
        loop {
            let ticket = self.unpark().or_else(|| {
                let namespaces = &self.namespaces;
                self.ready.pop(|namespace| namespaces.have_room(namespace))
            })?;
            let full = ticket.hosts.iter().find(|host| !self.hosts.have_room(host));
            let Some(full) = full.cloned() else {
                let Ticket { id, hosts, places } = &ticket;
                // the last one may take more than there are
                self.places.taken += places;
                self.namespaces.take(&id.namespace, *places);
                for host in hosts.iter() {
                    self.hosts.take(host, *places);
                }
                return Some(ticket);
            };
            let namespace = ticket.id.namespace.clone();
            let parked = self.parked.entry(full).or_default();
            parked.push(&namespace, ticket);
        }
    }

    /// Takes the places back.
    pub(super) fn leave(&mut self, ticket: &Ticket) {
        let Ticket { id, hosts, places } = ticket;
        self.places.taken -= places;
        self.namespaces.give_back(&id.namespace, *places);
        for host in hosts.iter() {
            self.hosts.give_back(host, *places);
        }
    }

    /// One who waits for a host that has room again. Few hosts are looked at: to have anybody wait, a
    /// host must have had its whole share.
    fn unpark(&mut self) -> Option<Ticket> {
        let Self {
            namespaces,
            hosts,
            parked,
            ..
        } = self;
        parked.retain(|_, waiting| !waiting.is_empty());
        let mut with_room = parked.iter_mut().filter(|(host, _)| hosts.have_room(host));
        with_room.find_map(|(_, waiting)| waiting.pop(|name| namespaces.have_room(name)))
    }
}

impl Places {
    fn one_part_of(parts: usize, places: usize) -> Self {
        Self {
            most: (places / parts).max(1),
            taken: HashMap::new(),
        }
    }

    fn have_room(&self, name: &str) -> bool {
        self.taken.get(name).copied().unwrap_or(0) < self.most
    }

    fn take(&mut self, name: &str, places: usize) {
        *self.taken.entry(name.to_owned()).or_default() += places;
    }

    fn give_back(&mut self, name: &str, places: usize) {
        if let Some(taken) = self.taken.get_mut(name) {
            *taken -= places;
            if *taken == 0 {
                self.taken.remove(name);
            }
        }
    }
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
        for namespace in ["b", "c", "d"] {
            (0..4).for_each(|number| lane.push(ticket(namespace, number, &["slow.io"])));
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
        assert!(lane.hosts.taken.keys().eq(["other.io"]));
        assert!(lane.unpark().is_none() && lane.parked.is_empty());
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
