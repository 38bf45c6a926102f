//! Who owns which field: the `metadata.managedFields` of an object. A set of owned fields is kept
//! as paths whose segments are already in the wire form `FieldsV1` (`f:NAME`, `v:VALUE` for an item
//! of a set, `k:{KEY}` for an item told apart by a key).
//! Rule source: the "Server-Side Apply" page of the Kubernetes documentation.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::cluster::kind::{Kind, Served};
use crate::cluster::list_type::ListType;
use crate::cluster::object;
use crate::cluster::route::Part;

pub(crate) type Path = Vec<String>;
pub(crate) type Fields = BTreeSet<Path>;

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

/// How fields came to be owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Operation {
    #[default]
    Update,
    Apply,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Update => "Update",
            Self::Apply => "Apply",
        }
    }
}

/// One owner and what it owns.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// The entry as last written, without its fields.
    head: Value,
    pub fields: Fields,
}

impl Owner {
    pub(crate) fn new(manager: &str, operation: Operation, served: Served, part: Part) -> Self {
        let mut head = json!({
            "manager": manager, "operation": operation.name(), "apiVersion": served.api_version(),
            "fieldsType": "FieldsV1", "time": object::now(),
        });
        if part == Part::Status {
            head["subresource"] = "status".into();
        }
        Self {
            head,
            fields: Fields::new(),
        }
    }

    /// Whether both stand for the same manager writing the same way.
    pub(crate) fn is(&self, other: &Self) -> bool {
        ["manager", "operation", "subresource"]
            .iter()
            .all(|field| self.head[*field] == other.head[*field])
            && (self.head["operation"] == "Apply"
                || self.head["apiVersion"] == other.head["apiVersion"])
    }

    pub(crate) fn manager(&self) -> &str {
        self.head["manager"].as_str().unwrap_or_default()
    }

    pub(crate) fn operation_is(&self, operation: Operation) -> bool {
        self.head["operation"] == operation.name()
    }

    pub(crate) fn api_version(&self) -> &str {
        self.head["apiVersion"].as_str().unwrap_or_default()
    }

    /// Replaces the fields, and the time if they are others than before.
    pub(crate) fn set(&mut self, fields: Fields) {
        if self.fields != fields {
            self.head["time"] = object::now().into();
            self.fields = fields;
        }
    }
}

/// The owners named in an object.
pub(crate) fn owners(object: &Value) -> Vec<Owner> {
    let entries = object["metadata"]["managedFields"].as_array();
    let read = |entry: &Value| {
        let mut head = entry.clone();
        let tree = head.as_object_mut()?.remove("fieldsV1")?;
        let mut fields = Fields::new();
        read_tree(&tree, &mut Vec::new(), &mut fields);
        Some(Owner { head, fields })
    };
    entries.into_iter().flatten().filter_map(read).collect()
}

/// Writes the owners into an object; those that own nothing are left out.
pub(crate) fn write(object: &mut Value, owners: &[Owner]) {
    let entries: Vec<Value> = owners
        .iter()
        .filter(|owner| !owner.fields.is_empty())
        .map(|owner| {
            let mut entry = owner.head.clone();
            entry["fieldsV1"] = tree(&owner.fields);
            entry
        })
        .collect();
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    if entries.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".into(), entries.into());
    }
}

fn read_tree(tree: &Value, path: &mut Path, fields: &mut Fields) {
    let Value::Object(children) = tree else {
        return;
    };
    if children.is_empty() {
        fields.insert(path.clone());
    }
    for (segment, child) in children {
        if segment == "." {
            fields.insert(path.clone());
            continue;
        }
        path.push(segment.clone());
        read_tree(child, path, fields);
        path.pop();
    }
}

fn tree(fields: &Fields) -> Value {
    let mut root = Map::new();
    for path in fields {
        let mut node = &mut root;
        for segment in path {
            let child = node
                .entry(segment)
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(child) = child else {
                return Value::Null;
            };
            node = child;
        }
        node.insert(".".into(), json!({}));
    }
    let mut root = Value::Object(root);
    drop_lone_dots(&mut root);
    root
}

/// A leaf is written `{}`, not `{".": {}}`.
fn drop_lone_dots(node: &mut Value) {
    let Value::Object(children) = node else {
        return;
    };
    if children.len() == 1 && children.contains_key(".") {
        children.clear();
    }
    children.values_mut().for_each(drop_lone_dots);
}

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

/// The value at a path.
pub(crate) fn find<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, segment| {
        let (form, rest) = segment.split_at_checked(2)?;
        if form == "f:" {
            return value.get(rest);
        }
        let at = position(value.as_array()?, form, rest)?;
        value.get(at)
    })
}

/// Takes the value at a path out.
pub(crate) fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut node = object;
    for segment in parents {
        let Some((form, rest)) = segment.split_at_checked(2) else {
            return;
        };
        let child = match node {
            Value::Object(fields) => fields.get_mut(rest),
            Value::Array(items) => position(items, form, rest).and_then(|at| items.get_mut(at)),
            _ => None,
        };
        let Some(child) = child else { return };
        node = child;
    }
    let Some((form, rest)) = last.split_at_checked(2) else {
        return;
    };
    match node {
        Value::Object(fields) => drop(fields.remove(rest)),
        Value::Array(items) => {
            if let Some(at) = position(items, form, rest) {
                items.remove(at);
            }
        }
        _ => {}
    }
}

fn position(items: &[Value], form: &str, rest: &str) -> Option<usize> {
    let wanted: Value = serde_json::from_str(rest).ok()?;
    items.iter().position(|item| match (form, &wanted) {
        ("k:", Value::Object(key)) => key.iter().all(|(name, value)| item[name] == *value),
        _ => *item == wanted,
    })
}

/// Gives what a write changed to its writer.
pub(crate) fn record_update(
    kind: &Kind,
    old: Option<&Value>,
    new: &mut Value,
    writer: Owner,
    part: Part,
) {
    let nothing = Value::Null;
    let old = old.unwrap_or(&nothing);
    let before = fields(kind, part, old);
    let after = fields(kind, part, new);
    let mut owners = owners(old);
    let changed: Fields = after
        .iter()
        .filter(|path| find(old, path) != find(new, path))
        .cloned()
        .collect();
    let gone: Fields = before.difference(&after).cloned().collect();
    if changed.is_empty() && gone.is_empty() {
        write(new, &owners);
        return;
    }
    for owner in &mut owners {
        if !owner.is(&writer) {
            owner.fields.retain(|path| !changed.contains(path));
        }
        owner.fields.retain(|path| !gone.contains(path));
    }
    match owners.iter_mut().find(|owner| owner.is(&writer)) {
        Some(owner) => {
            let all = owner.fields.union(&changed).cloned().collect();
            owner.set(all);
        }
        None => owners.push(Owner {
            fields: changed,
            ..writer
        }),
    }
    write(new, &owners);
}
