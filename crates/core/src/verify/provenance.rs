//! SLSA provenance of a build: its builder, its sources and its definition.
//!
//! Only fields that the build platform sets are read; labels and parameters, which a user chooses,
//! are not. Sources: SLSA provenance v0.2 (`builder`, `materials`, `invocation`) and v1
//! (`runDetails`, `resolvedDependencies`, `externalParameters`).

use serde_json::Value;

use super::expected::Provenance;
use super::statement::Statement;
use crate::format::{SLSA_V1, SLSA_V02};

/// Something with digests that went into the build.
struct Input<'a> {
    uri: &'a str,
    digests: Vec<(&'a str, &'a str)>,
}

impl<'a> Input<'a> {
    fn read(value: &'a Value) -> Self {
        let digests = value["digest"].as_object().into_iter().flatten();
        Self {
            uri: value["uri"].as_str().unwrap_or_default(),
            digests: digests
                .filter_map(|(algorithm, hex)| Some((algorithm.as_str(), hex.as_str()?)))
                .collect(),
        }
    }

    fn is_at(&self, uri: &str) -> bool {
        !self.uri.is_empty() && bare(self.uri) == bare(uri)
    }

    fn has(&self, hex: &str) -> bool {
        let mut digests = self.digests.iter();
        !hex.is_empty() && digests.any(|(_, found)| found.eq_ignore_ascii_case(hex))
    }
}

/// A build, whichever version describes it.
struct Build<'a> {
    builder: &'a str,
    inputs: Vec<Input<'a>>,
    /// Names of the definition.
    names: Vec<&'a str>,
    /// Where the definition was read from.
    definitions: Vec<Input<'a>>,
}

/// Lists what is invalid.
pub(super) fn check(statement: &Statement, wanted: &Provenance) -> Vec<String> {
    if !wanted.is_asked_for() {
        return Vec::new();
    }
    let build = match statement.predicate_type.as_str() {
        SLSA_V02 => v02(&statement.predicate),
        SLSA_V1 => v1(&statement.predicate),
        other => {
            return vec![format!(
                "the predicateType `{other}` says nothing of source, builder or task; expected \
                 `{SLSA_V02}` or `{SLSA_V1}`"
            )];
        }
    };
    [
        builder(&build, wanted),
        source(&build, wanted),
        definition(&build, wanted),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn v02(predicate: &Value) -> Build<'_> {
    let source = &predicate["invocation"]["configSource"];
    let tasks = array(&predicate["buildConfig"]["tasks"]);
    let names = tasks.filter_map(|task| task["ref"]["name"].as_str());
    let sources = array(&predicate["buildConfig"]["tasks"]);
    let sources = sources.map(|task| &task["invocation"]["configSource"]);
    Build {
        builder: predicate["builder"]["id"].as_str().unwrap_or_default(),
        inputs: array(&predicate["materials"]).map(Input::read).collect(),
        names: names.collect(),
        definitions: std::iter::once(source)
            .chain(sources)
            .map(Input::read)
            .collect(),
    }
}

fn v1(predicate: &Value) -> Build<'_> {
    let definition = &predicate["buildDefinition"];
    let spec = &definition["externalParameters"]["runSpec"];
    let names = ["taskRef", "pipelineRef"].map(|key| spec[key]["name"].as_str());
    let is_definition = |entry: &&Value| {
        let name = entry["name"].as_str();
        name.is_some_and(|name| matches!(name, "task" | "pipeline" | "pipelineTask"))
    };
    let inputs = &definition["resolvedDependencies"];
    Build {
        builder: predicate["runDetails"]["builder"]["id"]
            .as_str()
            .unwrap_or_default(),
        inputs: array(inputs).map(Input::read).collect(),
        names: names.into_iter().flatten().collect(),
        definitions: array(inputs)
            .filter(is_definition)
            .map(Input::read)
            .collect(),
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn builder(build: &Build<'_>, wanted: &Provenance) -> Option<String> {
    let wanted = wanted.builder_id.as_ref()?;
    let found = build.builder;
    (wanted != found).then(|| format!("the builder is `{found}`, expected `{wanted}`"))
}

/// URI and commit have to be those of one input.
fn source(build: &Build<'_>, wanted: &Provenance) -> Option<String> {
    let (uri, commit) = (
        wanted.source_uri.as_deref(),
        wanted.source_commit.as_deref(),
    );
    if uri.is_none() && commit.is_none() {
        return None;
    }
    let is_there = |input: &&Input<'_>| uri.is_none_or(|uri| input.is_at(uri));
    let named: Vec<&Input<'_>> = build.inputs.iter().filter(is_there).collect();
    if named.is_empty() {
        let uri = uri.unwrap_or_default();
        let found: Vec<&str> = build.inputs.iter().take(5).map(|input| input.uri).collect();
        let found = match found.as_slice() {
            [] => "it names no source".to_owned(),
            found => format!("it was built from {}", found.join(", ")),
        };
        return Some(format!("it was not built from `{uri}`; {found}"));
    }
    let commit = commit?;
    if named.iter().any(|input| input.has(commit)) {
        return None;
    }
    let digests = named.iter().flat_map(|input| &input.digests);
    let found: Vec<String> = digests
        .take(5)
        .map(|(algorithm, hex)| format!("{algorithm}:{hex}"))
        .collect();
    let found = match found.as_slice() {
        [] => "it states no digest".to_owned(),
        found => format!("it is {}", found.join(", ")),
    };
    Some(format!("the source is not at commit `{commit}`; {found}"))
}

/// A URI without what writers add to it.
fn bare(uri: &str) -> &str {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let uri = uri.strip_suffix('/').unwrap_or(uri);
    uri.strip_suffix(".git").unwrap_or(uri)
}

fn definition(build: &Build<'_>, wanted: &Provenance) -> Option<String> {
    let wanted = wanted.task_ref.as_deref()?;
    if build.names.contains(&wanted) {
        return None;
    }
    let pinned = wanted
        .rsplit_once('@')
        .and_then(|(uri, digest)| Some((uri, digest.split_once(':')?)));
    let is_wanted = |input: &Input<'_>| match pinned {
        Some((uri, digest)) => input.is_at(uri) && input.digests.contains(&digest),
        None => input.is_at(wanted),
    };
    if build.definitions.iter().any(is_wanted) {
        return None;
    }
    let uris = build.definitions.iter().map(|input| input.uri);
    let found = build.names.iter().copied().chain(uris);
    let found: Vec<&str> = found.filter(|text| !text.is_empty()).take(5).collect();
    let found = match found.as_slice() {
        [] => "the provenance names none".to_owned(),
        found => format!("it names {}", found.join(", ")),
    };
    Some(format!("it was not built by `{wanted}`; {found}"))
}
