//! Which fields of an object can be owned.

use serde_json::{Value, json};

use super::path::{Fields, Path};
use crate::cluster::kind::Kind;
use crate::cluster::list_type::ListType;
use crate::cluster::route::Part;

/// Metadata nobody owns.
const UNOWNED: &[&str] = &[
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// The fields of an object that can be owned by who writes `part`.
pub(crate) fn fields(kind: &Kind, part: Part, object: &Value) -> Fields {
    let mut found = Fields::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        let path = vec![format!("f:{name}")];
        match (name.as_str(), part) {
            ("apiVersion" | "kind", _) => {}
            ("metadata", Part::Whole) => {
                let owned = value.as_object().into_iter().flatten();
                for (field, value) in owned.filter(|(field, _)| !UNOWNED.contains(&field.as_str()))
                {
                    let path = vec!["f:metadata".to_owned(), format!("f:{field}")];
                    collect(kind, value, path, &format!("metadata.{field}"), &mut found);
                }
            }
            ("status", Part::Whole) if kind.status => {}
            (other, Part::Status) if other != "status" => {}
            _ => collect(kind, value, path, name, &mut found),
        }
    }
    found
}

fn collect(kind: &Kind, value: &Value, path: Path, dotted: &str, found: &mut Fields) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let mut path = path.clone();
                path.push(format!("f:{name}"));
                collect(kind, value, path, &format!("{dotted}.{name}"), found);
            }
        }
        Value::Array(items) if !items.is_empty() => match ListType::applied(kind, dotted) {
            ListType::Atomic => {
                found.insert(path);
            }
            ListType::Set => {
                for item in items {
                    let mut path = path.clone();
                    path.push(format!("v:{item}"));
                    found.insert(path);
                }
            }
            ListType::Map(key) => {
                for item in items {
                    let mut path = path.clone();
                    path.push(format!("k:{}", json!({key: item[key]})));
                    found.insert(path.clone());
                    collect(kind, item, path, dotted, found);
                }
            }
        },
        _ => {
            found.insert(path);
        }
    }
}
