//! Runs read from files: YAML or JSON, one object or a `List`, of v1 or v1beta1.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;
use windlass_core::run::MAX_DOCUMENT;
use windlass_core::tekton::v1beta1;

use super::choose::{Chosen, choose, is_pipeline_run};
use super::{Documents, Wanted, yaml};
use crate::inspect::input::Input;

/// Reads a file with the run, in which there may be others and its task runs.
pub(super) fn read_run(source: &Input, wanted: Option<&Wanted>) -> anyhow::Result<Documents> {
    let text = read_text(source).with_context(|| format!("cannot read {source}"))?;
    take_run(&text, wanted).with_context(|| format!("cannot use {source}"))
}

pub(super) fn take_run(text: &str, wanted: Option<&Wanted>) -> anyhow::Result<Documents> {
    let Chosen { run, children } = choose(runs(text)?, wanted)?;
    Ok(Documents {
        run: run.to_string(),
        is_pipeline_run: is_pipeline_run(&run),
        children: children.iter().map(Value::to_string).collect(),
    })
}

/// Reads task runs.
pub(super) fn read_children(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = read_text(&Input::File(path.to_owned()))
        .with_context(|| format!("cannot read {}", path.display()))?;
    let children = take_children(&text);
    children.with_context(|| format!("cannot use {}", path.display()))
}

fn take_children(text: &str) -> anyhow::Result<Vec<String>> {
    let runs = runs(text)?;
    if runs.iter().any(is_pipeline_run) {
        bail!("a child is not a TaskRun");
    }
    Ok(runs.iter().map(Value::to_string).collect())
}

/// The contents of the `ConfigMap` in a file.
pub(super) fn read_config(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = read_text(&Input::File(path.to_owned()))
        .with_context(|| format!("cannot read {}", path.display()))?;
    config(&text).with_context(|| format!("cannot use {}", path.display()))
}

pub(super) fn config(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let document = parse(text)?;
    if document["kind"] != "ConfigMap" {
        bail!("expected a ConfigMap, found kind {}", document["kind"]);
    }
    let data = match &document["data"] {
        Value::Null => return Ok(BTreeMap::new()),
        Value::Object(data) => data,
        _ => bail!("data is not an object"),
    };
    data.iter()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            Value::Null => Ok((key.clone(), String::new())),
            _ => bail!("the value of {key} is not a string; put it in quotes"),
        })
        .collect()
}

/// All runs of a document, made into v1.
fn runs(text: &str) -> anyhow::Result<Vec<Value>> {
    let mut document = parse(text)?;
    let kind = document["kind"].as_str().unwrap_or_default();
    if !matches!(kind, "List" | "TaskRunList" | "PipelineRunList") {
        return Ok(vec![v1beta1::upgrade(document)?]);
    }
    let single = kind.strip_suffix("List").unwrap_or_default().to_owned();
    let version = document["apiVersion"].clone();
    let Value::Array(items) = document["items"].take() else {
        bail!("the list has no items");
    };
    let mut runs = Vec::new();
    for mut item in items {
        // Items of a typed list need not repeat what the list says.
        if let (false, Some(object)) = (single.is_empty(), item.as_object_mut()) {
            object
                .entry("kind")
                .or_insert_with(|| Value::from(single.as_str()));
            object
                .entry("apiVersion")
                .or_insert_with(|| version.clone());
        }
        // kubectl get may list other kinds beside the runs
        if single.is_empty() && !matches!(item["kind"].as_str(), Some("TaskRun" | "PipelineRun")) {
            continue;
        }
        runs.push(v1beta1::upgrade(item)?);
    }
    Ok(runs)
}

fn parse(text: &str) -> anyhow::Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).context("it is not valid JSON");
    }
    yaml::read(text).context("it is not valid YAML with a single document")
}

/// Reads text of at most [`MAX_DOCUMENT`] bytes.
fn read_text(source: &Input) -> io::Result<String> {
    let bytes = source.read(MAX_DOCUMENT)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}
