//! Validations of the real API server that clients of this cluster can meet. Limits: names RFC
//! 1123, annotations 256 KiB in total, secrets and config maps 1 MiB of values
//! (`k8s.io/apimachinery` and `k8s.io/kubernetes` validation), objects 1.5 MiB (etcd's default).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::cluster::kind::{Kind, Origin};
use crate::cluster::object;
use crate::cluster::status::{Cause, Status};

/// Most bytes of annotation names and values together.
pub(crate) const ANNOTATIONS: usize = 256 << 10;
/// Most bytes of values in a secret or config map.
const CONTENT: usize = 1 << 20;
/// Most bytes of one stored object.
const OBJECT: usize = 3 << 19;

const NAME_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Checks an object that is about to be stored; `old` is what it replaces.
pub(crate) fn object(kind: &Kind, old: Option<&Value>, new: &Value) -> Result<(), Status> {
    let mut causes = Vec::new();
    metadata(kind, &new["metadata"], &mut causes);
    match kind.kind {
        "Secret" => {
            let type_changed = old.is_some_and(|old| old["type"] != new["type"]);
            if type_changed {
                causes.push(immutable("type", "field is immutable"));
            }
            contents(old, new, &["data"], &mut causes);
        }
        "ConfigMap" => contents(old, new, &["data", "binaryData"], &mut causes),
        _ => {}
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(kind, object::name(new), &causes))
}

fn metadata(kind: &Kind, metadata: &Value, causes: &mut Vec<Cause>) {
    let name = metadata["name"].as_str().unwrap_or_default();
    let longest = if kind.kind == "Namespace" { 63 } else { 253 };
    if !is_name(name) || name.len() > longest {
        let shown = Value::from(name);
        causes.push(invalid(
            "metadata.name",
            format!("Invalid value: {shown}: {NAME_RULE}"),
        ));
    }
    let annotations = metadata["annotations"].as_object();
    let size: usize = annotations
        .into_iter()
        .flatten()
        .map(|(k, v)| k.len() + text_len(v))
        .sum();
    if size > ANNOTATIONS {
        let message = format!("Too long: may not be more than {ANNOTATIONS} bytes");
        causes.push(Cause {
            reason: "FieldValueTooLong",
            field: "metadata.annotations".into(),
            message,
        });
    }
    labels_and_annotations(metadata, causes);
}

fn labels_and_annotations(metadata: &Value, causes: &mut Vec<Cause>) {
    for field in ["annotations", "labels"] {
        for (key, value) in metadata[field].as_object().into_iter().flatten() {
            let path = format!("metadata.{field}");
            if !is_qualified_name(key) {
                let shown = Value::from(key.as_str());
                let message = format!(
                    "Invalid value: {shown}: name part must consist of alphanumeric characters, \
                     '-', '_' or '.', and must start and end with an alphanumeric character"
                );
                causes.push(invalid(&path, message));
            }
            let text = value.as_str().unwrap_or_default();
            if field == "labels" && !is_label_value(text) {
                let message = format!(
                    "Invalid value: {value}: a valid label must be an empty string or at most 63 \
                     alphanumeric characters, '-', '_' or '.', and must start and end with an \
                     alphanumeric character"
                );
                causes.push(invalid(&path, message));
            }
        }
    }
}

fn contents(old: Option<&Value>, new: &Value, fields: &[&str], causes: &mut Vec<Cause>) {
    let mut total = 0;
    for field in fields {
        for (key, value) in new[*field].as_object().into_iter().flatten() {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if key.is_empty() || key.len() > 253 || !key.chars().all(allowed) {
                let shown = Value::from(key.as_str());
                let message = format!(
                    "Invalid value: {shown}: a valid config key must consist of alphanumeric \
                     characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', \
                     regex used for validation is '[-._a-zA-Z0-9]+')"
                );
                causes.push(invalid(&format!("{field}[{key}]"), message));
            }
            total += text_len(value);
        }
    }
    if total > CONTENT * 4 / 3 || fields.len() > 1 && total > CONTENT {
        let message = format!("Too long: may not be more than {CONTENT} bytes");
        causes.push(Cause {
            reason: "FieldValueTooLong",
            field: "data".into(),
            message,
        });
    }
    let Some(old) = old.filter(|old| old["immutable"] == true) else {
        return;
    };
    if new["immutable"] != true {
        causes.push(immutable(
            "immutable",
            "field is immutable when `immutable` is set",
        ));
    }
    for field in fields {
        if old[*field] != new[*field] {
            causes.push(immutable(
                field,
                "field is immutable when `immutable` is set",
            ));
        }
    }
}

