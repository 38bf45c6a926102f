//! The decision: what to do with a run, given the facts about it.
//!
//! Pure: the controller collects the [`Facts`], this module decides, the controller acts. The rules
//! are those of docs/behaviour.md, "Which runs are signed", with these differences: a recorded run
//! loses its finalizer at once, not only when it is deleted; a run for which nothing is enabled is
//! not marked as signed; the mark of an unfinished run is removed; a mark without evidence counts as
//! none; and the filters apply each time a run is looked at, not only on events.

pub use self::facts::{Facts, Scope};
pub use self::trust::Trust;

mod facts;
mod kind;
mod trust;

/// Tekton's own value of `spec.managedBy`.
const TEKTON_PIPELINE: &str = "tekton.dev/pipeline";

/// Why a run is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It is in a namespace that is not listed.
    OtherNamespace,
    /// `spec.managedBy` names another controller.
    ManagedByOther,
    /// It is marked `true` or `failed` already, with evidence.
    Recorded,
    /// Nothing is enabled for this kind of run.
    NothingEnabled,
    /// It is being deleted and was never finished.
    DeletedUnfinished,
}

/// What to do with a run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is still running: look again when it changes.
    Wait,
    /// It is still running and not protected: add the finalizer.
    Protect,
    /// It is still running and marked as recorded, which cannot be: take the mark off. Whoever may
    /// create a run may mark it, and a run made from the manifest of another brings its mark along.
    Unmark,
    /// It is finished and not recorded: attest it.
    Sign,
    /// Nothing is left to do but to take the finalizer off.
    Release(SkipReason),
    /// Leave it alone.
    Skip(SkipReason),
}

/// Decides what to do with a run.
///
/// ```
/// use windlass_core::config::Config;
/// use windlass_core::decide::{Decision, Facts, Scope, Trust, decide};
/// use windlass_core::run::Run;
///
/// let run = br#"{"kind":"TaskRun","status":{"conditions":[{"type":"Succeeded","status":"True"}]}}"#;
/// let run = Run::parse(run)?;
/// let config = Config::default();
/// let facts = Facts::of(&run, Some(&config), &Trust::default());
/// assert_eq!(decide(&facts, &Scope::default()), Decision::Sign);
/// # Ok::<(), windlass_core::run::RunError>(())
/// ```
pub fn decide(facts: &Facts<'_>, scope: &Scope) -> Decision {
    if let Some(reason) = excluded(facts, scope) {
        // a run of another controller keeps its finalizers, except for one of ours once it is deleted
        return if facts.protected && facts.deleting && facts.protected_here {
            Decision::Release(reason)
        } else {
            Decision::Skip(reason)
        };
    }
    if let Some(reason) = settled(facts) {
        return if facts.protected {
            Decision::Release(reason)
        } else {
            Decision::Skip(reason)
        };
    }
    match (facts.done, facts.protected) {
        (true, _) => Decision::Sign,
        (false, _) if is_marked(facts) => Decision::Unmark,
        (false, true) => Decision::Wait,
        (false, false) => Decision::Protect,
    }
}

/// Whether a pipeline run need not wait for this child any longer: it is recorded, or it is finished
/// and nobody here will ever record it.
pub fn is_settled(child: &Facts<'_>, scope: &Scope) -> bool {
    match decide(child, scope) {
        Decision::Skip(SkipReason::Recorded) | Decision::Release(SkipReason::Recorded) => true,
        Decision::Skip(_) | Decision::Release(_) => child.done,
        Decision::Wait | Decision::Protect | Decision::Unmark | Decision::Sign => false,
    }
}

/// Why a run is not ours.
fn excluded(facts: &Facts<'_>, scope: &Scope) -> Option<SkipReason> {
    if !scope.namespaces.is_empty() && !scope.namespaces.contains(facts.namespace) {
        return Some(SkipReason::OtherNamespace);
    }
    match facts.managed_by {
        None | Some("" | TEKTON_PIPELINE) => None,
        Some(other) if scope.managed_by.contains(other) => None,
        Some(_) => Some(SkipReason::ManagedByOther),
    }
}

