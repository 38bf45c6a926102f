//! Lists: which objects, in what order, in chunks of what size. A chunk's token names the revision
//! the list began at, and later chunks show that same state.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use serde_json::{Value, json};

use crate::body::Body;
use crate::cluster::convert;
use crate::cluster::http::call::Call;
use crate::cluster::http::response;
use crate::cluster::kind::ServedKind;
use crate::cluster::page::Page;
use crate::cluster::route::Target;
use crate::cluster::selector::Selector;
use crate::cluster::status::Status;
use crate::cluster::store::{Key, Objects, Store};
use crate::cluster::table::Form;

pub(crate) fn respond(call: &Call<'_>, target: &Target) -> Result<Response<Body>, Status> {
    let selector = Selector::from_query(&call.query, target.served.kind)?;
    let page = {
        let store = call.state.store();
        chunk(&store, call, target, &selector)?
    };
    Ok(response::json(
        200,
        &Form::accepted(call.accept).many(target.served, page),
    ))
}

fn chunk(
    store: &Store,
    call: &Call<'_>,
    target: &Target,
    selector: &Selector,
) -> Result<Page, Status> {
    let token = call.query.get("continue").map(read_token).transpose()?;
    let (revision, found) = if let Some((revision, after)) = &token {
        let objects = store.at(*revision).map_err(|_| continue_expired())?;
        let mut found = select(&objects, target, selector);
        found.retain(|(key, _)| (key.namespace.as_str(), key.name.as_str()) > after.as_pair());
        (*revision, found)
    } else {
        check_revision(store, call)?;
        (store.revision(), select(store.objects(), target, selector))
    };
    let limit = call
        .query
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok());
    let shown = limit
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX)
        .min(found.len());
    let left = found.len() - shown;
    let next = match found.get(shown.wrapping_sub(1)) {
        Some((last, _)) if left > 0 => Some(write_token(revision, last)),
        _ => None,
    };
    let items = found.iter().take(shown);
    let items = items
        .map(|(_, object)| convert::from_stored(target.served, object).into_owned())
        .collect();
    Ok(Page {
        revision,
        remaining: next.is_some().then_some(left),
        next,
        items,
    })
}

/// Refuses a list that must be at least as new as a revision that does not exist yet.
fn check_revision(store: &Store, call: &Call<'_>) -> Result<(), Status> {
    let Some(asked) = call.query.number("resourceVersion") else {
        return Ok(());
    };
    if asked > store.revision() {
        let message = format!(
            "Too large resource version: {asked}, current: {}",
            store.revision()
        );
        return Err(Status::new(504, "Timeout", message));
    }
    Ok(())
}

/// The objects `target` and `selector` name, in list order.
pub(crate) fn select(
    objects: &Objects,
    target: &Target,
    selector: &Selector,
) -> Vec<(Key, Arc<Value>)> {
    let first = Key::new(target.served.kind.storage, &target.namespace, "");
    objects
        .range(first..)
        .take_while(|(key, _)| {
            key.storage == target.served.kind.storage
                && (target.namespace.is_empty() || key.namespace == target.namespace)
        })
        .filter(|(_, object)| matches(target.served, selector, object))
        .map(|(key, object)| (key.clone(), Arc::clone(object)))
        .collect()
}

/// Whether a stored object matches, its fields named as in the version served.
pub(crate) fn matches(served: ServedKind, selector: &Selector, object: &Value) -> bool {
    selector.matches(&convert::from_stored(served, object))
}

/// The last object of a chunk.
struct Position {
    namespace: String,
    name: String,
}

impl Position {
    fn as_pair(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }
}

fn write_token(revision: u64, last: &Key) -> String {
    let token = json!({"rv": revision, "ns": last.namespace, "name": last.name});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str) -> Result<(u64, Position), Status> {
    let bad = || Status::bad_request("continue key is not valid");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|_| bad())?;
    let text = |field: &str| token[field].as_str().map(str::to_owned).ok_or_else(bad);
    let after = Position {
        namespace: text("ns")?,
        name: text("name")?,
    };
    Ok((token["rv"].as_u64().ok_or_else(bad)?, after))
}

fn continue_expired() -> Status {
    Status::new(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You must \
         start a new list without the continue parameter.",
    )
}
