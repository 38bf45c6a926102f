//! Replacement: what a client cannot change is put back, and a write that changes nothing is none.

use std::sync::Arc;

use serde_json::Value;

use super::delete::take_out;
use crate::cluster::author::Author;
use crate::cluster::convert;
use crate::cluster::kind::{Kind, ServedKind};
use crate::cluster::managed::{self, Operation, Owner};
use crate::cluster::object::{self, metadata_mut};
use crate::cluster::route::Part;
use crate::cluster::status::{Cause, Status};
use crate::cluster::store::{Key, Store};
use crate::cluster::validate;

/// Replaces `old` by `new`, both in stored form, as a write to `part` may: what that part does not
/// own stays. A write that changes nothing gives back `old`.
pub(crate) fn replace(
    store: &mut Store,
    served: ServedKind,
    part: Part,
    old: &Arc<Value>,
    mut new: Value,
    author: &Author,
) -> Result<Arc<Value>, Status> {
    let kind = convert::stored_kind(served);
    check_preconditions(kind, old, &new)?;
    if part == Part::Status {
        new = with_status_of(old, &mut new);
    }
    keep_owned(kind, part, old, &mut new)?;
    validate::decode(kind, &mut new)?;
    check_finalizers(kind, old, &new)?;
    validate::object(kind, Some(old), &new)?;
    bump_generation(kind, old, &mut new);
    if author.operation == Operation::Update {
        let writer = Owner::new(&author.manager, Operation::Update, served, part);
        managed::record_update(kind, Some(old), &mut new, writer, part);
    }
    if new == **old {
        return Ok(Arc::clone(old));
    }
    let size = validate::size(&new)?;
    if author.dry_run {
        return Ok(Arc::new(new));
    }
    let key = Key::of(served, object::meta(old, "namespace"), object::name(old));
    let finished = object::is_deleting(&new) && !object::has_finalizers(&new);
    let stored = store.put(key.clone(), new, size);
    if finished && kind.kind != "Namespace" {
        take_out(store, &key);
    }
    Ok(stored)
}

fn check_preconditions(kind: &Kind, old: &Value, new: &Value) -> Result<(), Status> {
    let name = object::name(old);
    let uid = object::meta(new, "uid");
    if !uid.is_empty() && uid != object::meta(old, "uid") {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            object::meta(old, "uid")
        );
        return Err(Status::conflict(kind, name, &why));
    }
    let revision = object::meta(new, "resourceVersion");
    if !revision.is_empty() && revision != object::meta(old, "resourceVersion") {
        return Err(Status::stale(kind, name));
    }
    Ok(())
}

fn with_status_of(old: &Value, new: &mut Value) -> Value {
    let mut kept = old.clone();
    let managed_fields = new["metadata"]["managedFields"].take();
    if let (Value::Object(kept), Value::Object(new)) = (&mut kept, new) {
        match new.remove("status") {
            Some(status) => kept.insert("status".into(), status),
            None => kept.remove("status"),
        };
    }
    kept["metadata"]["managedFields"] = managed_fields;
    kept
}

/// Puts back what a client cannot change.
fn keep_owned(kind: &Kind, part: Part, old: &Value, new: &mut Value) -> Result<(), Status> {
    let metadata = metadata_mut(new)?;
    for field in [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "selfLink",
    ] {
        match old["metadata"].get(field) {
            Some(value) => metadata.insert(field.into(), value.clone()),
            None => metadata.remove(field),
        };
    }
    let Value::Object(fields) = new else {
        return Ok(());
    };
    for field in ["apiVersion", "kind"] {
        fields.insert(field.into(), old[field].clone());
    }
    if kind.status && part == Part::Whole {
        match old.get("status") {
            Some(status) => fields.insert("status".into(), status.clone()),
            None => fields.remove("status"),
        };
    }
    Ok(())
}

fn check_finalizers(kind: &Kind, old: &Value, new: &Value) -> Result<(), Status> {
    if !object::is_deleting(old) {
        return Ok(());
    }
    let list = |object: &Value| {
        let list = object["metadata"]["finalizers"].as_array().cloned();
        list.unwrap_or_default()
    };
    let before = list(old);
    let added: Vec<Value> = list(new)
        .into_iter()
        .filter(|one| !before.contains(one))
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let cause = Cause {
        reason: "FieldValueForbidden",
        field: "metadata.finalizers".into(),
        message: format!(
            "Forbidden: no new finalizers can be added if the object is being deleted, found new \
             finalizers {}",
            Value::Array(added)
        ),
    };
    Err(Status::invalid(kind, object::name(old), &[cause]))
}

fn bump_generation(kind: &Kind, old: &Value, new: &mut Value) {
    if !kind.has_generation() {
        return;
    }
    let rest = |object: &Value| {
        let mut fields = object.as_object().cloned().unwrap_or_default();
        fields.remove("metadata");
        if kind.status {
            fields.remove("status");
        }
        fields
    };
    if rest(old) != rest(new) {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or(1);
        new["metadata"]["generation"] = (generation + 1).into();
    }
}
