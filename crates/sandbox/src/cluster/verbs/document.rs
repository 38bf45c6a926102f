//! The document a client sends.

use serde_json::Value;

use crate::cluster::kind::ServedKind;
use crate::cluster::status::Status;

/// Refuses a document of another kind than the path is about, and one that is no map.
pub(crate) fn check_document(served: ServedKind, new: &Value) -> Result<(), Status> {
    let Value::Object(fields) = new else {
        return Err(Status::bad_request("the body is not a JSON object"));
    };
    let expected = [
        ("apiVersion", served.api_version()),
        ("kind", served.kind.kind.to_owned()),
    ];
    for (field, expected) in expected {
        let found = fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !found.is_empty() && found != expected {
            return Err(Status::bad_request(format!(
                "the {field} in the data ({found}) does not match the expected {field} ({expected})"
            )));
        }
    }
    Ok(())
}
