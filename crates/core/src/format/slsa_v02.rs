//! The format `slsa/v1`, also called `in-toto`: an in-toto statement v0.1 with SLSA provenance
//! v0.2. Behaviour reference, sections 4.1 and 4.2.

use std::collections::{BTreeMap, HashMap};

use super::time::shortest;
use super::{Format, FormatError, Payload, slsa_v02_pipeline};
use crate::artifact::{Artifact, Digests, Merged};
use crate::config::Config;
use crate::extract::{
    Breadth, Children, PULLABLE, Scope, images_used, pipeline_sources, subjects, task_sources,
};
use crate::intoto::{Statement, digests};
use crate::json::{Json, Object};
use crate::run::{
    Condition, Container, Map, Metadata, Param, ParamSpec, Provenance, RefSource, Run, StepState,
    TaskRun,
};
use crate::value::ParamValue;
use crate::warning::{Notes, shown};

const STATEMENT: &str = "https://in-toto.io/Statement/v0.1";
pub(super) const PREDICATE: &str = "https://slsa.dev/provenance/v0.2";
const REPRODUCIBLE: &str = "chains.tekton.dev/reproducible";
const OWN_PREFIX: &str = "chains.tekton.dev/";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(super) fn payload(run: &Run<'_>, config: &Config) -> Result<Payload, FormatError> {
    let mut notes = Notes::default();
    let (subjects, content) = match run {
        Run::Task(task) => {
            let subjects = subjects(Scope::Task(task), Breadth::AllHints, &mut notes);
            (subjects, task_content(task, &mut notes))
        }
        Run::Pipeline(pipeline, children) => {
            let children = Children::new(pipeline, children);
            let inspected = config.deep_inspection.then_some(&children);
            let scope = Scope::Pipeline(pipeline, inspected);
            let subjects = subjects(scope, Breadth::AllHints, &mut notes);
            let mut materials = Merged::default();
            let mut sources = Sources::default();
            sources.add(pipeline.status.provenance.as_ref(), &mut materials);
            for child in children.runs() {
                materials.extend(images_used(child, &mut notes));
                sources.add(child.status.provenance.as_ref(), &mut materials);
            }
            materials.extend(pipeline_sources(pipeline, inspected, &mut notes));
            sources.merge(&materials);
            let build_config =
                slsa_v02_pipeline::build_config(pipeline, &children, &sources, &mut notes)?;
            let content = Content {
                build_config,
                invocation: Origin::of_pipeline(pipeline)
                    .merged(&sources)
                    .invocation(&mut notes),
                materials: materials.into_vec(),
            };
            (subjects, content)
        }
    };
    let Content {
        build_config,
        invocation,
        materials,
    } = content;
    let predicate = predicate(run, config, &materials)
        .with("invocation", invocation)
        .with("buildConfig", build_config)
        .into();
    let statement = Statement {
        kind: STATEMENT,
        subjects: &subjects,
        predicate_type: PREDICATE,
        predicate,
    };
    let bytes = statement.to_bytes();
    Ok(Payload {
        format: Format::SlsaV1,
        bytes,
        subjects,
        warnings: notes.into_warnings(),
    })
}

/// The parts of a predicate that differ between kinds of runs.
struct Content<'r> {
    build_config: Json<'r>,
    invocation: Json<'r>,
    materials: Vec<Artifact>,
}

fn task_content<'r>(run: &'r TaskRun<'_>, notes: &mut Notes) -> Content<'r> {
    let mut materials = Merged::default();
    materials.extend(images_used(run, notes));
    materials.extend(task_sources(run, notes));
    Content {
        build_config: Object::default()
            .with("steps", steps_by_name(run, notes))
            .into(),
        invocation: Origin::of_task(run).invocation(notes),
        materials: materials.into_vec(),
    }
}

fn predicate<'r>(run: &'r Run<'_>, config: &'r Config, materials: &'r [Artifact]) -> Object<'r> {
    let materials = materials.iter().map(|material| {
        let object = Object::default().with_some("uri", material.name.as_str());
        object.with_some("digest", digests(&material.digest)).into()
    });
    Object::default()
        .with(
            "builder",
            Object::default().with("id", config.builder_id.as_str()),
        )
        .with("buildType", format!("tekton.dev/v1/{}", run.kind()))
        .with("metadata", metadata(run))
        .with_some("materials", materials.collect::<Vec<_>>())
}

