//! Uploads of blobs: at once, in chunks, or mounted from another repository. Source: OCI
//! distribution specification 1.1, "Pushing blobs".

use http::header::{LOCATION, RANGE};
use http::{HeaderName, Method, StatusCode};

use crate::random::{hex, random};

use super::auth::grant::Action;
use super::call::Call;
use super::digest::Digest;
use super::response::{DIGEST, Refusal, Response};
use super::store::{Store, Upload, alone};

const UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const CONTENT_RANGE: HeaderName = http::header::CONTENT_RANGE;
/// The parameter of a `Location` that carries a state to be sent back.
pub(crate) const STATE: &str = "_state";

/// `POST /v2/NAME/blobs/uploads/`: the whole blob, a mount, or a new upload.
pub(crate) fn start(call: &Call<'_>, name: &str) -> Result<Response, Refusal> {
    if *call.method != Method::POST {
        return Err(Refusal::unsupported());
    }
    if let Some(mounted) = mount(call, name) {
        return Ok(mounted);
    }
    if let Some(digest) = call.query.get("digest") {
        let digest = checked(digest, &call.body)?;
        let blobs = &mut call.state.store();
        blobs
            .repository(name)
            .blobs
            .insert(digest.clone(), alone(&call.body));
        return Ok(created(call, name, &digest));
    }
    let id = hex(&random::<16>()?);
    let upload = Upload {
        repository: name.to_owned(),
        received: call.body.to_vec(),
        state: None,
    };
    let response = progress(call, StatusCode::ACCEPTED, name, &id, upload.received.len());
    call.state.store().uploads.insert(id, upload);
    Ok(response)
}

/// Takes a blob over from a repository the same credential may pull from; none if it cannot.
fn mount(call: &Call<'_>, name: &str) -> Option<Response> {
    let digest = Digest::parse(call.query.get("mount")?)?;
    let from = call.query.get("from")?;
    if !call.actor.may(Action::Pull, from) {
        return None;
    }
    let mut store = call.state.store();
    let content = store.blob(from, &digest)?.clone();
    store.repository(name).blobs.insert(digest.clone(), content);
    Some(created(call, name, &digest))
}

/// A request on an upload under way.
pub(crate) fn resume(call: &Call<'_>, name: &str, id: &str) -> Result<Response, Refusal> {
    let mut store = call.state.store();
    let upload = found(&mut store, call, name, id)?;
    match *call.method {
        Method::GET => {
            let length = upload.received.len();
            Ok(progress(call, StatusCode::NO_CONTENT, name, id, length))
        }
        Method::PATCH => {
            append(call, upload)?;
            let length = upload.received.len();
            Ok(progress(call, StatusCode::ACCEPTED, name, id, length))
        }
        Method::PUT => {
            append(call, upload)?;
            finish(call, &mut store, name, id)
        }
        Method::DELETE => {
            store.uploads.remove(id);
            Ok(Response::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::unsupported()),
    }
}

fn found<'a>(
    store: &'a mut Store,
    call: &Call<'_>,
    name: &str,
    id: &str,
) -> Result<&'a mut Upload, Refusal> {
    let upload = store.uploads.get_mut(id);
    let upload = upload.filter(|upload| upload.repository == name);
    let unknown = || Refusal::unknown("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    let upload = upload.ok_or_else(unknown)?;
    if upload
        .state
        .as_deref()
        .is_some_and(|state| call.query.get(STATE) != Some(state))
    {
        return Err(Refusal::bad(
            "BLOB_UPLOAD_INVALID",
            "the query of the last Location is missing or old",
        ));
    }
    Ok(upload)
}

/// Adds the body. A chunk that says where it belongs has to follow on what there is.
fn append(call: &Call<'_>, upload: &mut Upload) -> Result<(), Refusal> {
    let place = call.header(&CONTENT_RANGE);
    let place = place.strip_prefix("bytes ").unwrap_or(place);
    let limit = call.state.options.blob_limit;
    let (start, length) = (upload.received.len(), call.body.len());
    if !place.is_empty() && !follows(place, start, length) {
        return Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "BLOB_UPLOAD_INVALID",
            "the chunk does not follow on the last one",
        )
        .with(RANGE, received(start)));
    }
    if start + length > limit {
        return Err(too_large(limit));
    }
    upload.received.extend_from_slice(&call.body);
    Ok(())
}

fn follows(place: &str, start: usize, length: usize) -> bool {
    let Some((first, last)) = place.split_once('-') else {
        return false;
    };
    let last = last.split('/').next().unwrap_or(last);
    first.parse() == Ok(start)
        && last
            .parse::<usize>()
            .is_ok_and(|last| last + 1 == start + length)
}

pub(crate) fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "SIZE_INVALID",
        format!("the content is larger than {limit} bytes"),
    )
}

fn finish(call: &Call<'_>, store: &mut Store, name: &str, id: &str) -> Result<Response, Refusal> {
    let Some(upload) = store.uploads.remove(id) else {
        return Err(Refusal::unsupported());
    };
    let digest = checked(
        call.query.get("digest").unwrap_or_default(),
        &upload.received,
    )?;
    let content = upload.received.into();
    store.repository(name).blobs.insert(digest.clone(), content);
    Ok(created(call, name, &digest))
}

fn checked(digest: &str, content: &[u8]) -> Result<Digest, Refusal> {
    let digest = Digest::parse(digest).filter(|digest| digest.names(content));
    digest.ok_or_else(Refusal::digest)
}

fn created(call: &Call<'_>, name: &str, digest: &Digest) -> Response {
    Response::empty(StatusCode::CREATED)
        .with(
            LOCATION,
            format!("{}/v2/{name}/blobs/{digest}", call.origin),
        )
        .with(DIGEST, digest.as_str())
}

fn progress(call: &Call<'_>, status: StatusCode, name: &str, id: &str, length: usize) -> Response {
    Response::empty(status)
        .with(
            LOCATION,
            format!("{}/v2/{name}/blobs/uploads/{id}", call.origin),
        )
        .with(RANGE, received(length))
        .with(UUID, id)
}

/// What has arrived, as the header `Range` states it: without a unit, the last byte included.
fn received(length: usize) -> String {
    format!("0-{}", length.saturating_sub(1))
}
