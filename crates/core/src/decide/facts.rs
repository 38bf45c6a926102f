//! What decisions are made on: what is known of one run, and which runs are ours.

use std::collections::BTreeSet;

use super::trust::Trust;
use crate::annotation;
use crate::config::Config;
use crate::run::{Kind, Metadata, Run, TaskRun};

/// What is known of one run.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, named where they are given"
)]
pub struct Facts<'a> {
    /// Namespace of the run.
    pub namespace: &'a str,
    /// `spec.managedBy`, if set.
    pub managed_by: Option<&'a str>,
    /// The condition `Succeeded` is there and not `Unknown`.
    pub done: bool,
    /// `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// The run carries a finalizer of this controller or of Chains' older releases.
    pub protected: bool,
    /// A controller of this cluster put that finalizer on, according to the managed fields. Only known
    /// of a run that is being deleted.
    pub protected_here: bool,
    /// Value of the annotation `chains.tekton.dev/signed`.
    pub signed: Option<&'a str>,
    /// That value comes with evidence that a signing controller wrote it, see [`Trust`].
    pub believed: bool,
    /// Something is enabled for this kind of run: a format, a signer and a store.
    pub enabled: bool,
}

/// Which runs this controller is responsible for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Namespaces to look at; empty means all.
    pub namespaces: BTreeSet<String>,
    /// Further values of `spec.managedBy` to accept (`filter.managed-by`).
    pub managed_by: BTreeSet<String>,
}

impl<'r> Facts<'r> {
    /// What a run and the configuration say. As long as there is no configuration, everything counts
    /// as enabled, so that no run is let go before anybody knows.
    pub fn of(run: &'r Run<'_>, config: Option<&Config>, trust: &Trust<'_>) -> Self {
        match run {
            Run::Task(run) => Self::of_task(run, config, trust),
            Run::Pipeline(pipeline, _) => Self {
                managed_by: run.managed_by(),
                ..Self::of_metadata(Kind::Pipeline, &pipeline.metadata, config)
            }
            .ended(run.is_done(), || {
                let completed = run.completion_time();
                trust.believes(Kind::Pipeline, &pipeline.metadata, completed)
            }),
        }
    }

    /// The same for a task run alone, such as the child of a pipeline run.
    pub fn of_task(run: &'r TaskRun<'_>, config: Option<&Config>, trust: &Trust<'_>) -> Self {
        Self {
            managed_by: run.spec.managed_by.as_deref(),
            ..Self::of_metadata(Kind::Task, &run.metadata, config)
        }
        .ended(run.is_done(), || {
            let completed = run.status.completion_time;
            trust.believes(Kind::Task, &run.metadata, completed)
        })
    }

    /// With what is asked of finished runs only: the mark of a running one is never believed.
    fn ended(self, done: bool, believes: impl FnOnce() -> bool) -> Self {
        Self {
            done,
            believed: done && believes(),
            ..self
        }
    }

    fn of_metadata(kind: Kind, metadata: &'r Metadata<'_>, config: Option<&Config>) -> Self {
        Self {
            namespace: &metadata.namespace,
            managed_by: None,
            done: false,
            deleting: metadata.deletion_timestamp.is_some(),
            protected: kind.is_protected(metadata),
            protected_here: metadata.deletion_timestamp.is_some()
                && kind.has_put_finalizer(metadata),
            signed: metadata.annotation(annotation::SIGNED),
            believed: false,
            enabled: config.is_none_or(|config| kind.is_enabled(config)),
        }
    }
}

impl Scope {
    /// These namespaces, and the managers that the configuration accepts.
    pub fn new(namespaces: BTreeSet<String>, config: Option<&Config>) -> Self {
        let managed_by = config.map(|config| config.managed_by.clone());
        Self {
            namespaces,
            managed_by: managed_by.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SignerKind;

    const RUN: &[u8] = br#"{"kind":"KIND","metadata":{"namespace":"prod",
        "deletionTimestamp":"2024-01-02T03:04:05Z","finalizers":["chains.tekton.dev"],
        "annotations":{"chains.tekton.dev/signed":"failed"}},
        "spec":{"managedBy":"example.com/other"},
        "status":{"conditions":[{"type":"Succeeded","status":"False"}]}}"#;

    fn document(kind: Kind) -> String {
        String::from_utf8_lossy(RUN).replace("KIND", kind.name())
    }

    #[test]
    fn facts_are_read_from_a_run_of_either_kind() {
        for kind in Kind::ALL {
            let document = document(kind);
            let run = Run::parse(document.as_bytes()).unwrap();
            let facts = Facts::of(&run, Some(&Config::default()), &Trust::default());
            assert_eq!(facts.namespace, "prod");
            assert_eq!(facts.managed_by, Some("example.com/other"));
            assert_eq!(facts.signed, Some("failed"));
            assert!(facts.done && facts.deleting && facts.enabled);
            // the finalizer of old releases was put on task runs only
            assert_eq!(facts.protected, kind == Kind::Task);
        }
    }

    #[test]
    fn everything_is_enabled_while_there_is_no_configuration() {
        let document = document(Kind::Pipeline);
        let run = Run::parse(document.as_bytes()).unwrap();
        let mut config = Config::default();
        config.pipelinerun.signer = SignerKind::None;
        assert!(!Facts::of(&run, Some(&config), &Trust::default()).enabled);
        assert!(Facts::of(&run, None, &Trust::default()).enabled);
    }

    #[test]
    fn managers_are_accepted_as_configured() {
        let mut config = Config::default();
        config.managed_by.insert("example.com/other".to_owned());
        let scope = Scope::new(BTreeSet::new(), Some(&config));
        assert_eq!(scope.managed_by, config.managed_by);
        assert_eq!(Scope::new(BTreeSet::new(), None), Scope::default());
    }
}
