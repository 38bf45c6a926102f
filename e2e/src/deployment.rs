//! A Deployment as the kubelet would start it: the arguments, variables and mounts of its container.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What a container is started with on this machine.
#[derive(Debug)]
pub struct Start {
    /// The arguments of the program.
    pub arguments: Vec<String>,
    /// Its environment variables.
    pub variables: Vec<(String, String)>,
}

impl Start {
    /// The only container of a Deployment, whose mounts are folders below `mounts`: `/etc/tls` is
    /// `mounts/etc/tls`. The program of the image is the one that is started.
    pub fn of(deployment: &Value, mounts: &Path) -> Result<Self> {
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        ensure!(
            container["command"].is_null(),
            "the Deployment names a program, which the image has to have"
        );
        let texts = container["args"].as_array().into_iter().flatten();
        let arguments = texts.filter_map(Value::as_str).map(str::to_owned).collect();
        let paths = container["volumeMounts"].as_array().into_iter().flatten();
        let paths: Vec<&str> = paths
            .filter_map(|mount| mount["mountPath"].as_str())
            .collect();
        for path in &paths {
            std::fs::create_dir_all(below(mounts, path))?;
        }
        let variables = container["env"].as_array().into_iter().flatten();
        let variables = variables.map(|variable| {
            let name = variable["name"]
                .as_str()
                .context("a variable has no name")?;
            let value = value(deployment, variable);
            let value = value.with_context(|| format!("{name} has no value"))?;
            let is_mounted = paths.iter().any(|path| value.starts_with(path));
            let value = if is_mounted {
                below(mounts, value).display().to_string()
            } else {
                value.to_owned()
            };
            Ok((name.to_owned(), value))
        });
        Ok(Self {
            arguments,
            variables: variables.collect::<Result<_>>()?,
        })
    }
}

/// The value of a variable, which may be a field of the pod.
fn value<'d>(deployment: &'d Value, variable: &'d Value) -> Option<&'d str> {
    match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
        Some("metadata.namespace") => deployment["metadata"]["namespace"].as_str(),
        Some(_) => None,
        None => variable["value"].as_str(),
    }
}

fn below(mounts: &Path, path: &str) -> std::path::PathBuf {
    mounts.join(path.trim_start_matches('/'))
}
