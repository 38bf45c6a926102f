//! One entry of `metadata.managedFields`: a manager and the fields it owns.

use serde_json::{Value, json};

use super::path::Fields;
use super::tree;
use crate::cluster::kind::ServedKind;
use crate::cluster::object;
use crate::cluster::route::Part;

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
    pub(crate) fn new(manager: &str, operation: Operation, served: ServedKind, part: Part) -> Self {
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
        let fields = tree::read(&tree);
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
            entry["fieldsV1"] = tree::write(&owner.fields);
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
