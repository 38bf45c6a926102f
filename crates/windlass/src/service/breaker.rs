//! Circuit breakers: a registry that does not respond in time is left in peace for a while.
//!
//! Each namespace has its own breaker for each host, so that what a tenant makes of a registry that he
//! shares with others keeps nobody else from it. After a few timeouts in a row a request is refused
//! at once, and its run waits without holding a place. Then the uploads of one run are the probe: the
//! breaker is closed again by a response, and stays open twice as long without one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::telemetry::{Circuits, OpenCircuit};

/// Timeouts in a row that open a breaker.
const TIMEOUTS: u32 = 3;
/// How long a breaker is open at first, and at most, unless it is set up otherwise.
pub(crate) const OPEN: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(300));
/// How long a probe may take.
const PROBE: Duration = Duration::from_secs(60);
/// Most hosts of a namespace whose timeouts are counted, and most namespaces.
const REMEMBERED: (usize, usize) = (64, 10_000);

/// The breakers of a namespace that are not closed, or have counted timeouts.
#[derive(Debug)]
struct Hosts {
    breakers: HashMap<String, Breaker>,
    /// When a host last timed out.
    touched: Instant,
}

/// The breakers of all namespaces.
#[derive(Debug)]
pub(crate) struct Breakers {
    /// How long one is open at first, and at most.
    pauses: (Duration, Duration),
    namespaces: Mutex<HashMap<String, Hosts>>,
    /// Where open ones are shown.
    circuits: Circuits,
}

/// Who asks which host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) namespace: &'a str,
    /// The uid of the run.
    pub(crate) run: &'a str,
    pub(crate) host: &'a str,
}

#[derive(Debug)]
struct Breaker {
    timeouts: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    /// The run whose uploads are the probe, and until when no other is.
    probe: Option<(String, Instant)>,
    /// Shows that it is open.
    _shown: OpenCircuit,
}

impl Breakers {
    /// All closed.
    pub(crate) fn new(pauses: (Duration, Duration)) -> Self {
        Self {
            pauses,
            namespaces: Mutex::default(),
            circuits: Circuits::default(),
        }
    }

    /// Shows those that are open among these.
    pub(crate) fn show_in(&mut self, circuits: Circuits) {
        self.circuits = circuits;
    }

    /// Lets a request through, or says how long to wait.
    pub(crate) fn admit(&self, visit: Visit<'_>, now: Instant) -> Result<(), Duration> {
        let mut all = self.all();
        let hosts = all.get_mut(visit.namespace);
        let breaker = hosts.and_then(|hosts| hosts.breakers.get_mut(visit.host));
        let Some(open) = breaker.and_then(|breaker| breaker.open.as_mut()) else {
            return Ok(());
        };
        open.admit(visit.run, now)
    }

    /// The host responded, whatever it said.
    pub(crate) fn responded(&self, visit: Visit<'_>) {
        let mut all = self.all();
        let Some(hosts) = all.get_mut(visit.namespace) else {
            return;
        };
        hosts.breakers.remove(visit.host);
        if hosts.breakers.is_empty() {
            all.remove(visit.namespace);
        }
    }

