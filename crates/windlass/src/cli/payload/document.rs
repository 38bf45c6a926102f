//! Runs read from files: YAML or JSON, one object or a `List`, of v1 or v1beta1.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde_json::Value;
use windlass_core::run::MAX_DOCUMENT;
use windlass_core::tekton::v1beta1;

/// A file, or standard input.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" {
            Self::Stdin
        } else {
            Self::File(PathBuf::from(text))
        })
    }
}

/// The documents of a run and of its children, as compact JSON of v1.
#[derive(Debug, Default)]
pub(super) struct Documents {
    run: String,
    is_pipeline_run: bool,
    children: Vec<String>,
}

impl Documents {
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    pub(super) fn is_pipeline_run(&self) -> bool {
        self.is_pipeline_run
    }

    pub(super) fn children(&self) -> &[String] {
        &self.children
    }

    /// Reads the run. In a list it is the only pipeline run, beside which there may be task runs,
    /// or else the only task run.
    pub(super) fn read_run(&mut self, source: &Source) -> anyhow::Result<()> {
        let place = match source {
            Source::Stdin => "standard input".to_owned(),
            Source::File(path) => path.display().to_string(),
        };
        let text = match source {
            Source::Stdin => read_limited(io::stdin().lock()),
            Source::File(path) => read_file(path),
        };
        let text = text.with_context(|| format!("cannot read {place}"))?;
        self.take_run(&text)
            .with_context(|| format!("cannot use {place}"))
    }

    /// Reads task runs.
    pub(super) fn read_children(&mut self, path: &Path) -> anyhow::Result<()> {
        let text = read_file(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.take_children(&text)
            .with_context(|| format!("cannot use {}", path.display()))
    }

    pub(super) fn take_run(&mut self, text: &str) -> anyhow::Result<()> {
        let (pipelines, tasks): (Vec<_>, Vec<_>) = runs(text)?
            .into_iter()
            .partition(|run| run["kind"] == "PipelineRun");
        let (run, children) = match (pipelines.len(), tasks.len()) {
            (0, 0) => bail!("there is no run in it"),
            (1, _) => (pipelines, tasks),
            (0, 1) => (tasks, pipelines),
            (0, count) => bail!("there are {count} task runs in it; leave one"),
            (count, _) => bail!("there are {count} pipeline runs in it; leave one"),
        };
        self.is_pipeline_run = run[0]["kind"] == "PipelineRun";
        self.run = run[0].to_string();
        self.children.extend(children.iter().map(Value::to_string));
        Ok(())
    }

    pub(super) fn take_children(&mut self, text: &str) -> anyhow::Result<()> {
        let runs = runs(text)?;
        if runs.iter().any(|run| run["kind"] != "TaskRun") {
            bail!("a child is not a TaskRun");
        }
        self.children.extend(runs.iter().map(Value::to_string));
        Ok(())
    }
}

/// The contents of the `ConfigMap` in a file.
pub(super) fn read_config(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = read_file(path).with_context(|| format!("cannot read {}", path.display()))?;
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
        runs.push(v1beta1::upgrade(item)?);
    }
    Ok(runs)
}

fn parse(text: &str) -> anyhow::Result<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).context("it is not valid JSON");
    }
    serde_saphyr::from_str(text).context("it is not valid YAML with a single document")
}

fn read_file(path: &Path) -> io::Result<String> {
    read_limited(File::open(path)?)
}

/// Reads text of at most [`MAX_DOCUMENT`] bytes.
fn read_limited(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let limit = MAX_DOCUMENT as u64;
    source.take(limit + 1).read_to_string(&mut text)?;
    if text.len() > MAX_DOCUMENT {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(text)
}
