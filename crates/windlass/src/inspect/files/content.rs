//! The runs and the ConfigMap in a text: YAML or JSON, one object or a `List`, of v1 or v1beta1.

use std::collections::BTreeMap;

use serde_json::Value;
use windlass_core::json::{StrictError, strict};
use windlass_core::tekton::v1beta1;

use super::choice::{RunTree, choose, is_pipeline_run};
use super::error::ContentError;
use super::yaml;
use crate::cluster::config_map::ConfigMap;
use crate::inspect::documents::Documents;
use crate::inspect::selector::RunSelector;

/// The run that is meant, with its task runs.
pub(super) fn run(text: &str, selector: Option<&RunSelector>) -> Result<Documents, ContentError> {
    let RunTree { run, children } = choose(runs(text)?, selector)?;
    Ok(Documents {
        run: run.to_string(),
        is_pipeline_run: is_pipeline_run(&run),
        children: children.iter().map(Value::to_string).collect(),
        refused: Vec::new(),
    })
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
    let document = parse(text)?;
    let kind = &document["kind"];
    if kind != "ConfigMap" {
        return Err(ContentError::NotAConfigMap(kind.to_string()));
    }
    Ok(ConfigMap::parse(document.to_string().as_bytes())?.data)
}

/// All runs of a document, made into v1.
fn runs(text: &str) -> Result<Vec<Value>, ContentError> {
    let mut document = parse(text)?;
    let kind = document["kind"].as_str().unwrap_or_default();
    if !matches!(kind, "List" | "TaskRunList" | "PipelineRunList") {
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
        if single.is_empty() && !matches!(item["kind"].as_str(), Some("TaskRun" | "PipelineRun")) {
            continue;
        }
        runs.push(v1beta1::upgrade(item)?);
    }
    Ok(runs)
}

fn parse(text: &str) -> Result<Value, ContentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        // of two members with one name this would take the last, and others the first
        let text = strict(text.as_bytes()).map_err(ContentError::Json)?;
        return serde_json::from_str(text)
            .map_err(|error| ContentError::Json(StrictError::Json(error)));
    }
    yaml::read(text).map_err(|error| ContentError::Yaml(Box::new(error)))
}
