//! Requests about one object: get, replace, patch, delete.

use std::sync::Arc;

use http::{Method, Response};
use serde_json::Value;

use super::call::Call;
use super::response::json;
use crate::body::Body;
use crate::cluster::author::Author;
use crate::cluster::convert;
use crate::cluster::kind::Origin;
use crate::cluster::object::{self, metadata_mut};
use crate::cluster::patch::{self, Patch};
use crate::cluster::route::{Part, Target};
use crate::cluster::status::{self, Cause, Status};
use crate::cluster::store::{Key, Store};
use crate::cluster::table::Form;
use crate::cluster::verbs::{self, Deletion, Preconditions, Writer};

pub(super) fn respond(
    call: &Call<'_>,
    target: &Target,
    name: &str,
) -> Result<Response<Body>, Status> {
    if target.served.kind.origin == Origin::Review {
        return Err(Status::method_not_allowed());
    }
    match *call.method {
        Method::GET => get(call, target, name),
        Method::PUT => update(call, target, name),
        Method::PATCH => patch(call, target, name),
        Method::DELETE if target.part == Part::Whole => delete(call, target, name),
        _ => Err(Status::method_not_allowed()),
    }
}

fn find(store: &Store, target: &Target, name: &str) -> Result<(Key, Arc<Value>), Status> {
    let key = Key::of(target.served, &target.namespace, name);
    let found = store
        .get(&key)
        .ok_or_else(|| Status::not_found(target.served.kind, name))?;
    Ok((key, found))
}

fn show(call: &Call<'_>, target: &Target, code: u16, stored: &Value) -> Response<Body> {
    let shown = convert::from_stored(target.served, stored);
    json(
        code,
        &Form::accepted(call.accept).one(target.served, &shown),
    )
}

fn get(call: &Call<'_>, target: &Target, name: &str) -> Result<Response<Body>, Status> {
    let (_, found) = find(&call.state.store(), target, name)?;
    Ok(show(call, target, 200, &found))
}

fn update(call: &Call<'_>, target: &Target, name: &str) -> Result<Response<Body>, Status> {
    let mut new = call.document()?;
    verbs::check_document(target.served, &new)?;
    let metadata = metadata_mut(&mut new)?;
    check_name(metadata.get("name").and_then(Value::as_str), name)?;
    let conditional = metadata.contains_key("resourceVersion");
    let mut store = call.state.store();
    let (_, found) = find(&store, target, name)?;
    let needs_revision = target.served.kind.origin == Origin::Custom;
    if needs_revision && !conditional {
        let cause = Cause {
            reason: "FieldValueInvalid",
            field: "metadata.resourceVersion".into(),
            message: "Invalid value: 0x0: must be specified for an update".into(),
        };
        return Err(Status::invalid(target.served.kind, name, &[cause]));
    }
    let new = convert::to_stored(target.served, new);
    let stored = verbs::replace(
        &mut store,
        target.served,
        target.part,
        &found,
        new,
        &call.author(),
    )?;
    drop(store);
    Ok(show(call, target, 200, &stored))
}

fn check_name(found: Option<&str>, name: &str) -> Result<(), Status> {
    match found {
        None | Some("") => Ok(()),
        Some(found) if found == name => Ok(()),
        Some(found) => Err(Status::bad_request(format!(
            "the name of the object ({found}) does not match the name on the URL ({name})"
        ))),
    }
}

fn patch(call: &Call<'_>, target: &Target, name: &str) -> Result<Response<Body>, Status> {
    let patch = Patch::read(call, target.served.kind)?;
    let author = Author {
        operation: patch.operation(),
        ..call.author()
    };
    let mut store = call.state.store();
    let found = find(&store, target, name);
    if let (Err(status), Patch::Apply { config, .. }) = (&found, &patch)
        && status.code == 404
        && target.part == Part::Whole
    {
        let new = patch::first_apply(config, name)?;
        // an uid names an object that was there
        let uid = object::meta(&new, "uid");
        if !uid.is_empty() {
            let why = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was \
                 found"
            );
            return Err(Status::conflict(target.served.kind, name, &why));
        }
        let (served, namespace) = (target.served, &target.namespace);
        let stored = verbs::create(&mut store, served, namespace, new, Writer::Client, &author)?;
        drop(store);
        return Ok(show(call, target, 201, &stored));
    }
    let (_, found) = found?;
    let live = convert::from_stored(target.served, &found).into_owned();
    let new = patch.apply_to(target.served, target.part, live)?;
    verbs::check_document(target.served, &new)?;
    check_name(Some(object::name(&new)), name)?;
    let new = convert::to_stored(target.served, new);
    let stored = verbs::replace(&mut store, target.served, target.part, &found, new, &author)?;
    drop(store);
    Ok(show(call, target, 200, &stored))
}

fn delete(call: &Call<'_>, target: &Target, name: &str) -> Result<Response<Body>, Status> {
    let options = if call.body.is_empty() {
        Value::Null
    } else {
        call.document()?
    };
    let preconditions = Preconditions::from_options(&options);
    let mut author = call.author();
    author.dry_run |= options["dryRun"]
        .as_array()
        .is_some_and(|list| !list.is_empty());
    let mut store = call.state.store();
    let (key, _) = find(&store, target, name)?;
    let deleted = verbs::delete(&mut store, target.served, &key, &preconditions, &author)?;
    drop(store);
    match deleted {
        Deletion::Done(last) => {
            let uid = object::meta(&last, "uid");
            Ok(json(200, &status::success(target.served.kind, name, uid)))
        }
        Deletion::Pending(marked) => Ok(show(call, target, 200, &marked)),
    }
}
