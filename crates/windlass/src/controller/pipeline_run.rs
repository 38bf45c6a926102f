//! A finished pipeline run: it waits for its task runs, and is then attested together with them.
//!
//! Its task runs go first so that what they record, and what they push beside an image, is there
//! before it (behaviour reference, section 1.6). Unlike the reference, children of other kinds are
//! not looked for among the task runs, and a child that no longer exists keeps nobody waiting.

use std::collections::{BTreeMap, BTreeSet};

use windlass_core::annotation;
use windlass_core::run::{Adopted, Metadata, PipelineRun, RunError, TaskRun, adopt};

use super::outcome::RECHECK;
use super::reconcile::{Outcome, Pass, Reconciler, later, text};
use super::record::{self, Change};
use super::write::Written;
use crate::cluster::children;
use crate::cluster::event;
use crate::cluster::runs::RunId;
use crate::cluster::watch::ListError;
use crate::settings::InForce;

/// Task runs that are named when there are many of them.
const NAMED: usize = 5;

impl Reconciler {
    /// Attests a pipeline run, unless it has to wait for children that `unsettled` finds.
    pub(super) async fn sign_pipeline_run(
        &self,
        id: &RunId,
        run: PipelineRun<'_>,
        in_force: InForce<'_>,
        unsettled: impl Fn(&[TaskRun<'_>]) -> BTreeSet<String>,
        overdue: bool,
    ) -> Pass {
        let documents = match children::read(&self.client, id, &run).await {
            Ok(documents) => documents,
            Err(ListError::Call(error)) => return Pass::End(later(error)),
            Err(error) => {
                tracing::error!("{}; trying again", text(error));
                return Pass::End(Outcome::Later { after: None });
            }
        };
        let (children, unreadable) = children::parse(&documents);
        let waiting = unsettled(&children);
        if !waiting.is_empty() {
            return self.wait_for(id, &run.metadata, waiting, overdue).await;
        }
        let Adopted { run, missing, .. } = adopt(run, children);
        let incomplete = incomplete(&missing, &unreadable);
        self.sign(id, &run, in_force, incomplete).await
    }

    /// Waits for task runs; says so on the pipeline run once that takes long.
    async fn wait_for(
        &self,
        id: &RunId,
        metadata: &Metadata<'_>,
        children: BTreeSet<String>,
        overdue: bool,
    ) -> Pass {
        let names: Vec<&String> = children.iter().collect();
        let reason = annotation::reason(&format!("{} not signed yet", are(&names)));
        let awaiting = |after| Pass::End(Outcome::Awaiting { children, after });
        if record::value_of(metadata, annotation::REASON) == Some(reason.as_str()) {
            return awaiting(RECHECK);
        }
        if !overdue {
            return awaiting(self.patience);
        }
        tracing::warn!(run = %id, "not signed yet: {reason}");
        let change = Change::waiting(metadata, &reason);
        match self.write(id, &change).await {
            Written::Done => {
                event::warn(&self.client, &id.regarding(), "SigningDelayed", &reason).await;
                awaiting(RECHECK)
            }
            other => other.into_pass(),
        }
    }
}

/// What a pipeline run is attested without.
fn incomplete(missing: &[String], unreadable: &BTreeMap<String, RunError>) -> Option<String> {
    let (_, gone): (Vec<&String>, Vec<&String>) = missing
        .iter()
        .partition(|name| unreadable.contains_key(*name));
    let mut reasons = Vec::new();
    if !gone.is_empty() {
        reasons.push(format!("{} no longer there", are(&gone)));
    }
    for (name, error) in unreadable.iter().take(NAMED) {
        reasons.push(format!("its task run {name} is unreadable: {error}"));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// "its task run a is", "its task runs a, b and 3 more are".
fn are(names: &[impl AsRef<str>]) -> String {
    let first: Vec<&str> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    let first = first.join(", ");
    match names.len() {
        1 => format!("its task run {first} is"),
        count if count <= NAMED => format!("its task runs {first} are"),
        count => format!("its task runs {first} and {} more are", count - NAMED),
    }
}

#[cfg(test)]
mod tests {
    use super::are;

    #[test]
    fn a_few_task_runs_are_named_and_the_others_counted() {
        assert_eq!(are(&["a"]), "its task run a is");
        assert_eq!(are(&["a", "b"]), "its task runs a, b are");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(are(&many), "its task runs a, b, c, d, e and 2 more are");
    }
}