    /// The host did not respond in time. Where too much would be remembered, the namespace that met no
    /// timeout for longest makes room: no other loses its breakers.
    pub(crate) fn timed_out(&self, visit: Visit<'_>, now: Instant) {
        let mut all = self.all();
        if !all.contains_key(visit.namespace) && all.len() >= REMEMBERED.1 {
            let quiet = all.iter().min_by_key(|(_, hosts)| hosts.touched);
            let quiet = quiet.map(|(namespace, _)| namespace.clone());
            quiet.map(|namespace| all.remove(&namespace));
        }
        let hosts = all.entry(visit.namespace.to_owned()).or_insert(Hosts {
            breakers: HashMap::new(),
            touched: now,
        });
        hosts.touched = now;
        let show = || self.circuits.open(visit.host);
        hosts.breaker(visit.host).timed_out(self.pauses, now, show);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Hosts>> {
        let namespaces = self.namespaces.lock();
        namespaces.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hosts {
    /// The breaker of a host. The one with the fewest timeouts makes room for it.
    fn breaker(&mut self, host: &str) -> &mut Breaker {
        let breakers = &mut self.breakers;
        if !breakers.contains_key(host) && breakers.len() >= REMEMBERED.0 {
            let least = breakers.iter().min_by_key(|(_, breaker)| breaker.timeouts);
            let least = least.map(|(host, _)| host.clone());
            least.map(|host| breakers.remove(&host));
        }
        breakers.entry(host.to_owned()).or_insert(Breaker {
            timeouts: 0,
            open: None,
        })
    }
}

impl Breaker {
    fn timed_out(
        &mut self,
        (first, longest): (Duration, Duration),
        now: Instant,
        show: impl FnOnce() -> OpenCircuit,
    ) {
        self.timeouts = self.timeouts.saturating_add(1);
        let pause = match &self.open {
            None if self.timeouts < TIMEOUTS => return,
            None => first,
            // a request that was under way already
            Some(open) if now < open.until => return,
            Some(open) => (open.pause * 2).min(longest),
        };
        self.open = Some(Open {
            until: now + pause,
            pause,
            probe: None,
            _shown: show(),
        });
    }
}

impl Open {
    fn admit(&mut self, run: &str, now: Instant) -> Result<(), Duration> {
        if now < self.until {
            return Err(self.until - now);
        }
        match &self.probe {
            Some((probe, _)) if probe == run => Ok(()),
            Some((_, until)) if now < *until => Err(*until - now),
            _ => {
                self.probe = Some((run.to_owned(), now + PROBE));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit<'a>(namespace: &'a str, run: &'a str) -> Visit<'a> {
        Visit {
            namespace,
            run,
            host: "r.io",
        }
    }

    fn open(breakers: &Breakers, now: Instant) {
        for _ in 0..TIMEOUTS {
            assert!(breakers.admit(visit("b", "u"), now).is_ok());
            breakers.timed_out(visit("b", "u"), now);
        }
    }

    #[test]
    fn a_host_that_times_out_again_and_again_is_left_in_peace_and_then_probed_by_one_run() {
        let (breakers, now) = (Breakers::new(OPEN), Instant::now());
        open(&breakers, now);
        // the last ones of those under way change nothing
        breakers.timed_out(visit("b", "u"), now);
        assert_eq!(breakers.admit(visit("b", "u"), now), Err(OPEN.0));
        let later = now + OPEN.0;
        assert_eq!(breakers.admit(visit("b", "probe"), later), Ok(()));
        assert_eq!(breakers.admit(visit("b", "probe"), later), Ok(()));
        assert_eq!(breakers.admit(visit("b", "other"), later), Err(PROBE));
        breakers.timed_out(visit("b", "probe"), later);
        assert_eq!(breakers.admit(visit("b", "u"), later), Err(OPEN.0 * 2));
        let later = later + OPEN.0 * 2;
        assert_eq!(breakers.admit(visit("b", "probe"), later), Ok(()));
        breakers.responded(visit("b", "probe"));
        assert_eq!(breakers.admit(visit("b", "other"), later), Ok(()));
        assert!(breakers.namespaces.lock().unwrap().is_empty());
    }

    #[test]
    fn a_probe_that_is_never_heard_of_again_is_replaced() {
        let (breakers, now) = (Breakers::new(OPEN), Instant::now());
        open(&breakers, now);
        let later = now + OPEN.0;
        assert_eq!(breakers.admit(visit("b", "lost"), later), Ok(()));
        let later = later + PROBE;
        assert_eq!(breakers.admit(visit("b", "next"), later), Ok(()));
    }

    #[test]
    fn what_one_namespace_meets_at_a_host_closes_it_for_no_other() {
        let (breakers, now) = (Breakers::new(OPEN), Instant::now());
        open(&breakers, now);
        assert!(breakers.admit(visit("b", "u"), now).is_err());
        assert!(breakers.admit(visit("a", "u"), now).is_ok());
    }

    #[test]
    fn a_response_in_between_keeps_a_breaker_closed() {
        let (breakers, now) = (Breakers::new(OPEN), Instant::now());
        for _ in 0..10 {
            breakers.timed_out(visit("b", "u"), now);
            breakers.timed_out(visit("b", "u"), now);
            breakers.responded(visit("b", "u"));
        }
        assert!(breakers.admit(visit("b", "u"), now).is_ok());
    }

    #[test]
    fn the_hosts_of_a_namespace_are_remembered_up_to_a_bound() {
        let (breakers, now) = (Breakers::new(OPEN), Instant::now());
        open(&breakers, now);
        for number in 0..1000 {
            let host = format!("r{number}.io");
            let visit = Visit {
                host: &host,
                ..visit("b", "u")
            };
            breakers.timed_out(visit, now);
        }
        assert_eq!(breakers.all()["b"].breakers.len(), REMEMBERED.0);
        assert!(breakers.admit(visit("b", "u"), now).is_err());
    }

    #[test]
    fn a_namespace_too_many_replaces_the_one_that_met_no_timeout_for_longest_and_no_other() {
        let (breakers, now) = (Breakers::new(OPEN), Instant::now());
        let at = |number: usize| now + Duration::from_millis(number as u64);
        for number in 0..REMEMBERED.1 {
            breakers.timed_out(visit(&format!("n{number}"), "u"), at(number));
        }
        // the oldest of them is not quiet
        open(&breakers, at(REMEMBERED.1));
        let late = at(REMEMBERED.1 + 1);
        for number in 1..10 {
            breakers.timed_out(visit(&format!("more-{number}"), "u"), late);
        }
        assert_eq!(breakers.all().len(), REMEMBERED.1);
        assert!(breakers.admit(visit("b", "u"), late).is_err());
        let all = breakers.all();
        assert!(!all.contains_key("n0") && !all.contains_key("n9"));
        assert!(all.contains_key("n10") && all.contains_key("n9999"));
    }
}
