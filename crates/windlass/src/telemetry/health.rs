//! Whether the controller works: what `/health` and `/readiness` say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// The state of a controller. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The watch loop has ended though nobody asked for it.
    has_died: bool,
    /// Why the controller is not ready, by part.
    not_ready: BTreeMap<Part, Waiting>,
    /// What is worth knowing of one that is ready.
    details: BTreeMap<Detail, String>,
}

/// Why a part does not work.
#[derive(Debug)]
struct Waiting {
    reason: String,
    /// Until when that is nothing to tell.
    until: Option<Instant>,
}

/// What has to work before the controller is ready.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The configuration.
    Config,
    /// The signer with the key of the secret.
    Signer,
    /// The signer with a key in a service.
    Kms,
    /// The first list of these runs.
    FirstList(String),
    /// A later list of these runs.
    List(String),
    /// That nobody else signs.
    Rivals,
}

/// What there is to know of a controller, ready or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The replicas that are seen, and the share of this one.
    Replicas,
}

/// Says that the watch loop has died when it is dropped before [`Alive::end`].
#[derive(Debug)]
pub(crate) struct Alive {
    health: Health,
    has_ended: bool,
}

impl Health {
    /// Why `/health` fails, if it does.
    pub fn dead(&self) -> Option<&'static str> {
        let has_died = self.state().has_died;
        has_died.then_some("the watch of runs has ended; restart the controller")
    }

    /// Why `/readiness` fails, if it does: one line a reason.
    pub fn not_ready(&self) -> Option<String> {
        self.not_ready_at(Instant::now())
    }

    fn not_ready_at(&self, now: Instant) -> Option<String> {
        let state = self.state();
        let parts = state.not_ready.values();
        let parts = parts.filter(|part| part.until.is_none_or(|until| until <= now));
        let reasons: Vec<&str> = parts.map(|part| part.reason.as_str()).collect();
        (!reasons.is_empty()).then(|| reasons.join("\n"))
    }

    /// What there is to know: one line each.
    pub fn details(&self) -> String {
        let state = self.state();
        let details: Vec<&str> = state.details.values().map(String::as_str).collect();
        details.join("\n")
    }

    /// Notes something to know.
    pub(crate) fn note(&self, detail: Detail, text: String) {
        self.state().details.insert(detail, text);
    }

    /// A part does not work, for this reason.
    pub(crate) fn wait_for(&self, part: Part, reason: String) {
        let until = None;
        let waiting = Waiting { reason, until };
        self.state().not_ready.insert(part, waiting);
    }

    /// A part that worked has to work again by this time; otherwise it does not work, for this reason.
    /// What was said before about the time stays.
    pub(crate) fn expect(&self, part: Part, by: Instant, reason: String) {
        let mut state = self.state();
        let new = || Waiting {
            reason: String::new(),
            until: Some(by),
        };
        state.not_ready.entry(part).or_insert_with(new).reason = reason;
    }

    /// A part works.
    pub(crate) fn works(&self, part: &Part) {
        self.state().not_ready.remove(part);
    }

    /// To be held by the watch loop.
    pub(crate) fn alive(&self) -> Alive {
        Alive {
            health: self.clone(),
            has_ended: false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alive {
    /// The loop ends because it was asked to.
    pub(crate) fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.has_ended {
            self.health.state().has_died = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_is_ready_once_every_part_works() {
        let health = Health::default();
        let list = Part::FirstList("task runs".to_owned());
        health.wait_for(Part::Signer, "no key".to_owned());
        health.wait_for(list.clone(), "task runs are not listed yet".to_owned());
        let reasons = health.not_ready().unwrap();
        assert_eq!(reasons, "no key\ntask runs are not listed yet");
        health.works(&list);
        health.works(&Part::Signer);
        assert_eq!(health.not_ready(), None);
    }

    #[test]
    fn a_controller_is_not_ready_once_no_list_has_worked_for_the_time_it_has() {
        let health = Health::default();
        let (list, now) = (Part::List("task runs".to_owned()), Instant::now());
        let minute = std::time::Duration::from_secs(60);
        health.expect(list.clone(), now + minute, "first".to_owned());
        health.expect(list.clone(), now + 2 * minute, "second".to_owned());
        assert_eq!(health.not_ready_at(now), None);
        let late = health.not_ready_at(now + minute);
        assert_eq!(late.as_deref(), Some("second"));
        health.works(&list);
        assert_eq!(health.not_ready_at(now + minute), None);
    }

    #[test]
    fn a_watch_loop_that_panics_is_not_healthy() {
        let health = Health::default();
        health.alive().end();
        assert_eq!(health.dead(), None);
        let alive = health.alive();
        let died = std::thread::spawn(move || {
            let _alive = alive;
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert!(health.dead().is_some());
    }
}