/// Why nothing is left to be done for a run of ours.
fn settled(facts: &Facts<'_>) -> Option<SkipReason> {
    if is_marked(facts) && facts.done && facts.believed {
        return Some(SkipReason::Recorded);
    }
    if facts.deleting && !facts.done {
        return Some(SkipReason::DeletedUnfinished);
    }
    (!facts.enabled).then_some(SkipReason::NothingEnabled)
}

fn is_marked(facts: &Facts<'_>) -> bool {
    matches!(facts.signed, Some("true" | "failed"))
}

/// Which value of `chains.tekton.dev/retries` a failed pass writes (docs/behaviour.md,
/// "Annotations").
///
/// The counter stops at `3`. Chains gives up there; here only a permanent error does, so a run is
/// never given up because a registry or key service was away for a second.
pub fn next_retries(current: Option<&str>) -> u8 {
    match current.map(str::parse::<u8>) {
        None => 0,
        Some(Ok(count)) if count < 3 => count + 1,
        Some(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: Facts<'_> = Facts {
        namespace: "ns",
        managed_by: None,
        done: false,
        deleting: false,
        protected: false,
        protected_here: false,
        signed: None,
        believed: false,
        enabled: true,
    };
    const DONE: Facts<'_> = Facts {
        done: true,
        ..RUNNING
    };

    fn all() -> Scope {
        Scope::default()
    }

    #[test]
    fn a_running_run_is_protected_once_and_then_awaited() {
        assert_eq!(decide(&RUNNING, &all()), Decision::Protect);
        assert_eq!(
            decide(
                &Facts {
                    protected: true,
                    ..RUNNING
                },
                &all()
            ),
            Decision::Wait
        );
    }

    #[test]
    fn a_finished_run_is_signed_whether_protected_or_not() {
        assert_eq!(decide(&DONE, &all()), Decision::Sign);
        assert_eq!(
            decide(
                &Facts {
                    protected: true,
                    ..DONE
                },
                &all()
            ),
            Decision::Sign
        );
        assert_eq!(
            decide(
                &Facts {
                    deleting: true,
                    ..DONE
                },
                &all()
            ),
            Decision::Sign
        );
    }

    #[test]
    fn a_finished_run_whose_mark_has_no_evidence_is_signed() {
        for mark in ["true", "failed"] {
            let forged = Facts {
                signed: Some(mark),
                ..DONE
            };
            assert_eq!(decide(&forged, &all()), Decision::Sign);
            assert!(!is_settled(&forged, &all()));
        }
    }

    #[test]
    fn a_recorded_run_is_never_signed_again_and_loses_its_finalizer() {
        for mark in ["true", "failed"] {
            let recorded = Facts {
                signed: Some(mark),
                believed: true,
                ..DONE
            };
            assert_eq!(
                decide(&recorded, &all()),
                Decision::Skip(SkipReason::Recorded)
            );
            let protected = Facts {
                protected: true,
                ..recorded
            };
            assert_eq!(
                decide(&protected, &all()),
                Decision::Release(SkipReason::Recorded)
            );
        }
    }

    #[test]
    fn a_mark_on_an_unfinished_run_is_taken_off() {
        for mark in ["true", "failed"] {
            let forged = Facts {
                signed: Some(mark),
                ..RUNNING
            };
            assert_eq!(decide(&forged, &all()), Decision::Unmark);
            assert!(!is_settled(&forged, &all()));
        }
        let leaving = Facts {
            signed: Some("true"),
            deleting: true,
            protected: true,
            ..RUNNING
        };
        let released = Decision::Release(SkipReason::DeletedUnfinished);
        assert_eq!(decide(&leaving, &all()), released);
    }

    #[test]
    fn any_other_mark_counts_as_not_signed() {
        assert_eq!(
            decide(
                &Facts {
                    signed: Some("no"),
                    ..DONE
                },
                &all()
            ),
            Decision::Sign
        );
    }

    #[test]
    fn a_run_deleted_before_it_finished_is_released() {
        let run = Facts {
            deleting: true,
            protected: true,
            ..RUNNING
        };
        assert_eq!(
            decide(&run, &all()),
            Decision::Release(SkipReason::DeletedUnfinished)
        );
    }

    #[test]
    fn a_run_for_which_nothing_is_enabled_is_not_marked() {
        let run = Facts {
            enabled: false,
            ..DONE
        };
        assert_eq!(
            decide(&run, &all()),
            Decision::Skip(SkipReason::NothingEnabled)
        );
    }

    #[test]
    fn other_namespaces_and_other_managers_are_left_alone() {
        let scope = Scope {
            namespaces: ["prod".to_owned()].into(),
            managed_by: ["kueue.x-k8s.io/multikueue".to_owned()].into(),
        };
        assert_eq!(
            decide(&DONE, &scope),
            Decision::Skip(SkipReason::OtherNamespace)
        );
        let prod = Facts {
            namespace: "prod",
            ..DONE
        };
        assert_eq!(decide(&prod, &scope), Decision::Sign);
        let foreign = Facts {
            managed_by: Some("example.com/other"),
            ..prod
        };
        assert_eq!(
            decide(&foreign, &scope),
            Decision::Skip(SkipReason::ManagedByOther)
        );
        let listed = Facts {
            managed_by: Some("kueue.x-k8s.io/multikueue"),
            ..prod
        };
        assert_eq!(decide(&listed, &scope), Decision::Sign);
    }

    #[test]
    fn a_deleted_run_of_another_manager_loses_the_finalizer_that_was_put_here_and_no_other() {
        let theirs = Facts {
            managed_by: Some("example.com/other"),
            protected: true,
            deleting: true,
            ..DONE
        };
        assert_eq!(
            decide(&theirs, &all()),
            Decision::Skip(SkipReason::ManagedByOther)
        );
        let ours = Facts {
            protected_here: true,
            ..theirs
        };
        assert_eq!(
            decide(&ours, &all()),
            Decision::Release(SkipReason::ManagedByOther)
        );
        let living = Facts {
            deleting: false,
            ..ours
        };
        assert_eq!(
            decide(&living, &all()),
            Decision::Skip(SkipReason::ManagedByOther)
        );
    }

    #[test]
    fn a_child_is_settled_once_it_is_recorded_or_finished_without_anybody_to_record_it() {
        let recorded = Facts {
            signed: Some("failed"),
            believed: true,
            ..DONE
        };
        assert!(is_settled(&recorded, &all()));
        assert!(!is_settled(&DONE, &all()));
        assert!(!is_settled(&RUNNING, &all()));
        let disabled = Facts {
            enabled: false,
            ..DONE
        };
        assert!(is_settled(&disabled, &all()));
        let foreign = Facts {
            managed_by: Some("example.com/other"),
            ..DONE
        };
        assert!(is_settled(&foreign, &all()));
        let foreign_and_running = Facts {
            done: false,
            ..foreign
        };
        assert!(!is_settled(&foreign_and_running, &all()));
        let leaving = Facts {
            deleting: true,
            ..RUNNING
        };
        assert!(!is_settled(&leaving, &all()));
    }

    #[test]
    fn the_retry_counter_counts_as_the_reference_does_and_stops_at_three() {
        assert_eq!(next_retries(None), 0);
        assert_eq!(next_retries(Some("0")), 1);
        assert_eq!(next_retries(Some("2")), 3);
        assert_eq!(next_retries(Some("3")), 3);
        assert_eq!(next_retries(Some("x")), 3);
        assert_eq!(next_retries(Some("")), 3);
    }
}
