//! Accessors of an object's JSON, and the fields that a new object gets.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cluster::status::Status;
use crate::random::{hex, random};

/// The characters of generated name suffixes: no vowels, so no words.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

pub(crate) fn name(object: &Value) -> &str {
    meta(object, "name")
}

/// A text field of the metadata; empty if absent.
pub(crate) fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

pub(crate) fn has_finalizers(object: &Value) -> bool {
    object["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|list| !list.is_empty())
}

pub(crate) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// The metadata as a map, made if absent.
pub(crate) fn metadata_mut(object: &mut Value) -> Result<&mut Map<String, Value>, Status> {
    let Value::Object(fields) = object else {
        return Err(Status::bad_request("the object is not a JSON object"));
    };
    let metadata = fields
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    metadata
        .as_object_mut()
        .ok_or_else(|| Status::bad_request("metadata is not a JSON object"))
}

/// The time now, as Kubernetes writes it: whole seconds, UTC.
pub(crate) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A random (version 4) UUID.
pub(crate) fn new_uid() -> Result<String, Status> {
    let mut bytes = random::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    Ok([
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-"))
}

/// Five random characters, the end of a generated name.
pub(crate) fn suffix() -> Result<String, Status> {
    let bytes = random::<5>()?;
    let letters = bytes
        .iter()
        .map(|byte| SUFFIX[usize::from(*byte) % SUFFIX.len()]);
    Ok(letters.map(char::from).collect())
}
