//! What the kind of a run decides: which finalizers are ours, and whether anything is enabled.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::annotation;
use crate::config::Config;
use crate::run::{Kind, Metadata};

impl Kind {
    /// The finalizer that keeps a run until it is recorded.
    pub const fn finalizer(self) -> &'static str {
        match self {
            Self::Task => annotation::TASKRUN_FINALIZER,
            Self::Pipeline => annotation::PIPELINERUN_FINALIZER,
        }
    }

    /// Whether a finalizer is one that this controller takes off: the one that it shares with
    /// Chains, or that of very old releases of Chains.
    pub fn owns_finalizer(self, name: &str) -> bool {
        name == self.finalizer() || self == Self::Task && name == annotation::LEGACY_FINALIZER
    }

    /// Whether a run carries a finalizer that this controller takes off.
    pub fn is_protected(self, metadata: &Metadata<'_>) -> bool {
        let mut finalizers = metadata.finalizers.iter();
        finalizers.any(|name| self.owns_finalizer(name))
    }

    /// Whether a controller of this cluster put the finalizer on, this one or Chains: the managed fields
    /// give it to their field manager.
    pub fn has_put_finalizer(self, metadata: &Metadata<'_>) -> bool {
        let managed = metadata.managed_fields.map(RawValue::get);
        let managed = managed.and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
        let item = format!("v:{}", Value::from(self.finalizer()));
        managed.into_iter().flatten().any(|entry| {
            entry["manager"] == annotation::FINALIZER_FIELD_MANAGER
                && entry["fieldsV1"]["f:metadata"]["f:finalizers"]
                    .get(&item)
                    .is_some()
        })
    }

    /// Whether anything is enabled for runs of this kind.
    pub fn is_enabled(self, config: &Config) -> bool {
        match self {
            Self::Task => config.taskrun.is_enabled() || config.oci.is_enabled(),
            Self::Pipeline => config.pipelinerun.is_enabled(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SignerKind;

    #[test]
    fn the_finalizer_of_old_releases_is_ours_on_task_runs_only() {
        for kind in Kind::ALL {
            assert!(kind.owns_finalizer(kind.finalizer()));
            assert!(!kind.owns_finalizer("example.com/other"));
        }
        assert!(Kind::Task.owns_finalizer("chains.tekton.dev"));
        assert!(!Kind::Pipeline.owns_finalizer("chains.tekton.dev"));
        assert!(!Kind::Task.owns_finalizer(Kind::Pipeline.finalizer()));
    }

    #[test]
    fn the_managed_fields_say_who_put_the_finalizer_on() {
        let run = |manager: &str, finalizer: &str| {
            format!(
                r#"{{"kind":"TaskRun","metadata":{{"managedFields":[{{"manager":"{manager}",
                "operation":"Apply","fieldsV1":{{"f:metadata":{{"f:finalizers":
                {{".":{{}},"v:\"{finalizer}\"":{{}}}}}}}}}}]}}}}"#
            )
        };
        let put = |document: &str| {
            let run = crate::run::Run::parse(document.as_bytes()).unwrap();
            Kind::Task.has_put_finalizer(run.metadata())
        };
        let (ours, finalizer) = (
            annotation::FINALIZER_FIELD_MANAGER,
            annotation::TASKRUN_FINALIZER,
        );
        assert!(put(&run(ours, finalizer)));
        assert!(!put(&run("kubectl", finalizer)));
        assert!(!put(&run(ours, "example.com/other")));
        assert!(!put(
            r#"{"kind":"TaskRun","metadata":{"managedFields":[7]}}"#
        ));
        assert!(!put(r#"{"kind":"TaskRun"}"#));
    }

    #[test]
    fn images_enable_task_runs_and_no_pipeline_runs() {
        let mut config = Config::default();
        config.oci.storage.insert(crate::config::StoreKind::Oci);
        for artifact in [&mut config.taskrun, &mut config.pipelinerun] {
            artifact.signer = SignerKind::None;
        }
        assert!(Kind::Task.is_enabled(&config));
        assert!(!Kind::Pipeline.is_enabled(&config));
    }
}
