//! What a step runs: its command or script, where, and with which environment.

use std::path::PathBuf;

use serde_json::Value;

use super::context::Context;
use super::exec::{Process, interpreter};
use super::record::{Outcome, invalid};
use super::results;
use super::unknown;
use super::variables::{self, Variables};
use super::workspace::{self, simple};

/// The process of one step.
pub(super) fn process(context: &Context<'_>, name: &str, step: &Value) -> Result<Process, Outcome> {
    let variables = variables_of(context, name, step)?;
    let mut step = step.clone();
    variables.replace_all(&mut step);
    unknown::left_over(&step)?;
    let list = |field: &str| -> Vec<String> {
        let items = step[field].as_array().into_iter().flatten();
        items.map(variables::plain).collect()
    };
    let mut command = match step["script"].as_str().filter(|script| !script.is_empty()) {
        Some(text) => script(context, name, text)?,
        None => list("command"),
    };
    command.extend(list("args"));
    let folder = folder(context, step["workingDir"].as_str())?;
    Ok(Process {
        command,
        folder,
        env: env(context, &step, &variables)?,
    })
}

fn script(context: &Context<'_>, name: &str, text: &str) -> Result<Vec<String>, Outcome> {
    let file = context.scratch.join("scripts").join(simple(name)?);
    let text = if text.starts_with("#!") {
        text.to_owned()
    } else {
        format!("#!/bin/sh\nset -e\n{text}")
    };
    let written = std::fs::write(&file, &text);
    written.map_err(|error| invalid(format!("could not write a script: {error}")))?;
    Ok(interpreter(&text, &file))
}

/// The run's variables, this step's results, and the results of the steps before it.
fn variables_of(context: &Context<'_>, name: &str, step: &Value) -> Result<Variables, Outcome> {
    let mut variables = context.plan.variables.clone();
    let own = context.scratch.join("steps").join(simple(name)?);
    let made = std::fs::create_dir_all(&own);
    made.map_err(|error| invalid(format!("could not make a folder: {error}")))?;
    for result in step["results"].as_array().into_iter().flatten() {
        let result = simple(result["name"].as_str().unwrap_or_default())?;
        let path = own.join(result).display().to_string();
        variables.set(format!("step.results.{result}.path"), path);
    }
    results::set_of_steps(context, &mut variables);
    Ok(variables)
}

/// `/workspace` is a folder in the scratch folder; other absolute paths are taken as they are.
fn folder(context: &Context<'_>, asked: Option<&str>) -> Result<PathBuf, Outcome> {
    let base = context.scratch.join("workspace");
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Ok(base);
    };
    let inside = asked
        .strip_prefix("/workspace")
        .map(|rest| rest.trim_start_matches('/'));
    let folder = inside.map_or_else(|| base.join(asked), |rest| base.join(rest));
    if folder.starts_with(context.scratch) {
        let made = std::fs::create_dir_all(&folder);
        made.map_err(|error| invalid(format!("workingDir \"{asked}\": {error}")))?;
    }
    Ok(folder)
}

fn env(
    context: &Context<'_>,
    step: &Value,
    variables: &Variables,
) -> Result<Vec<(String, String)>, Outcome> {
    let home = context.scratch.join("home").display().to_string();
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    let mut env = vec![("HOME".to_owned(), home), ("PATH".to_owned(), path)];
    let mut template = context.plan.spec["stepTemplate"]["env"].clone();
    variables.replace_all(&mut template);
    unknown::left_over(&serde_json::json!({ "env": template }))?;
    let lists = [template.as_array(), step["env"].as_array()];
    for entry in lists.into_iter().flatten().flatten() {
        let name = entry["name"].as_str().unwrap_or_default().to_owned();
        env.push((name, env_value(context, entry)?));
    }
    Ok(env)
}

fn env_value(context: &Context<'_>, entry: &Value) -> Result<String, Outcome> {
    let from = &entry["valueFrom"];
    for (field, storage) in [
        ("secretKeyRef", "secrets"),
        ("configMapKeyRef", "configmaps"),
    ] {
        let Some(name) = from[field]["name"].as_str() else {
            continue;
        };
        let files = workspace::contents(context.shared, storage, &context.key.namespace, name)?;
        let key = from[field]["key"].as_str().unwrap_or_default();
        let found = files.into_iter().find(|(file, _)| file == key);
        return match found {
            Some((_, bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            None if from[field]["optional"] == true => Ok(String::new()),
            None => Err(invalid(format!(
                "{storage} \"{name}\" has no key \"{key}\""
            ))),
        };
    }
    if from.is_object() {
        return Err(invalid(
            "this runner reads env from secrets and config maps only",
        ));
    }
    Ok(entry["value"].as_str().unwrap_or_default().to_owned())
}
