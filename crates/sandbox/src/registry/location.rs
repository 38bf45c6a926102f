//! A `Location` that carries the state of an upload, as some registries send it.

use http::HeaderValue;
use http::header::LOCATION;

use crate::random::{hex, random};

use super::response::Response;
use super::state::State;
use super::uploads::STATE;

/// Gives an upload a state to be sent back in the query of its next request.
pub(crate) fn with_query(response: &mut Response, state: &State) {
    let location = response.headers.get(LOCATION);
    let Some(location) = location.and_then(|location| location.to_str().ok()) else {
        return;
    };
    let id = location.rsplit('/').next().unwrap_or_default();
    let mut store = state.store();
    let Some(upload) = store.uploads.get_mut(id) else {
        return;
    };
    let value = random::<8>().map(|bytes| hex(&bytes)).unwrap_or_default();
    upload.state = Some(format!("{value}="));
    if let Ok(location) = HeaderValue::from_str(&format!("{location}?{STATE}={value}%3D")) {
        response.headers.insert(LOCATION, location);
    }
}
