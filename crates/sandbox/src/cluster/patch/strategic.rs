//! Strategic merge patch: as a merge patch, except that some lists are merged item by item.
//! Which ones, and by which key, is fixed for each built-in kind (the `patchStrategy` and
//! `patchMergeKey` tags of `k8s.io/api`); the directives are `$patch`, `$retainKeys`,
//! `$setElementOrder/FIELD` and `$deleteFromPrimitiveList/FIELD`.

use serde_json::{Map, Value};

use crate::cluster::list_type::ListType;
use crate::cluster::status::Status;

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
    remove_listed(fields, changes);
    for (name, change) in plain(changes) {
        let path = below(path, &name);
        merge_field(fields, name, &change, &path)?;
    }
    order_lists(fields, changes, path);
    Ok(())
}

/// Takes out what `$retainKeys` and `$deleteFromPrimitiveList` leave out.
fn remove_listed(fields: &mut Map<String, Value>, changes: &Map<String, Value>) {
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
}

/// Puts the lists into the order that `$setElementOrder` gives.
fn order_lists(fields: &mut Map<String, Value>, changes: &Map<String, Value>, path: &str) {
    for (name, order) in changes {
        let Some(list) = name.strip_prefix("$setElementOrder/") else {
            continue;
        };
        let path = below(path, list);
        if let (Some(Value::Array(items)), Value::Array(order)) = (fields.get_mut(list), order) {
            sort(items, order, ListType::strategic(&path));
        }
    }
}

/// The path of a field below `path`.
fn below(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
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
    let key = match ListType::strategic(path) {
        ListType::Atomic => return Ok(changes.to_vec()),
        ListType::Set => {
            for change in changes {
                if !items.contains(change) {
                    items.push(change.clone());
                }
            }
            return Ok(items);
        }
        ListType::Map(key) => key,
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
fn sort(items: &mut [Value], order: &[Value], list_type: ListType) {
    let place = |item: &Value| {
        let found = match list_type {
            ListType::Map(key) => order.iter().position(|one| one[key] == item[key]),
            _ => order.iter().position(|one| one == item),
        };
        found.unwrap_or(order.len())
    };
    items.sort_by_key(place);
}
