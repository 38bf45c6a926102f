//! The term of a lease: who holds it, for how long, and when that was renewed last.
//!
//! Source: Kubernetes, `coordination.k8s.io/v1`, `LeaseSpec`. As client-go does, whoever gives a lease up
//! leaves it without a holder and with the shortest duration.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::time_of_day;

/// Longest duration that is believed; the default of Tekton Chains is a minute.
const LONGEST: u64 = 3600;
/// Microseconds, all six of them: the API server takes no other form.
const FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// Who holds a lease, and what is noted on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a> {
    /// The holder; empty if nobody holds it.
    pub(crate) holder: &'a str,
    /// How long it is held after each renewal; none if that is not said.
    pub(crate) duration: Option<Duration>,
    /// When it was renewed last, by the clock of its holder.
    pub(crate) renewed: Option<Timestamp>,
    /// Annotations to write; none are read.
    pub(crate) annotations: &'a [(&'static str, String)],
}

impl<'a> Term<'a> {
    /// The term that a lease states.
    pub(super) fn read(lease: &'a Value) -> Self {
        let spec = &lease["spec"];
        let seconds = spec["leaseDurationSeconds"].as_u64();
        let renewed = spec["renewTime"].as_str();
        Self {
            holder: spec["holderIdentity"].as_str().unwrap_or_default(),
            duration: seconds.map(|seconds| Duration::from_secs(seconds.min(LONGEST))),
            renewed: renewed.and_then(|text| text.parse().ok()),
            annotations: &[],
        }
    }

    /// Writes the term into a lease.
    pub(super) fn write(&self, lease: &mut Value) {
        let now = self.renewed.unwrap_or_else(time_of_day::now);
        let now = now.strftime(FORMAT).to_string();
        let seconds = self.duration.map_or(1, |duration| duration.as_secs());
        let spec = object(&mut lease["spec"]);
        if spec["holderIdentity"].as_str() != Some(self.holder) {
            let before = spec["leaseTransitions"].as_u64();
            spec["leaseTransitions"] = json!(before.map_or(0, |count| count + 1));
            spec["acquireTime"] = json!(now);
        }
        spec["holderIdentity"] = json!(self.holder);
        spec["leaseDurationSeconds"] = json!(seconds);
        spec["renewTime"] = json!(now);
        for (name, value) in self.annotations {
            annotate(lease, name, value);
        }
    }
}

/// Notes in a lease that nobody holds it any longer.
pub(super) fn end(lease: &mut Value) {
    let now = time_of_day::now().strftime(FORMAT).to_string();
    let spec = object(&mut lease["spec"]);
    spec["holderIdentity"] = Value::Null;
    spec["leaseDurationSeconds"] = json!(1);
    spec["renewTime"] = json!(now);
}

/// Replaces an annotation of a lease.
pub(super) fn annotate(lease: &mut Value, annotation: &str, value: &str) {
    object(&mut lease["metadata"]["annotations"])[annotation] = json!(value);
}

fn object(value: &mut Value) -> &mut Value {
    if !value.is_object() {
        *value = json!({});
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(holder: &str) -> Term<'_> {
        Term {
            holder,
            duration: Some(Duration::from_secs(15)),
            renewed: "2026-11-26T05:00:00.5Z".parse().ok(),
            annotations: &[],
        }
    }

    #[test]
    fn a_term_is_read_back_and_another_holder_is_counted() {
        let mut lease = json!({ "metadata": {} });
        for (holder, transitions) in [("a", 0), ("a", 0), ("b", 1)] {
            term(holder).write(&mut lease);
            let read = Term::read(&lease);
            assert_eq!(read.holder, holder);
            assert_eq!(read.duration, term("").duration);
            assert_eq!(read.renewed, term("").renewed);
            assert_eq!(lease["spec"]["leaseTransitions"], transitions);
        }
        assert_eq!(lease["spec"]["renewTime"], "2026-11-26T05:00:00.500000Z");
        end(&mut lease);
        assert_eq!(Term::read(&lease).holder, "");
    }

    #[test]
    fn a_lease_that_says_nothing_or_too_much_is_read() {
        let empty = json!({});
        assert_eq!(Term::read(&empty).holder, "");
        assert_eq!(Term::read(&empty).duration, None);
        let odd = json!({ "spec": {
            "holderIdentity": 7, "leaseDurationSeconds": u64::MAX, "renewTime": "yesterday",
        }});
        let odd = Term::read(&odd);
        assert_eq!((odd.holder, odd.renewed), ("", None));
        assert_eq!(odd.duration, Some(Duration::from_secs(LONGEST)));
    }
}
