//! The runs and the ConfigMap in a text: YAML or JSON, one object, several, or a `List`, of v1 or
//! v1beta1.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use windlass_core::json::{StrictError, strict};
use windlass_core::run::kind_found;
use windlass_core::tekton::v1beta1;

use super::choice::{RunTree, choose, choose_all, is_pipeline_run};
use super::error::ContentError;
use super::yaml;
use crate::cluster::config_map::ConfigMap;
use crate::inspect::documents::Documents;
use crate::inspect::selector::RunSelector;

/// The run that is meant, with its task runs.
pub(super) fn run(text: &str, selector: Option<&RunSelector>) -> Result<Documents, ContentError> {
    Ok(documents(choose(runs(text)?, selector)?))
}

/// Every run that belongs to no other, with its task runs and its name.
pub(super) fn all_runs(text: &str) -> Result<Vec<(String, Documents)>, ContentError> {
    let trees = choose_all(&runs(text)?)?.into_iter();
    Ok(trees.map(|tree| (tree.name(), documents(tree))).collect())
}

fn documents(RunTree { run, children }: RunTree) -> Documents {
    Documents {
        run: run.to_string(),
        is_pipeline_run: is_pipeline_run(&run),
        children: children.iter().map(Value::to_string).collect(),
        refused: Vec::new(),
    }
}

/// Task runs, and nothing else.
pub(super) fn children(text: &str) -> Result<Vec<String>, ContentError> {
    let runs = runs(text)?;
    if runs.iter().any(is_pipeline_run) {
        return Err(ContentError::NotATaskRun);
    }
    Ok(runs.iter().map(Value::to_string).collect())
}

/// The entries of a ConfigMap.
pub(super) fn config_map(text: &str) -> Result<BTreeMap<String, String>, ContentError> {
    let objects = flat(parse(text)?)?;
    let is_config_map = |object: &&Value| object["kind"] == "ConfigMap";
    let found: Vec<&Value> = objects.iter().filter(is_config_map).collect();
    let named = |map: &&&Value| map["metadata"]["name"] == "chains-config";
    let chosen = match &found[..] {
        [] => {
            let kind = objects.first().and_then(|first| first["kind"].as_str());
            let kind = kind_found(kind.unwrap_or_default());
            return Err(ContentError::NotAConfigMap(kind));
        }
        [only] => only,
        several => several
            .iter()
            .find(named)
            .ok_or(ContentError::ManyConfigMaps(several.len()))?,
    };
    Ok(ConfigMap::parse(chosen.to_string().as_bytes())?.data)
}

/// The objects of some documents, with those of each list in its place.
fn flat(documents: Vec<Value>) -> Result<Vec<Value>, ContentError> {
    let mut objects = Vec::new();
    for mut document in documents {
        let kind = document["kind"].as_str().unwrap_or_default();
        if !kind.ends_with("List") {
            objects.push(document);
            continue;
        }
        let Value::Array(items) = document["items"].take() else {
            return Err(ContentError::NoItems);
        };
        objects.extend(items);
    }
    Ok(objects)
}

/// All runs of a text, made into v1. What is no run is passed over where there is more than one
/// document, as in a list.
fn runs(text: &str) -> Result<Vec<Value>, ContentError> {
    let mut documents = parse(text)?;
    if documents.len() == 1 {
        return documents.pop().map_or(Ok(Vec::new()), runs_of);
    }
    let mut runs = Vec::new();
    for document in documents {
        let kind = document["kind"].as_str().unwrap_or_default();
        if is_list(kind) || is_run(kind) {
            runs.extend(runs_of(document)?);
        }
    }
    Ok(runs)
}

fn is_list(kind: &str) -> bool {
    matches!(kind, "List" | "TaskRunList" | "PipelineRunList")
}

fn is_run(kind: &str) -> bool {
    matches!(kind, "TaskRun" | "PipelineRun")
}

/// The runs of one document.
fn runs_of(mut document: Value) -> Result<Vec<Value>, ContentError> {
    let kind = document["kind"].as_str().unwrap_or_default();
    if !is_list(kind) {
        return Ok(vec![v1beta1::upgrade(document)?]);
    }
    let single = kind.strip_suffix("List").unwrap_or_default().to_owned();
    let version = document["apiVersion"].clone();
    let Value::Array(items) = document["items"].take() else {
        return Err(ContentError::NoItems);
    };
    let mut runs = Vec::new();
    for mut item in items {
        // items of a typed list need not repeat what the list says.
        if let (false, Some(object)) = (single.is_empty(), item.as_object_mut()) {
            object
                .entry("kind")
                .or_insert_with(|| Value::from(single.as_str()));
            object
                .entry("apiVersion")
                .or_insert_with(|| version.clone());
        }
        // kubectl get may list other kinds next to the runs
        if single.is_empty() && !item["kind"].as_str().is_some_and(is_run) {
            continue;
        }
        runs.push(v1beta1::upgrade(item)?);
    }
    Ok(runs)
}

/// The documents of a text: of YAML, or JSON values one after the other.
fn parse(text: &str) -> Result<Vec<Value>, ContentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // no string of JSON has a line of its own
    let is_separated = text.lines().any(|line| line.trim_end() == "---");
    if !text.trim_start().starts_with('{') || is_separated {
        return Ok(yaml::read(text)?);
    }
    let mut documents = Vec::new();
    for raw in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let raw = raw.map_err(|error| ContentError::Json(StrictError::Json(error.into())))?;
        // of two members with one name this would take the last, and others the first
        let text = strict(raw.get().as_bytes()).map_err(ContentError::Json)?;
        let document = serde_json::from_str(text);
        documents
            .push(document.map_err(|error| ContentError::Json(StrictError::Json(error.into())))?);
    }
    Ok(documents)
}
