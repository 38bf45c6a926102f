//! Requests about all objects of a kind: list, watch, create, delete many.

use http::{Method, Response};
use serde_json::Value;

use super::call::Call;
use super::response::json;
use super::review;
use crate::body::Body;
use crate::cluster::kind::Origin;
use crate::cluster::list;
use crate::cluster::page::Page;
use crate::cluster::route::Target;
use crate::cluster::selector::Selector;
use crate::cluster::status::Status;
use crate::cluster::table::Form;
use crate::cluster::verbs::{self, Preconditions, Writer};
use crate::cluster::{convert, watch};

pub(super) fn respond(call: &Call<'_>, target: &Target) -> Result<Response<Body>, Status> {
    if target.served.kind.origin == Origin::Review {
        return review::respond(call, target);
    }
    match *call.method {
        Method::GET if call.query.flag("watch") => watch::respond(call, target),
        Method::GET => list::respond(call, target),
        Method::POST => create(call, target),
        Method::DELETE => delete_all(call, target),
        _ => Err(Status::method_not_allowed()),
    }
}

fn create(call: &Call<'_>, target: &Target) -> Result<Response<Body>, Status> {
    if target.served.kind.namespaced && target.namespace.is_empty() {
        return Err(Status::bad_request(
            "an object of this kind is created in a namespace",
        ));
    }
    let new = call.document()?;
    let author = call.author();
    let stored = verbs::create(
        &mut call.state.store(),
        target.served,
        &target.namespace,
        new,
        Writer::Client,
        &author,
    )?;
    let form = Form::accepted(call.accept);
    let shown = convert::from_stored(target.served, &stored);
    Ok(json(201, &form.one(target.served, &shown)))
}

fn delete_all(call: &Call<'_>, target: &Target) -> Result<Response<Body>, Status> {
    let selector = Selector::from_query(&call.query, target.served.kind)?;
    let author = call.author();
    let mut store = call.state.store();
    let found = list::select(store.objects(), target, &selector);
    let mut items = Vec::new();
    for (key, object) in found {
        verbs::delete(
            &mut store,
            target.served,
            &key,
            &Preconditions::default(),
            &author,
        )?;
        items.push(convert::from_stored(target.served, &object).into_owned());
    }
    let revision = store.revision();
    drop(store);
    let page = Page {
        revision,
        next: None,
        remaining: None,
        items,
    };
    let shown: Value = Form::accepted(call.accept).many(target.served, page);
    Ok(json(200, &shown))
}
