//! Lists, a page at a time: the tags of a repository and the repositories themselves.
//! Source: OCI distribution specification 1.1, "Listing Tags"; the catalog is an extension that
//! Distribution serves.

use http::header::LINK;
use http::{Method, StatusCode};
use serde_json::json;

use super::auth::grant::Action;
use super::call::Call;
use super::response::{Refusal, Response};

/// `GET /v2/NAME/tags/list`
pub(crate) fn tags(call: &Call<'_>, name: &str) -> Result<Response, Refusal> {
    only_get(call)?;
    let unknown = || Refusal::unknown("NAME_UNKNOWN", "repository name not known to registry");
    let mut tags: Vec<String> = {
        let store = call.state.store();
        let repository = store.repositories.get(name).ok_or_else(unknown)?;
        repository.tags.keys().cloned().collect()
    };
    // The specification's order: without regard to case.
    tags.sort_by_cached_key(|tag| order(tag));
    let (page, last) = page(call, tags)?;
    let response = Response::json(StatusCode::OK, &json!({"name": name, "tags": page}));
    Ok(with_next_link(
        response,
        call,
        &format!("/v2/{name}/tags/list"),
        last,
    ))
}

/// `GET /v2/_catalog`: the repositories the credential may pull from.
pub(crate) fn catalog(call: &Call<'_>) -> Result<Response, Refusal> {
    only_get(call)?;
    let names: Vec<String> = {
        let store = call.state.store();
        let names = store.repositories.keys();
        names
            .filter(|name| call.actor.sees(Action::Pull, name))
            .cloned()
            .collect()
    };
    let (page, last) = page(call, names)?;
    let response = Response::json(StatusCode::OK, &json!({"repositories": page}));
    Ok(with_next_link(response, call, "/v2/_catalog", last))
}

pub(crate) fn only_get(call: &Call<'_>) -> Result<(), Refusal> {
    let fine = matches!(*call.method, Method::GET | Method::HEAD);
    fine.then_some(()).ok_or_else(Refusal::unsupported)
}

fn order(text: &str) -> (String, String) {
    (text.to_ascii_lowercase(), text.to_owned())
}

/// How many entries a response may contain: what is asked for, and no more than the registry gives.
pub(crate) fn size(call: &Call<'_>) -> Result<usize, Refusal> {
    let most = call.state.options.page.unwrap_or(usize::MAX);
    let Some(asked) = call.query.get("n") else {
        return Ok(most);
    };
    let asked: usize = asked.parse().map_err(|_| {
        Refusal::bad(
            "PAGINATION_NUMBER_INVALID",
            "invalid number of results requested",
        )
    })?;
    Ok(asked.min(most))
}

/// The entries after `last`, and the last of them if more follow.
fn page(call: &Call<'_>, all: Vec<String>) -> Result<(Vec<String>, Option<String>), Refusal> {
    let size = size(call)?;
    let after = call.query.get("last").map(order);
    let mut rest: Vec<String> = all
        .into_iter()
        .filter(|entry| after.as_ref().is_none_or(|after| order(entry) > *after))
        .collect();
    let more = rest.len() > size;
    rest.truncate(size);
    let last = rest.last().filter(|_| more).cloned();
    Ok((rest, last))
}

fn with_next_link(
    response: Response,
    call: &Call<'_>,
    path: &str,
    last: Option<String>,
) -> Response {
    let Some(last) = last else { return response };
    let size = size(call).unwrap_or_default();
    let last = last.replace('/', "%2F");
    response.with(LINK, format!("<{path}?n={size}&last={last}>; rel=\"next\""))
}
