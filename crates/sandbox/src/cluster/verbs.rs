//! The verbs that change objects, each one step under the store's lock: create, replace (which
//! patches end in), delete. Rules: the registry strategies of the real API server, and those of
//! custom resources with a status subresource for Tekton's kinds.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::cluster::author::Author;
use crate::cluster::convert;
use crate::cluster::kind::{Kind, Origin, Served};
use crate::cluster::managed::{self, Operation, Owner};
use crate::cluster::object::{self, metadata_mut};
use crate::cluster::route::Part;
use crate::cluster::status::{Cause, Status};
use crate::cluster::store::{Key, Store};
use crate::cluster::validate;

mod delete;

pub(crate) use delete::{Deleted, Preconditions, delete};

/// Whether a creation keeps the `status` it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// As the API does: a status is written through its subresource only.
    ByClient,
    /// As a fixture is put in place.
    BySeed,
}

pub(crate) fn key(served: Served, namespace: &str, name: &str) -> Key {
    Key {
        storage: served.kind.storage,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Stores a new object and gives back its stored form.
pub(crate) fn create(
    store: &mut Store,
    served: Served,
    namespace: &str,
    mut new: Value,
    given: Given,
    author: &Author,
) -> Result<Arc<Value>, Status> {
    check_document(served, &new)?;
    name_new(served, namespace, &mut new)?;
    let mut new = convert::to_stored(served, new);
    let kind = convert::stored_kind(served);
    check_namespace(store, kind, namespace)?;
    prepare_new(kind, &mut new, given)?;
    validate::decode(kind, &mut new)?;
    validate::object(kind, None, &new)?;
    if given == Given::ByClient {
        let writer = Owner::new(&author.manager, author.operation, served, Part::Whole);
        managed::record_update(kind, None, &mut new, writer, Part::Whole);
    }
    let key = key(served, namespace, object::name(&new));
    if store.get(&key).is_some() {
        return Err(Status::already_exists(kind, object::name(&new)));
    }
    let size = check_size(&new)?;
    if author.dry_run {
        return Ok(Arc::new(new));
    }
    let stored = store.put(key, new, size);
    if kind.kind == "Namespace" {
        add_default_account(store, object::name(&stored))?;
    }
    Ok(stored)
}

/// Refuses a document of another kind than the path is about, and one that is no map.
pub(crate) fn check_document(served: Served, new: &Value) -> Result<(), Status> {
    let Value::Object(fields) = new else {
        return Err(Status::bad_request("the body is not a JSON object"));
    };
    let expected = [
        ("apiVersion", served.api_version()),
        ("kind", served.kind.kind.to_owned()),
    ];
    for (field, expected) in expected {
        let found = fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !found.is_empty() && found != expected {
            return Err(Status::bad_request(format!(
                "the {field} in the data ({found}) does not match the expected {field} ({expected})"
            )));
        }
    }
    Ok(())
}

fn name_new(served: Served, namespace: &str, new: &mut Value) -> Result<(), Status> {
    let metadata = metadata_mut(new)?;
    let text = |field: &str| {
        metadata
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if !matches!(text("namespace"), found if found.is_empty() || found == namespace) {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !matches!(text("resourceVersion"), "" | "0") {
        let message = "resourceVersion should not be set on objects to be created";
        return Err(Status::new(500, "", message));
    }
    if text("name").is_empty() {
        let prefix = text("generateName");
        if prefix.is_empty() {
            let cause = Cause {
                reason: "FieldValueRequired",
                field: "metadata.name".into(),
                message: "Required value: name or generateName is required".into(),
            };
            return Err(Status::invalid(served.kind, "", &[cause]));
        }
        let prefix: String = prefix.chars().take(58).collect();
        let name = format!("{prefix}{}", object::suffix()?);
        metadata.insert("name".into(), name.into());
    }
    if served.kind.namespaced {
        metadata.insert("namespace".into(), namespace.into());
    } else {
        metadata.remove("namespace");
    }
    Ok(())
}

fn check_namespace(store: &Store, kind: &Kind, namespace: &str) -> Result<(), Status> {
    if !kind.namespaced {
        return Ok(());
    }
    let key = Key {
        storage: "namespaces",
        namespace: String::new(),
        name: namespace.to_owned(),
    };
    let Some(found) = store.get(&key) else {
        let message = format!("namespaces \"{namespace}\" not found");
        let mut status = Status::new(404, "NotFound", message);
        let details = Map::from_iter([
            ("name".to_owned(), namespace.into()),
            ("kind".to_owned(), "namespaces".into()),
        ]);
        status.details = Some(Box::new(details));
        return Err(status);
    };
    if object::is_deleting(&found) {
        let message = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        return Err(Status::new(403, "Forbidden", message));
    }
    Ok(())
}

fn prepare_new(kind: &Kind, new: &mut Value, given: Given) -> Result<(), Status> {
    let metadata = metadata_mut(new)?;
    for field in [
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ] {
        metadata.remove(field);
    }
    if given == Given::ByClient || !metadata.contains_key("uid") {
        metadata.insert("uid".into(), object::new_uid()?.into());
    }
    if given == Given::ByClient || !metadata.contains_key("creationTimestamp") {
        metadata.insert("creationTimestamp".into(), object::now().into());
    }
    if has_generation(kind) {
        metadata.insert("generation".into(), 1.into());
    } else {
        metadata.remove("generation");
    }
    let Value::Object(fields) = new else {
        return Ok(());
    };
    if kind.status && given == Given::ByClient {
        fields.remove("status");
    }
    if kind.kind == "Namespace" {
        fields.insert("spec".into(), json!({"finalizers": ["kubernetes"]}));
        fields.insert("status".into(), json!({"phase": "Active"}));
    }
    Ok(())
}

fn has_generation(kind: &Kind) -> bool {
    kind.origin == Origin::Custom || kind.kind == "Deployment"
}

fn add_default_account(store: &mut Store, namespace: &str) -> Result<(), Status> {
    let Some(served) = Served::by_document("v1", "ServiceAccount") else {
        return Ok(());
    };
    let account = json!({"metadata": {"name": "default"}});
    create(
        store,
        served,
        namespace,
        account,
        Given::ByClient,
        &Author::default(),
    )
    .map(drop)
}

/// Replaces `old` by `new`, both in stored form, as a write to `part` may: what that part does not
/// own stays. A write that changes nothing gives back `old`.
pub(crate) fn replace(
    store: &mut Store,
    served: Served,
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
    let size = check_size(&new)?;
    if author.dry_run {
        return Ok(Arc::new(new));
    }
    let key = key(served, object::meta(old, "namespace"), object::name(old));
    let finished = object::is_deleting(&new) && !object::has_finalizers(&new);
    let stored = store.put(key.clone(), new, size);
    if finished && kind.kind != "Namespace" {
        delete::take_out(store, &key);
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
    if !has_generation(kind) {
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

/// The object's size as JSON, in bytes.
fn check_size(object: &Value) -> Result<usize, Status> {
    let size = serde_json::to_vec(object).map_or(0, |bytes| bytes.len());
    if size > validate::OBJECT {
        return Err(Status::new(500, "", "etcdserver: request is too large"));
    }
    Ok(size)
}