fn metadata<'r>(run: &Run<'_>) -> Json<'r> {
    let completeness = Object::default()
        .with("parameters", false)
        .with("environment", false)
        .with("materials", false);
    let label = run.metadata().labels.get(REPRODUCIBLE);
    Object::default()
        .with_some(
            "buildStartedOn",
            run.start_time().map_or(Json::Null, shortest),
        )
        .with_some(
            "buildFinishedOn",
            run.completion_time().map_or(Json::Null, shortest),
        )
        .with("completeness", completeness)
        .with(
            "reproducible",
            label.is_some_and(|value| &**value == "true"),
        )
        .into()
}

pub(super) fn ref_source<'p, 'a>(
    provenance: Option<&'p Provenance<'a>>,
) -> Option<&'p RefSource<'a>> {
    provenance.and_then(|provenance| provenance.ref_source.as_ref())
}

pub(super) fn material(source: &RefSource<'_>) -> Artifact {
    let digests = source.digest.iter();
    Artifact {
        name: source.uri.to_string(),
        digest: digests
            .map(|(algorithm, hex)| (algorithm.to_string(), hex.to_string()))
            .collect(),
    }
}

/// Steps of a task run, each with the step of the task that has its name. One that the task gives no
/// name has none, as in the reference.
fn steps_by_name<'r>(run: &'r TaskRun<'_>, notes: &mut Notes) -> Json<'r> {
    let mut by_name: HashMap<&str, &Container<'_>> = HashMap::new();
    for step in run.status.task_spec.iter().flat_map(|task| &task.steps) {
        by_name.entry(&step.name).or_insert(step);
    }
    let steps = run.status.steps.iter().map(|state| {
        let container = by_name.get(&*state.name).copied();
        // a step without a name is common, and no fault of the run
        if container.is_none() && !state.name.starts_with("unnamed-") {
            notes.add(format!(
                "step {} is not in the task, so its script and arguments are left out",
                shown(&state.name)
            ));
        }
        step(state, container)
    });
    Json::Array(steps.collect())
}

/// A step: what was run, and in which image.
pub(super) fn step<'r>(state: &'r StepState<'_>, container: Option<&'r Container<'_>>) -> Json<'r> {
    let entry_point = match container {
        None => Json::from(""),
        Some(container) if !container.script.is_empty() => Json::from(&*container.script),
        Some(container) => {
            let words: Vec<&str> = container.command.iter().map(|word| &**word).collect();
            Json::from(words.join(" "))
        }
    };
    let arguments = container.and_then(|container| container.args.as_ref());
    let image = state
        .image_id
        .strip_prefix(PULLABLE)
        .unwrap_or(&state.image_id);
    let environment = Object::default()
        .with("container", &*state.name)
        .with("image", format!("oci://{image}"));
    Object::default()
        .with("entryPoint", entry_point)
        .with(
            "arguments",
            arguments.map_or(Json::Null, |args| {
                Json::strings(args.iter().map(|arg| &**arg))
            }),
        )
        .with("environment", environment)
        .with("annotations", Json::Null)
        .into()
}

/// Sources of definitions that are materials too. A material that is the same adds its digests to
/// the source, and the reference shows them wherever it shows the source.
#[derive(Default)]
pub(super) struct Sources {
    /// Position among the materials, by the address of the source.
    places: HashMap<usize, usize>,
    digests: HashMap<usize, Digests>,
}

impl Sources {
    fn add(&mut self, provenance: Option<&Provenance<'_>>, materials: &mut Merged) {
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

    fn merge(&mut self, materials: &Merged) {
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

    fn of_pipeline(run: &'r crate::run::PipelineRun<'a>) -> Self {
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

pub(super) fn text_map<'r>(map: &'r Map<'_>) -> Json<'r> {
    Json::text_object(map.iter().map(|(key, value)| (&**key, &**value)))
}

/// The value of a param or a result by its kind; nothing if there is none.
pub(super) fn param_value<'r>(value: &'r ParamValue<'_>) -> Option<Json<'r>> {
    Some(match value {
        ParamValue::Missing => return None,
        ParamValue::String(text) => Json::from(&**text),
        ParamValue::Array(items) => Json::strings(items.iter().map(|item| &**item)),
        ParamValue::Object(members) => {
            Json::text_object(members.iter().map(|(key, value)| (&**key, &**value)))
        }
    })
}

/// One word on how a run ended, from its first condition.
pub(super) fn outcome(conditions: &[Condition<'_>]) -> &'static str {
    match conditions.first().map(|condition| &*condition.status) {
        Some("True") => "Succeeded",
        Some("False") => "Failed",
        Some("Unknown") => "Running",
        _ => "",
    }
}
