//! Bodies in Kubernetes' protobuf form, which the typed clients of `kubectl` send for built-in
//! kinds whatever the server prefers. Read into JSON by a table of field numbers (the
//! `generated.proto` files of `k8s.io/api` and `k8s.io/apimachinery`); responses are always JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cluster::status::Status;

mod schema;

use schema::{Field, Message, Shape};

/// First bytes of every such body.
const MAGIC: &[u8] = b"k8s\0";
/// Deepest nesting that is read.
const DEPTH: usize = 16;

pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// Reads a body: an envelope with `apiVersion`, `kind` and the message itself.
pub(super) fn read(body: &[u8]) -> Result<Value, Status> {
    let envelope = body.strip_prefix(MAGIC).ok_or_else(malformed)?;
    let mut envelope = message(schema::ENVELOPE, envelope, DEPTH).ok_or_else(malformed)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = text(&envelope["typeMeta"]["kind"]);
    let api_version = text(&envelope["typeMeta"]["apiVersion"]);
    let Some(fields) = schema::of(&kind) else {
        return Err(Status::unsupported_media(&format!(
            "application/json, application/yaml (this cluster reads no protobuf of kind {kind})"
        )));
    };
    let raw = STANDARD
        .decode(text(&envelope["raw"].take()))
        .map_err(|_| malformed())?;
    let mut object = message(fields, &raw, DEPTH).ok_or_else(malformed)?;
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    Ok(object)
}

fn malformed() -> Status {
    Status::bad_request("the body is not a valid Kubernetes protobuf message")
}

/// One field as it is on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn message(fields: Message, mut rest: &[u8], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut object = Map::new();
    while !rest.is_empty() {
        let (number, wire) = next(&mut rest)?;
        let Some(field) = fields
            .iter()
            .find(|field| u64::from(field.number) == number)
        else {
            continue;
        };
        put(&mut object, field, &wire, depth)?;
    }
    Some(Value::Object(object))
}

fn next<'a>(rest: &mut &'a [u8]) -> Option<(u64, Wire<'a>)> {
    let tag = varint(rest)?;
    let wire = match tag & 7 {
        0 => Wire::Number(varint(rest)?),
        1 => Wire::Bytes(take(rest, 8)?),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Wire::Bytes(take(rest, length)?)
        }
        5 => Wire::Bytes(take(rest, 4)?),
        _ => return None,
    };
    Some((tag >> 3, wire))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn put(
    object: &mut Map<String, Value>,
    field: &Field,
    wire: &Wire<'_>,
    depth: usize,
) -> Option<()> {
    match field.shape {
        Shape::Texts | Shape::Messages(_) => {
            let list = object
                .entry(field.name)
                .or_insert_with(|| Value::Array(Vec::new()));
            let one = match field.shape {
                Shape::Messages(fields) => message(fields, bytes(wire)?, depth)?,
                _ => text(wire)?,
            };
            list.as_array_mut()?.push(one);
        }
        Shape::TextMap | Shape::BytesMap => {
            let entries = match field.shape {
                Shape::TextMap => schema::TEXT_ENTRY,
                _ => schema::BYTES_ENTRY,
            };
            let entry = message(entries, bytes(wire)?, depth)?;
            let map = object
                .entry(field.name)
                .or_insert_with(|| Value::Object(Map::new()));
            let key = entry["key"].as_str().unwrap_or_default().to_owned();
            let value = entry.get("value").cloned().unwrap_or_else(|| "".into());
            map.as_object_mut()?.insert(key, value);
        }
        _ => {
            let value = scalar(field, wire, depth)?;
            if !value.is_null() {
                object.insert(field.name.to_owned(), value);
            }
        }
    }
    Some(())
}

/// A single value; null stands for one that JSON leaves out.
fn scalar(field: &Field, wire: &Wire<'_>, depth: usize) -> Option<Value> {
    let value = match (field.shape, wire) {
        (Shape::Text, _) => text(wire).map(|text| if text == "" { Value::Null } else { text })?,
        (Shape::Bytes, _) => STANDARD.encode(bytes(wire)?).into(),
        (Shape::Number, Wire::Number(number)) => number.cast_signed().into(),
        (Shape::Flag, Wire::Number(number)) => (*number != 0).into(),
        (Shape::Message(fields), _) => message(fields, bytes(wire)?, depth)?,
        (Shape::Time, _) => time(bytes(wire)?, depth, "%Y-%m-%dT%H:%M:%SZ")?,
        (Shape::MicroTime, _) => time(bytes(wire)?, depth, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
        _ => return None,
    };
    Some(value)
}

fn time(bytes: &[u8], depth: usize, form: &str) -> Option<Value> {
    let time = message(schema::TIME, bytes, depth)?;
    let Some(seconds) = time["seconds"].as_i64() else {
        return Some(Value::Null);
    };
    let nanos = i32::try_from(time["nanos"].as_i64().unwrap_or_default()).ok()?;
    let time = Timestamp::new(seconds, nanos).ok()?;
    Some(time.strftime(form).to_string().into())
}

fn bytes<'a>(wire: &Wire<'a>) -> Option<&'a [u8]> {
    match wire {
        Wire::Bytes(bytes) => Some(bytes),
        Wire::Number(_) => None,
    }
}

fn text(wire: &Wire<'_>) -> Option<Value> {
    std::str::from_utf8(bytes(wire)?).ok().map(Value::from)
}