fn invalid(field: &str, message: String) -> Cause {
    Cause {
        reason: "FieldValueInvalid",
        field: field.to_owned(),
        message,
    }
}

fn immutable(field: &str, why: &str) -> Cause {
    let message = format!("Forbidden: {why}");
    Cause {
        reason: "FieldValueForbidden",
        field: field.to_owned(),
        message,
    }
}

fn text_len(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.split('.').all(part)
}

pub(crate) fn is_qualified_name(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, _)) if !is_name(prefix) || prefix.len() > 253 => return false,
        Some((_, name)) => name,
        None => key,
    };
    !name.is_empty() && is_label_value(name)
}

pub(crate) fn is_label_value(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && ends(text.chars().next())
        && ends(text.chars().next_back())
}

/// Checks what a typed decoder would refuse, and folds a secret's `stringData` into its `data`.
/// Empty maps and nulls go, as they do when the real server decodes into its own types.
pub(crate) fn decode(kind: &Kind, new: &mut Value) -> Result<(), Status> {
    let metadata = object::metadata_mut(new)?;
    for field in ["annotations", "labels"] {
        text_map(kind, metadata, field, &format!("metadata.{field}"))?;
    }
    metadata.retain(|_, value| !is_empty(value));
    if kind.origin != Origin::BuiltIn {
        return Ok(());
    }
    let Value::Object(fields) = new else {
        return Ok(());
    };
    match kind.kind {
        "Secret" => {
            fold_string_data(kind, fields)?;
            check_base64(fields)?;
            fields.entry("type").or_insert_with(|| "Opaque".into());
        }
        "ConfigMap" => text_map(kind, fields, "data", "data")?,
        _ => {}
    }
    for field in ["data", "binaryData"] {
        if fields.get(field).is_some_and(is_empty) {
            fields.remove(field);
        }
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn text_map(
    kind: &Kind,
    fields: &Map<String, Value>,
    field: &str,
    path: &str,
) -> Result<(), Status> {
    let wrong = match fields.get(field) {
        None | Some(Value::Null) => None,
        Some(Value::Object(map)) => map.values().find(|value| !value.is_string()),
        Some(other) => Some(other),
    };
    let Some(wrong) = wrong else { return Ok(()) };
    let found = match wrong {
        Value::Null => return Ok(()),
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Err(Status::bad_request(format!(
        "{} in version \"v1\" cannot be handled as a {}: json: cannot unmarshal {found} into Go \
         struct field {}.{path} of type string",
        kind.kind, kind.kind, kind.kind
    )))
}

fn fold_string_data(kind: &Kind, fields: &mut Map<String, Value>) -> Result<(), Status> {
    text_map(kind, fields, "stringData", "stringData")?;
    text_map(kind, fields, "data", "data")?;
    let Some(Value::Object(texts)) = fields.remove("stringData") else {
        return Ok(());
    };
    if texts.is_empty() {
        return Ok(());
    }
    let data = fields
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    for (key, value) in texts {
        let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
        data[key] = encoded.into();
    }
    Ok(())
}

fn check_base64(fields: &mut Map<String, Value>) -> Result<(), Status> {
    let Some(Value::Object(data)) = fields.get_mut("data") else {
        return Ok(());
    };
    for value in data.values_mut() {
        if value.is_null() {
            *value = "".into();
        }
        let text = value.as_str().unwrap_or_default();
        if let Err(error) = STANDARD.decode(text) {
            return Err(Status::bad_request(format!(
                "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data: \
                 {error}"
            )));
        }
    }
    Ok(())
}

/// The object's size as JSON, in bytes.
pub(crate) fn size(object: &Value) -> Result<usize, Status> {
    let size = serde_json::to_vec(object).map_or(0, |bytes| bytes.len());
    if size > OBJECT {
        return Err(Status::new(500, "", "etcdserver: request is too large"));
    }
    Ok(size)
}
