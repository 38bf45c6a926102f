//! The forms of `Location` that registries answer, all of which the specification allows.

use http::HeaderValue;
use http::header::LOCATION;

use crate::random::{hex, random};

use super::answer::Answer;
use super::state::State;
use super::uploads::STATE;

/// The path and query of an absolute address.
fn path(location: &str) -> &str {
    let after = location
        .split_once("://")
        .map_or(location, |(_, rest)| rest);
    after.find('/').map_or(after, |slash| &after[slash..])
}

fn rewrite(answer: &mut Answer, change: impl FnOnce(&str) -> String) {
    let Some(location) = answer.headers.get(LOCATION) else {
        return;
    };
    let changed = change(location.to_str().unwrap_or_default());
    if let Ok(value) = HeaderValue::from_str(&changed) {
        answer.headers.insert(LOCATION, value);
    }
}

pub(crate) fn relative(answer: &mut Answer) {
    rewrite(answer, |location| path(location).to_owned());
}

pub(crate) fn at(answer: &mut Answer, base: &str) {
    rewrite(answer, |location| format!("{base}{}", path(location)));
}

/// Gives an upload a state to be sent back in the query of its next request.
pub(crate) fn with_query(answer: &mut Answer, state: &State) {
    rewrite(answer, |location| {
        let id = location.rsplit('/').next().unwrap_or_default();
        let mut store = state.store();
        let Some(upload) = store.uploads.get_mut(id) else {
            return location.to_owned();
        };
        let value = random::<8>().map(|bytes| hex(&bytes)).unwrap_or_default();
        let location = format!("{location}?{STATE}={value}%3D");
        upload.state = Some(format!("{value}="));
        location
    });
}
