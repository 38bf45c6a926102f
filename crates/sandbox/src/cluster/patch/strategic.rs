//! Strategic merge patch: as a merge patch, except that some lists are merged item by item.
//! Which ones, and by which key, is fixed for each built-in kind (the `patchStrategy` and
//! `patchMergeKey` tags of `k8s.io/api`); the directives are `$patch`, `$retainKeys`,
//! `$setElementOrder/FIELD` and `$deleteFromPrimitiveList/FIELD`.

use serde_json::{Map, Value};

use crate::cluster::status::Status;

/// How a list at some path is merged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lists {
    /// Items are maps, told apart by this field.
    By(&'static str),
    /// Items are plain values; the list is a set.
    Set,
    /// The patch's list replaces the old one.
    Whole,
}

/// Path without list indexes, and the key. Kinds do not clash on these paths.
const BY: &[(&str, &str)] = &[
    ("metadata.ownerReferences", "uid"),
    ("secrets", "name"),
    ("imagePullSecrets", "name"),
    ("spec.containers", "name"),
    ("spec.initContainers", "name"),
    ("spec.volumes", "name"),
    ("spec.imagePullSecrets", "name"),
    ("spec.hostAliases", "ip"),
    ("spec.topologySpreadConstraints", "topologyKey"),
    ("status.conditions", "type"),
];
/// The same below a container, in its list.
const CONTAINER_BY: &[(&str, &str)] = &[
    ("env", "name"),
    ("ports", "containerPort"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
];

pub(crate) fn lists(path: &str) -> Lists {
    let path = path.strip_prefix("spec.template.").unwrap_or(path);
    if path == "metadata.finalizers" {
        return Lists::Set;
    }
    let known = BY.iter().find(|(known, _)| *known == path);
    let in_container = ["spec.containers.", "spec.initContainers."]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .and_then(|rest| CONTAINER_BY.iter().find(|(known, _)| *known == rest));
    known
        .or(in_container)
        .map_or(Lists::Whole, |(_, key)| Lists::By(key))
}

pub(super) fn apply(target: &mut Value, patch: &Value) -> Result<(), Status> {
    let (Value::Object(fields), Value::Object(changes)) = (target, patch) else {
        return Err(Status::bad_request(
            "a strategic merge patch is a JSON object",
        ));
    };
    merge(fields, changes, "")
}

fn merge(
    fields: &mut Map<String, Value>,
    changes: &Map<String, Value>,
    path: &str,
) -> Result<(), Status> {
    match directive(changes)? {
        Some("replace") => {
            fields.clear();
            fields.extend(plain(changes));
            return Ok(());
        }
        Some("delete") => {
            fields.clear();
            return Ok(());
        }
        _ => {}
    }
    if let Some(Value::Array(kept)) = changes.get("$retainKeys") {
        fields.retain(|name, _| kept.iter().any(|one| one == name.as_str()));
    }
    for (name, change) in changes {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/")
            && let (Some(Value::Array(items)), Value::Array(gone)) = (fields.get_mut(list), change)
        {
            items.retain(|item| !gone.contains(item));
        }
    }
    for (name, change) in plain(changes) {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        merge_field(fields, name, &change, &path)?;
    }
    for (name, order) in changes {
        let Some(list) = name.strip_prefix("$setElementOrder/") else {
            continue;
        };
        let path = if path.is_empty() {
            list.to_owned()
        } else {
            format!("{path}.{list}")
        };
        if let (Some(Value::Array(items)), Value::Array(order)) = (fields.get_mut(list), order) {
            sort(items, order, lists(&path));
        }
    }
    Ok(())
}

fn directive(changes: &Map<String, Value>) -> Result<Option<&str>, Status> {
    match changes.get("$patch").map(Value::as_str) {
        None => Ok(None),
        Some(Some(known @ ("replace" | "delete" | "merge"))) => Ok(Some(known)),
        Some(_) => Err(Status::bad_request(
            "$patch is not one of replace, delete, merge",
        )),
    }
}

/// The changes that are not directives.
fn plain(changes: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    let fields = changes.iter().filter(|(name, _)| !name.starts_with('$'));
    fields.map(|(name, value)| (name.clone(), value.clone()))
}

fn merge_field(
    fields: &mut Map<String, Value>,
    name: String,
    change: &Value,
    path: &str,
) -> Result<(), Status> {
    match change {
        Value::Null => {
            fields.remove(&name);
        }
        Value::Object(changes) => {
            let old = fields.entry(name.clone()).or_insert(Value::Null);
            if !old.is_object() {
                *old = Value::Object(Map::new());
            }
            if let Value::Object(old) = old {
                merge(old, changes, path)?;
            }
            if changes
                .get("$patch")
                .is_some_and(|directive| directive == "delete")
            {
                fields.remove(&name);
            }
        }
        Value::Array(changes) => {
            let old = match fields.remove(&name) {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            };
            fields.insert(name, Value::Array(merge_list(old, changes, path)?));
        }
        _ => {
            fields.insert(name, change.clone());
        }
    }
    Ok(())
}

fn merge_list(mut items: Vec<Value>, changes: &[Value], path: &str) -> Result<Vec<Value>, Status> {
    let key = match lists(path) {
        Lists::Whole => return Ok(changes.to_vec()),
        Lists::Set => {
            for change in changes {
                if !items.contains(change) {
                    items.push(change.clone());
                }
            }
            return Ok(items);
        }
        Lists::By(key) => key,
    };
    let replaced = changes.iter().any(|change| change["$patch"] == "replace");
    if replaced {
        items.clear();
    }
    for change in changes {
        let Value::Object(fields) = change else {
            return Err(Status::bad_request(format!(
                "an item of {path} is not a JSON object"
            )));
        };
        if replaced && change["$patch"] == "replace" {
            continue;
        }
        let Some(id) = fields.get(key) else {
            return Err(Status::bad_request(format!(
                "an item of {path} lacks the field {key}"
            )));
        };
        let at = items.iter().position(|item| item[key] == *id);
        match (at, directive(fields)?) {
            (Some(at), Some("delete")) => drop(items.remove(at)),
            (None, Some("delete")) => {}
            (Some(at), _) => {
                if let Some(Value::Object(item)) = items.get_mut(at) {
                    merge(item, fields, path)?;
                }
            }
            (None, _) => items.push(Value::Object(plain(fields).collect())),
        }
    }
    Ok(items)
}

/// Puts the items the patch names in its order; others keep their place after them.
fn sort(items: &mut [Value], order: &[Value], lists: Lists) {
    let place = |item: &Value| {
        let found = match lists {
            Lists::By(key) => order.iter().position(|one| one[key] == item[key]),
            _ => order.iter().position(|one| one == item),
        };
        found.unwrap_or(order.len())
    };
    items.sort_by_key(place);
}
