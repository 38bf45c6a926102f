//! What both versions of provenance are made of.

use crate::artifact::ResolvedArtifact;
use crate::json::Json;
use crate::run::{Map, ParamValue, Provenance, RefSource};

/// Where a definition was read from.
pub(super) fn ref_source<'p, 'a>(
    provenance: Option<&'p Provenance<'a>>,
) -> Option<&'p RefSource<'a>> {
    provenance.and_then(|provenance| provenance.ref_source.as_ref())
}

/// The source of a definition with all its digests.
pub(super) fn material(source: &RefSource<'_>) -> ResolvedArtifact {
    let digests = source.digest.iter();
    ResolvedArtifact {
        name: source.uri.to_string(),
        digest: digests
            .map(|(algorithm, hex)| (algorithm.to_string(), hex.to_string()))
            .collect(),
    }
}

/// A map of texts as an object.
pub(super) fn text_map<'r>(map: &'r Map<'_>) -> Json<'r> {
    Json::text_object(map.iter().map(|(key, value)| (&**key, &**value)))
}

/// The value of a param or a result by its kind; nothing if there is none.
pub(super) fn param_value<'r>(value: &'r ParamValue<'_>) -> Option<Json<'r>> {
    Some(match value {
        ParamValue::Missing => return None,
        ParamValue::String(text) => Json::from(&**text),
        ParamValue::Array(items) => Json::strings(items.iter().map(|item| &**item)),
        ParamValue::Object(members) => {
            Json::text_object(members.iter().map(|(key, value)| (&**key, &**value)))
        }
    })
}
