//! Referrers: the manifests whose subject is a given one, as an image index.
//! Source: OCI distribution specification 1.1, "Listing Referrers". A registry without this list
//! responds with 404, as one older than 1.1 does, or 400, as some do.

use http::header::LINK;
use http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use super::call::Call;
use super::digest::Digest;
use super::lists;
use super::options::Referrers;
use super::response::{Refusal, Response};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

pub(crate) fn respond(call: &Call<'_>, name: &str, subject: &Digest) -> Result<Response, Refusal> {
    match call.state.options.referrers {
        Referrers::Served => {}
        Referrers::NotFound => {
            return Err(Refusal::unknown(
                "UNSUPPORTED",
                "there is nothing at this path",
            ));
        }
        Referrers::BadRequest => {
            return Err(Refusal::bad("UNSUPPORTED", "the operation is unsupported"));
        }
    }
    lists::only_get(call)?;
    let wanted = call.query.get("artifactType");
    let size = lists::size(call)?;
    let (page, last) = page(call, name, subject, wanted, size);
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": page});
    let body = serde_json::to_vec(&index).unwrap_or_default();
    let mut response = Response::of(StatusCode::OK, INDEX, body);
    if wanted.is_some() {
        response = response.with(FILTERS, "artifactType");
    }
    if let Some(last) = last {
        let filter = wanted.map(|wanted| format!("&artifactType={}", encode(wanted)));
        let filter = filter.unwrap_or_default();
        let next = format!("/v2/{name}/referrers/{subject}?n={size}&last={last}{filter}");
        response = response.with(LINK, format!("<{next}>; rel=\"next\""));
    }
    Ok(response)
}

fn page(
    call: &Call<'_>,
    name: &str,
    subject: &Digest,
    wanted: Option<&str>,
    size: usize,
) -> (Vec<Value>, Option<Digest>) {
    let store = call.state.store();
    let Some(repository) = store.repositories.get(name) else {
        return (Vec::new(), None);
    };
    let last = call.query.get("last");
    let mut found = repository.manifests.iter().filter(|(digest, manifest)| {
        manifest.subject.as_ref() == Some(subject)
            && wanted.is_none_or(|wanted| manifest.descriptor["artifactType"] == wanted)
            && last.is_none_or(|last| digest.as_str() > last)
    });
    let page: Vec<_> = found.by_ref().take(size).collect();
    let last = page.last().map(|(digest, _)| (*digest).clone());
    let more = found.next().is_some();
    let entries = page
        .into_iter()
        .map(|(_, manifest)| manifest.descriptor.clone());
    (entries.collect(), last.filter(|_| more))
}

/// Percent-encodes what may not stand in a query as it is.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let mut encoded = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::random::hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}
