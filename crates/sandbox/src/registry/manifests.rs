//! Manifests: read by tag or digest, checked when they are pushed.
//! Source: OCI distribution specification 1.1, "Pulling manifests", "Pushing Manifests", "Pushing
//! Manifests with Subject", "Deleting Manifests". As Distribution does, a manifest is
//! refused while something it lists is not in the repository; its subject may be missing.

use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderName, Method, StatusCode};
use serde_json::Value;

use super::call::Call;
use super::digest::Digest;
use super::options::Referrers;
use super::response::{DIGEST, Refusal, Response};
use super::route::Reference;
use super::store::{Manifest, Repository, alone};

/// Most bytes of a manifest, the limit the specification asks registries to support.
pub(crate) const LIMIT: usize = 4 << 20;
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

pub(crate) fn respond(
    call: &Call<'_>,
    name: &str,
    reference: &Reference,
) -> Result<Response, Refusal> {
    match *call.method {
        Method::GET | Method::HEAD => get(call, name, reference),
        Method::PUT => put(call, name, reference),
        Method::DELETE => {
            let deleted = call.state.store().delete_manifest(name, reference);
            let response = deleted.then(|| Response::empty(StatusCode::ACCEPTED));
            response.ok_or_else(unknown)
        }
        _ => Err(Refusal::unsupported()),
    }
}

fn unknown() -> Refusal {
    Refusal::unknown("MANIFEST_UNKNOWN", "manifest unknown")
}

fn invalid(message: &str) -> Refusal {
    Refusal::bad("MANIFEST_INVALID", message)
}

fn get(call: &Call<'_>, name: &str, reference: &Reference) -> Result<Response, Refusal> {
    let store = call.state.store();
    let (digest, manifest) = store.manifest(name, reference).ok_or_else(unknown)?;
    if !accepted(call, &manifest.media_type) {
        return Err(Refusal::unknown(
            "MANIFEST_UNKNOWN",
            format!(
                "the manifest is {}, which Accept leaves out",
                manifest.media_type
            ),
        ));
    }
    let response = Response::of(StatusCode::OK, &manifest.media_type, manifest.bytes.clone());
    Ok(response.with(DIGEST, digest.as_str()))
}

/// Whether the client takes a media type. Without `Accept` it takes any.
fn accepted(call: &Call<'_>, media_type: &str) -> bool {
    let lines = call.headers.get_all(ACCEPT);
    let mut ranges = lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(media)
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| matches!(range, "*/*" | "application/*") || range == media_type)
}

/// A media type without its parameters.
fn media(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

fn put(call: &Call<'_>, name: &str, reference: &Reference) -> Result<Response, Refusal> {
    if call.body.len() > LIMIT {
        return Err(super::uploads::too_large(LIMIT));
    }
    let digest = match reference {
        Reference::Digest(digest) if !digest.names(&call.body) => return Err(Refusal::digest()),
        Reference::Digest(digest) => digest.clone(),
        Reference::Tag(_) => Digest::of(&call.body),
    };
    let document: Value =
        serde_json::from_slice(&call.body).map_err(|_| invalid("the manifest is not JSON"))?;
    let media_type = media_type(call, &document)?;
    let mut store = call.state.store();
    let empty = Repository::default();
    let present = store.repositories.get(name).unwrap_or(&empty);
    check(present, &document)?;
    if let Reference::Tag(tag) = reference {
        overwrite(call, present, tag, &digest)?;
    }
    let manifest = Manifest::new(&digest, &media_type, alone(&call.body));
    let repository = store.repository(name);
    if let Reference::Tag(tag) = reference {
        repository.tags.insert(tag.clone(), digest.clone());
    }
    let response = Response::empty(StatusCode::CREATED)
        .with(
            LOCATION,
            format!("{}/v2/{name}/manifests/{digest}", call.origin),
        )
        .with(DIGEST, digest.as_str());
    let response = match &manifest.subject {
        Some(subject) if call.state.options.referrers == Referrers::Served => {
            response.with(SUBJECT, subject.as_str())
        }
        _ => response,
    };
    repository.manifests.insert(digest, manifest);
    Ok(response)
}

fn media_type(call: &Call<'_>, document: &Value) -> Result<String, Refusal> {
    if !document.is_object() {
        return Err(invalid("the manifest is not a JSON object"));
    }
    let sent = media(call.header(&CONTENT_TYPE));
    let own = document["mediaType"].as_str().unwrap_or_default();
    match (sent, own) {
        ("", "") => Err(invalid("the manifest has no media type")),
        ("", only) | (only, "") => Ok(only.to_owned()),
        (sent, own) if sent == own => Ok(own.to_owned()),
        _ => Err(invalid("mediaType and Content-Type of the manifest differ")),
    }
}

fn check(repository: &Repository, document: &Value) -> Result<(), Refusal> {
    let lists = ["layers", "blobs"]
        .into_iter()
        .filter_map(|field| document[field].as_array());
    let foreign = |entry: &&Value| entry["urls"].as_array().is_none_or(Vec::is_empty);
    let layers = lists.flatten().filter(foreign);
    let config = document.get("config").into_iter();
    for entry in config.chain(layers) {
        let digest = digest_of(entry)?;
        let content = repository
            .blobs
            .get(&digest)
            .ok_or_else(|| missing(&digest))?;
        if entry["size"].as_u64() != Some(content.len() as u64) {
            return Err(invalid(
                "a descriptor states another size than its blob has",
            ));
        }
    }
    for entry in document["manifests"].as_array().into_iter().flatten() {
        let digest = digest_of(entry)?;
        if !repository.manifests.contains_key(&digest) {
            return Err(missing(&digest));
        }
    }
    if document
        .get("subject")
        .is_some_and(|subject| !subject.is_null())
    {
        digest_of(&document["subject"])?;
    }
    Ok(())
}

fn digest_of(descriptor: &Value) -> Result<Digest, Refusal> {
    let digest = descriptor["digest"].as_str().and_then(Digest::parse);
    digest.ok_or_else(|| invalid("a descriptor of the manifest has no valid digest"))
}

fn missing(digest: &Digest) -> Refusal {
    Refusal::bad(
        "MANIFEST_BLOB_UNKNOWN",
        format!("{digest} is listed in the manifest and unknown to the repository"),
    )
}

/// Refuses to move a tag where tags stay put. The same content again is no move.
fn overwrite(
    call: &Call<'_>,
    repository: &Repository,
    tag: &str,
    digest: &Digest,
) -> Result<(), Refusal> {
    let Some(status) = call.immutable_tags else {
        return Ok(());
    };
    if repository
        .tags
        .get(tag)
        .is_none_or(|tagged| tagged == digest)
    {
        return Ok(());
    }
    let code = super::response::code_of(status);
    Err(Refusal::new(
        status,
        code,
        format!("the tag {tag} is immutable"),
    ))
}
