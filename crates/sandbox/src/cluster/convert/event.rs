//! Events in the core group and in `events.k8s.io` are the same objects with other field names.

use serde_json::Value;

/// Core name, grouped name.
const NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("reportingComponent", "reportingController"),
];

pub(super) fn to_core(event: &mut Value) {
    for (core, grouped) in NAMES {
        rename(event, grouped, core);
    }
}

pub(super) fn to_grouped(event: &mut Value) {
    for (core, grouped) in NAMES {
        rename(event, core, grouped);
    }
}

fn rename(event: &mut Value, from: &str, to: &str) {
    let Value::Object(fields) = event else { return };
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}
