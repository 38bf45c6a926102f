//! Marks: which runs windlass would sign again, because nothing shows that a signing controller marked
//! them.

use super::extent::Migration;
use super::finding::{Finding, Topic};
use super::runs::Seen;

/// Finds namespaces with marks that are not believed.
pub(super) fn check(seen: &Seen, found: &mut Migration) {
    for (namespace, count) in &seen.unproven {
        found.findings.push(Finding {
            topic: Topic::Marks,
            cause: format!(
                "{count} finished runs of namespace {namespace} are marked as signed, and nothing \
                 shows that a signing controller did it"
            ),
            remedy: "nothing, unless they must not be signed: windlass signs them when it starts, \
                     since an author could have marked them to evade it"
                .to_owned(),
            command: Some(format!("windlass tr list -n {namespace}")),
        });
    }
}
