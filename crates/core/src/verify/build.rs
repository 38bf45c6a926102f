//! A build, whichever version of SLSA provenance describes it.
//!
//! What decides is who chose a field. The resolver records where the definition of a run was read
//! from (`configSource` in v0.2, the dependencies `task`, `pipeline` and `pipelineTask` in v1), and
//! the controller names the builder. The author of a run chooses its params, and through an own task
//! its results, and both name materials. Sources: SLSA provenance v0.2 (`builder`, `materials`,
//! `invocation`) and v1 (`runDetails`, `resolvedDependencies`, `externalParameters`).

use serde_json::Value;

use super::definition::{DefinitionRef, bare, path_in_repository};

/// Params with which a run names its source.
const SOURCE_PARAMS: [&str; 2] = ["CHAINS-GIT_URL", "CHAINS-GIT_COMMIT"];

/// Something with digests that went into the build.
#[derive(Default)]
pub(super) struct Input<'a> {
    pub(super) uri: &'a str,
    /// Which definition there: the path of a file, or a name in a bundle; empty if nothing says so.
    pub(super) entry_point: &'a str,
    pub(super) digests: Vec<(&'a str, &'a str)>,
}

impl<'a> Input<'a> {
    fn read(value: &'a Value) -> Self {
        let digests = value["digest"].as_object().into_iter().flatten();
        Self {
            uri: value["uri"].as_str().unwrap_or_default(),
            entry_point: value["entryPoint"].as_str().unwrap_or_default(),
            digests: digests
                .filter_map(|(algorithm, hex)| Some((algorithm.as_str(), hex.as_str()?)))
                .collect(),
        }
    }

    pub(super) fn is_at(&self, uri: &str) -> bool {
        !bare(uri).is_empty() && bare(self.uri) == bare(uri)
    }

    pub(super) fn has(&self, hex: &str) -> bool {
        let mut digests = self.digests.iter();
        !hex.trim().is_empty() && digests.any(|(_, found)| found.eq_ignore_ascii_case(hex))
    }

    /// Whether it is what a reference means, as far as that says.
    pub(super) fn is(&self, wanted: &DefinitionRef) -> bool {
        match wanted {
            DefinitionRef::Unpinned(uri) => self.is_at(uri),
            DefinitionRef::Pinned {
                uri,
                algorithm,
                digest,
                path,
            } => {
                let is_wanted = |(found, hex): &(&str, &str)| {
                    found.eq_ignore_ascii_case(algorithm) && hex.eq_ignore_ascii_case(digest)
                };
                let is_there = |path: &String| {
                    path_in_repository(path) == path_in_repository(self.entry_point)
                };
                self.is_at(uri)
                    && self.digests.iter().any(is_wanted)
                    && path.as_ref().is_none_or(is_there)
            }
        }
    }
}

/// What kind of run is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Definition {
    Task,
    Pipeline,
}

impl Definition {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Pipeline => "pipeline",
        }
    }
}

/// A build.
pub(super) struct Build<'a> {
    pub(super) kind: Definition,
    /// The builder, which the controller names.
    pub(super) builder: &'a str,
    /// Where a resolver read the definition of the run from; nothing if the author wrote it.
    pub(super) own: Input<'a>,
    /// Where resolvers read the tasks of a pipeline run from.
    pub(super) tasks: Vec<Input<'a>>,
    /// Everything that went in, by the word of params and results.
    pub(super) inputs: Vec<Input<'a>>,
    /// Names of definitions, which the author chose.
    pub(super) names: Vec<&'a str>,
    /// The param of the run that names a source, which the author chose.
    pub(super) source_param: Option<&'a str>,
}

impl<'a> Build<'a> {
    /// The build that a predicate of SLSA provenance v0.2 describes.
    pub(super) fn v02(predicate: &'a Value) -> Self {
        let invocation = &predicate["invocation"];
        let tasks = &predicate["buildConfig"]["tasks"];
        let build_type = predicate["buildType"].as_str().unwrap_or_default();
        let is_pipeline = build_type.ends_with("/PipelineRun") || tasks.is_array();
        let names = array(tasks).filter_map(|task| task["ref"]["name"].as_str());
        let params = invocation["parameters"].as_object().into_iter().flatten();
        Self {
            kind: if is_pipeline {
                Definition::Pipeline
            } else {
                Definition::Task
            },
            builder: predicate["builder"]["id"].as_str().unwrap_or_default(),
            own: Input::read(&invocation["configSource"]),
            tasks: array(tasks)
                .map(|task| Input::read(&task["invocation"]["configSource"]))
                .collect(),
            inputs: array(&predicate["materials"]).map(Input::read).collect(),
            names: names.collect(),
            source_param: source_param(params.map(|(name, _)| name.as_str())),
        }
    }

    /// The build that a predicate of SLSA provenance v1 describes.
    pub(super) fn v1(predicate: &'a Value) -> Self {
        let definition = &predicate["buildDefinition"];
        let spec = &definition["externalParameters"]["runSpec"];
        let inputs = &definition["resolvedDependencies"];
        let dependencies = |wanted: &'static str| {
            let entries = array(inputs);
            entries.filter(move |entry| entry["name"].as_str() == Some(wanted))
        };
        let is_pipeline = dependencies("pipeline")
            .chain(dependencies("pipelineTask"))
            .next()
            .is_some()
            || !(spec["pipelineRef"].is_null() && spec["pipelineSpec"].is_null());
        let kind = if is_pipeline {
            Definition::Pipeline
        } else {
            Definition::Task
        };
        let names = ["taskRef", "pipelineRef"].map(|key| spec[key]["name"].as_str());
        let params = array(&spec["params"]).filter_map(|param| param["name"].as_str());
        let builder = &predicate["runDetails"]["builder"]["id"];
        Self {
            kind,
            builder: builder.as_str().unwrap_or_default(),
            own: Input {
                entry_point: definition["externalParameters"]["buildConfigSource"]["path"]
                    .as_str()
                    .unwrap_or_else(|| entry_point(spec)),
                ..dependencies(kind.name())
                    .next()
                    .map(Input::read)
                    .unwrap_or_default()
            },
            tasks: dependencies("pipelineTask").map(Input::read).collect(),
            inputs: array(inputs).map(Input::read).collect(),
            names: names.into_iter().flatten().collect(),
            source_param: source_param(params),
        }
    }
}

/// Which definition the resolver of a run read: v1 leaves the entry point out, so the param tells that
/// the resolver reads it from.
fn entry_point(spec: &Value) -> &str {
    let references = ["taskRef", "pipelineRef"].map(|key| &spec[key]);
    let Some(reference) = references.into_iter().find(|found| found.is_object()) else {
        return "";
    };
    let wanted = match reference["resolver"].as_str() {
        Some("git") => "pathInRepo",
        Some("bundles" | "cluster") => "name",
        _ => return "",
    };
    let mut params = array(&reference["params"]);
    let param = params.find(|param| param["name"].as_str() == Some(wanted));
    param
        .and_then(|param| param["value"].as_str())
        .unwrap_or_default()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn source_param<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.find(|name| SOURCE_PARAMS.contains(name))
}
