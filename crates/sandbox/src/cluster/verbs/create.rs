//! Creation: the object gets what a new object is given, and a namespace its default account.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::document::check_document;
use crate::cluster::author::Author;
use crate::cluster::convert;
use crate::cluster::kind::{Kind, ServedKind};
use crate::cluster::managed::{self, Owner};
use crate::cluster::object::{self, metadata_mut};
use crate::cluster::route::Part;
use crate::cluster::status::{Cause, Status};
use crate::cluster::store::{Key, Store};
use crate::cluster::validate;

/// Who creates an object, which decides what it keeps of its `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// As the API does: a status is written through its subresource only.
    Client,
    /// As a fixture is put in place.
    Seed,
}

/// Stores a new object and gives back its stored form.
pub(crate) fn create(
    store: &mut Store,
    served: ServedKind,
    namespace: &str,
    mut new: Value,
    writer: Writer,
    author: &Author,
) -> Result<Arc<Value>, Status> {
    check_document(served, &new)?;
    name_new(served, namespace, &mut new)?;
    let mut new = convert::to_stored(served, new);
    let kind = convert::stored_kind(served);
    check_namespace(store, kind, namespace)?;
    prepare_new(kind, &mut new, writer)?;
    validate::decode(kind, &mut new)?;
    validate::object(kind, None, &new)?;
    if writer == Writer::Client {
        let owner = Owner::new(&author.manager, author.operation, served, Part::Whole);
        managed::record_update(kind, None, &mut new, owner, Part::Whole);
    }
    let key = Key::of(served, namespace, object::name(&new));
    if store.get(&key).is_some() {
        return Err(Status::already_exists(kind, object::name(&new)));
    }
    let size = validate::size(&new)?;
    if author.dry_run {
        return Ok(Arc::new(new));
    }
    let stored = store.put(key, new, size);
    if kind.kind == "Namespace" {
        add_default_account(store, object::name(&stored))?;
    }
    Ok(stored)
}

fn name_new(served: ServedKind, namespace: &str, new: &mut Value) -> Result<(), Status> {
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
    let key = Key::new("namespaces", "", namespace);
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

fn prepare_new(kind: &Kind, new: &mut Value, writer: Writer) -> Result<(), Status> {
    let metadata = metadata_mut(new)?;
    for field in [
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ] {
        metadata.remove(field);
    }
    if writer == Writer::Client || !metadata.contains_key("uid") {
        metadata.insert("uid".into(), object::new_uid()?.into());
    }
    if writer == Writer::Client || !metadata.contains_key("creationTimestamp") {
        metadata.insert("creationTimestamp".into(), object::now().into());
    }
    if kind.has_generation() {
        metadata.insert("generation".into(), 1.into());
    } else {
        metadata.remove("generation");
    }
    let Value::Object(fields) = new else {
        return Ok(());
    };
    if kind.status && writer == Writer::Client {
        fields.remove("status");
    }
    if kind.kind == "Namespace" {
        fields.insert("spec".into(), json!({"finalizers": ["kubernetes"]}));
        fields.insert("status".into(), json!({"phase": "Active"}));
    }
    Ok(())
}

fn add_default_account(store: &mut Store, namespace: &str) -> Result<(), Status> {
    let Some(served) = ServedKind::by_document("v1", "ServiceAccount") else {
        return Ok(());
    };
    let account = json!({"metadata": {"name": "default"}});
    create(
        store,
        served,
        namespace,
        account,
        Writer::Client,
        &Author::default(),
    )
    .map(drop)
}
