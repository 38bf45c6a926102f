//! Deletion: at once, or marked and kept until the last finalizer is gone. A namespace takes its
//! objects with it.

use std::sync::Arc;

use serde_json::Value;

use crate::cluster::author::Author;
use crate::cluster::convert;
use crate::cluster::kind::ServedKind;
use crate::cluster::object;
use crate::cluster::status::Status;
use crate::cluster::store::{Key, Store};

/// What must be true for a deletion to take place (`DeleteOptions.preconditions`).
#[derive(Debug, Clone, Default)]
pub(crate) struct Preconditions {
    pub uid: Option<String>,
    pub resource_version: Option<String>,
}

impl Preconditions {
    /// Reads them from the body of a delete request.
    pub(crate) fn from_options(options: &Value) -> Self {
        let text = |field: &str| options["preconditions"][field].as_str().map(str::to_owned);
        Self {
            uid: text("uid"),
            resource_version: text("resourceVersion"),
        }
    }

    fn check(&self, served: ServedKind, found: &Value) -> Result<(), Status> {
        let each = [
            ("UID", &self.uid, object::meta(found, "uid")),
            (
                "ResourceVersion",
                &self.resource_version,
                object::meta(found, "resourceVersion"),
            ),
        ];
        for (label, wanted, found_text) in each {
            let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != found_text) else {
                continue;
            };
            let why = format!(
                "Precondition failed: {label} in precondition: {wanted}, {label} in object meta: \
                 {found_text}"
            );
            return Err(Status::conflict(served.kind, object::name(found), &why));
        }
        Ok(())
    }
}

/// What became of a deletion.
#[derive(Debug)]
pub(crate) enum Deletion {
    /// The object is gone; this was its last state.
    Done(Arc<Value>),
    /// The object is marked and waits for its finalizers.
    Pending(Arc<Value>),
}

/// Deletes one object.
pub(crate) fn delete(
    store: &mut Store,
    served: ServedKind,
    key: &Key,
    preconditions: &Preconditions,
    author: &Author,
) -> Result<Deletion, Status> {
    let Some(found) = store.get(key) else {
        return Err(Status::not_found(convert::stored_kind(served), &key.name));
    };
    preconditions.check(served, &found)?;
    if author.dry_run {
        return Ok(Deletion::Done(found));
    }
    if served.kind.kind == "Namespace" {
        return Ok(delete_namespace(store, key, &found));
    }
    Ok(mark_or_take_out(store, key, &found))
}

fn mark_or_take_out(store: &mut Store, key: &Key, found: &Arc<Value>) -> Deletion {
    if !object::has_finalizers(found) {
        return Deletion::Done(take_out(store, key).unwrap_or_else(|| Arc::clone(found)));
    }
    if object::is_deleting(found) {
        return Deletion::Pending(Arc::clone(found));
    }
    Deletion::Pending(mark(store, key, found))
}

fn mark(store: &mut Store, key: &Key, found: &Value) -> Arc<Value> {
    let mut marked = found.clone();
    marked["metadata"]["deletionTimestamp"] = object::now().into();
    marked["metadata"]["deletionGracePeriodSeconds"] = 0.into();
    if let Some(generation) = found["metadata"]["generation"].as_u64() {
        marked["metadata"]["generation"] = (generation + 1).into();
    }
    if key.storage == "namespaces" {
        marked["status"]["phase"] = "Terminating".into();
    }
    store.put(key.clone(), marked, 0)
}

fn delete_namespace(store: &mut Store, key: &Key, found: &Arc<Value>) -> Deletion {
    let marked = if object::is_deleting(found) {
        Arc::clone(found)
    } else {
        mark(store, key, found)
    };
    let inside: Vec<(Key, Arc<Value>)> = contents(store, &key.name);
    for (key, object) in inside {
        mark_or_take_out(store, &key, &object);
    }
    if contents(store, &key.name).is_empty() {
        return Deletion::Done(store.remove(key).unwrap_or(marked));
    }
    Deletion::Pending(marked)
}

fn contents(store: &Store, namespace: &str) -> Vec<(Key, Arc<Value>)> {
    let inside = store
        .objects()
        .iter()
        .filter(|(key, _)| key.namespace == namespace);
    inside
        .map(|(key, object)| (key.clone(), Arc::clone(object)))
        .collect()
}

/// Takes an object out, and with it the namespace that waited for it as the last.
pub(super) fn take_out(store: &mut Store, key: &Key) -> Option<Arc<Value>> {
    let last = store.remove(key);
    let namespace = Key::new("namespaces", "", &key.namespace);
    let waits = store
        .get(&namespace)
        .is_some_and(|found| object::is_deleting(&found));
    if waits && contents(store, &key.namespace).is_empty() {
        store.remove(&namespace);
    }
    last
}
