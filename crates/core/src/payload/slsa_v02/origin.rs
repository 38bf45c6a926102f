//! Where a run came from: the source of its definition, its params, annotations and labels.

use std::collections::{BTreeMap, HashMap};

use crate::artifact::{Digests, Merged};
use crate::json::{Json, Object};
use crate::payload::parts::{material, param_value, ref_source, text_map};
use crate::run::{
    Metadata, Param, ParamSpec, ParamValue, PipelineRun, Provenance, RefSource, TaskRun,
};
use crate::warning::{Notes, shown};

const OWN_PREFIX: &str = "chains.tekton.dev/";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Sources of definitions that are materials too. A material that is the same adds its digests to
/// the source, and Chains shows them wherever it shows the source.
#[derive(Default)]
pub(super) struct Sources {
    /// Position among the materials, by the address of the source.
    places: HashMap<usize, usize>,
    digests: HashMap<usize, Digests>,
}

impl Sources {
    pub(super) fn add(&mut self, provenance: Option<&Provenance<'_>>, materials: &mut Merged) {
        let Some(source) = ref_source(provenance) else {
            return;
        };
        // A task that is named twice gives the same source twice, the second time as it is by then.
        let known = self.places.get(&address(source));
        let known = known.and_then(|place| materials.get(*place)).cloned();
        if let Some(place) = materials.add(known.unwrap_or_else(|| material(source))) {
            self.places.insert(address(source), place);
        }
    }

    pub(super) fn merge(&mut self, materials: &Merged) {
        let places = self.places.iter();
        self.digests = places
            .filter_map(|(source, place)| Some((*source, materials.get(*place)?.digest.clone())))
            .collect();
    }
}

fn address(source: &RefSource<'_>) -> usize {
    std::ptr::from_ref(source).addr()
}

/// Where a run came from and what it was given.
pub(super) struct Origin<'r, 'a> {
    metadata: &'r Metadata<'a>,
    specs: &'r [ParamSpec<'a>],
    params: &'r [Param<'a>],
    provenance: Option<&'r Provenance<'a>>,
    /// Digests of the source after materials were merged into it.
    merged: Option<Digests>,
}

impl<'r, 'a> Origin<'r, 'a> {
    pub(super) fn of_task(run: &'r TaskRun<'a>) -> Self {
        let specs = run
            .status
            .task_spec
            .as_ref()
            .map_or(&[][..], |task| &task.params);
        let provenance = run.status.provenance.as_ref();
        Self {
            metadata: &run.metadata,
            specs,
            params: &run.spec.params,
            provenance,
            merged: None,
        }
    }

    pub(super) fn of_pipeline(run: &'r PipelineRun<'a>) -> Self {
        let specs = run
            .status
            .pipeline_spec
            .as_ref()
            .map_or(&[][..], |spec| &spec.params);
        let provenance = run.status.provenance.as_ref();
        Self {
            metadata: &run.metadata,
            specs,
            params: &run.spec.params,
            provenance,
            merged: None,
        }
    }

    /// Shows the source with the digests that materials added to it.
    pub(super) fn merged(mut self, sources: &Sources) -> Self {
        let source = ref_source(self.provenance);
        self.merged = source.and_then(|source| sources.digests.get(&address(source)).cloned());
        self
    }

    pub(super) fn invocation(&self, notes: &mut Notes) -> Json<'r> {
        let source = ref_source(self.provenance).map_or_else(Object::default, |source| {
            let digest = match &self.merged {
                Some(digests) => Json::text_object(digests.clone()),
                None => text_map(&source.digest),
            };
            Object::default()
                .with_some("uri", &*source.uri)
                .with_some("digest", digest)
                .with_some("entryPoint", &*source.entry_point)
        });
        Object::default()
            .with("configSource", source)
            .with("parameters", self.parameters(notes))
            .with_some("environment", self.environment())
            .into()
    }

    /// Defaults, overlaid by what was given.
    fn parameters(&self, notes: &mut Notes) -> Json<'r> {
        let mut values: BTreeMap<&str, &ParamValue<'a>> = BTreeMap::new();
        for spec in self.specs {
            if let Some(default) = &spec.default {
                values.insert(&spec.name, default);
            }
        }
        for param in self.params {
            values.insert(&param.name, &param.value);
        }
        let mut members = Vec::new();
        for (name, value) in values {
            match param_value(value) {
                Some(value) => members.push((name.into(), value)),
                None => notes.add_loss(format!(
                    "param {} has no value and is left out",
                    shown(name)
                )),
            }
        }
        Json::Object(members)
    }

    fn environment(&self) -> Json<'r> {
        let is_shown = |name: &str| name != LAST_APPLIED && !name.starts_with(OWN_PREFIX);
        let annotations = self
            .metadata
            .annotations
            .iter()
            .filter(|(name, _)| is_shown(name));
        let annotations = Json::text_object(annotations.map(|(name, value)| (&**name, &**value)));
        Object::default()
            .with_some("annotations", annotations)
            .with_some("labels", text_map(&self.metadata.labels))
            .into()
    }
}
