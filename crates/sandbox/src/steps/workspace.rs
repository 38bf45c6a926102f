//! The folders of a run: scratch, results, and one for each workspace the task declares.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::record::{Outcome, invalid};
use super::shared::Shared;
use super::variables::Variables;
use crate::cluster::object;
use crate::cluster::store::Key;

/// Makes the folders of the workspaces and sets their variables.
pub(super) fn bind(
    shared: &Shared,
    run: &Value,
    spec: &Value,
    scratch: &Path,
    variables: &mut Variables,
) -> Result<(), Outcome> {
    let bindings = run["spec"]["workspaces"].as_array();
    let declared: Vec<&Value> = spec["workspaces"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let is_declared = |one: &&Value| declared.iter().any(|own| own["name"] == one["name"]);
    // an embedded task has those of its run, too
    let given = bindings.into_iter().flatten();
    let given = given.filter(|one| run["spec"]["taskSpec"].is_object() && !is_declared(one));
    for declared in declared.iter().copied().chain(given) {
        let name = declared["name"].as_str().unwrap_or_default();
        let name = simple(name)?;
        let binding = bindings
            .into_iter()
            .flatten()
            .find(|one| one["name"] == name);
        let path = match binding {
            Some(binding) => folder(shared, run, name, binding, scratch)?,
            None if declared["optional"] == true => {
                variables.set(format!("workspaces.{name}.bound"), "false");
                variables.set(format!("workspaces.{name}.path"), "");
                continue;
            }
            None => {
                return Err(invalid(format!(
                    "bound workspaces did not match expected workspaces: declared workspace \
                     \"{name}\" is required but has not been bound"
                )));
            }
        };
        variables.set(format!("workspaces.{name}.bound"), "true");
        variables.set(
            format!("workspaces.{name}.path"),
            path.display().to_string(),
        );
    }
    Ok(())
}

fn folder(
    shared: &Shared,
    run: &Value,
    name: &str,
    binding: &Value,
    scratch: &Path,
) -> Result<PathBuf, Outcome> {
    let own = scratch.join("workspaces").join(name);
    let namespace = object::meta(run, "namespace");
    let path = if let Some(claim) = binding["persistentVolumeClaim"]["claimName"].as_str() {
        shared.claims.join(namespace).join(simple(claim)?)
    } else {
        own
    };
    let failed = |error: io::Error| {
        Outcome::failed(
            "TaskRunValidationFailed",
            format!("workspace \"{name}\": {error}"),
        )
    };
    std::fs::create_dir_all(&path).map_err(failed)?;
    for (field, storage, named) in [
        ("secret", "secrets", "secretName"),
        ("configMap", "configmaps", "name"),
    ] {
        let Some(source) = binding[field][named].as_str() else {
            continue;
        };
        let files = contents(shared, storage, namespace, source)?;
        for (file, bytes) in files {
            std::fs::write(path.join(simple(&file)?), bytes).map_err(failed)?;
        }
    }
    let Some(sub_path) = binding["subPath"].as_str() else {
        return Ok(path);
    };
    let inside = path.join(sub_path);
    if sub_path.starts_with('/') || sub_path.split('/').any(|part| part == "..") {
        return Err(invalid(format!(
            "the subPath of workspace \"{name}\" leads outside it"
        )));
    }
    std::fs::create_dir_all(&inside).map_err(failed)?;
    Ok(inside)
}

/// The files a secret or config map stands for.
pub(super) fn contents(
    shared: &Shared,
    storage: &'static str,
    namespace: &str,
    name: &str,
) -> Result<Vec<(String, Vec<u8>)>, Outcome> {
    let key = Key::new(storage, namespace, name);
    let Some(found) = shared.state.store().get(&key) else {
        return Err(invalid(format!("{storage} \"{name}\" not found")));
    };
    let mut files = Vec::new();
    for (field, encoded) in [("data", storage == "secrets"), ("binaryData", true)] {
        for (file, value) in found[field].as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            let bytes = if encoded {
                STANDARD.decode(text).unwrap_or_default()
            } else {
                text.as_bytes().to_vec()
            };
            files.push((file.clone(), bytes));
        }
    }
    Ok(files)
}

/// A name that is one plain path segment.
pub(super) fn simple(name: &str) -> Result<&str, Outcome> {
    let plain = !name.is_empty() && !name.contains(['/', '\0']) && name != "." && name != "..";
    plain
        .then_some(name)
        .ok_or_else(|| invalid(format!("\"{name}\" cannot name a folder or file")))
}
