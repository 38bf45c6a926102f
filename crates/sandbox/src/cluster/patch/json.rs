//! JSON patch, RFC 6902, with pointers as in RFC 6901 and the real server's one leniency.

use serde_json::Value;

use crate::cluster::kind::Kind;
use crate::cluster::object;
use crate::cluster::status::Status;

/// Most operations in one patch, as in the real server.
const OPERATIONS: usize = 10_000;

/// One step of a patch. Pointers are split and unescaped.
#[derive(Debug)]
pub(crate) enum Operation {
    Add(Vec<String>, Value),
    Remove(Vec<String>),
    Replace(Vec<String>, Value),
    Move { from: Vec<String>, to: Vec<String> },
    Copy { from: Vec<String>, to: Vec<String> },
    Test(Vec<String>, Value),
}

pub(super) fn read(patch: &Value) -> Result<Vec<Operation>, Status> {
    let Value::Array(steps) = patch else {
        return Err(Status::bad_request("a JSON patch is a list of operations"));
    };
    if steps.len() > OPERATIONS {
        let message = format!("a JSON patch has at most {OPERATIONS} operations");
        return Err(Status::new(413, "RequestEntityTooLarge", message));
    }
    steps.iter().map(operation).collect()
}

fn operation(step: &Value) -> Result<Operation, Status> {
    let pointer = |field: &str| {
        let text = step[field].as_str();
        text.and_then(split)
            .ok_or_else(|| Status::bad_request(format!("a step's {field} is not a JSON pointer")))
    };
    let value = || {
        let value = step.get("value").cloned();
        value.ok_or_else(|| Status::bad_request("a step of the JSON patch has no value"))
    };
    match step["op"].as_str() {
        Some("add") => Ok(Operation::Add(pointer("path")?, value()?)),
        Some("remove") => Ok(Operation::Remove(pointer("path")?)),
        Some("replace") => Ok(Operation::Replace(pointer("path")?, value()?)),
        Some("move") => Ok(Operation::Move {
            from: pointer("from")?,
            to: pointer("path")?,
        }),
        Some("copy") => Ok(Operation::Copy {
            from: pointer("from")?,
            to: pointer("path")?,
        }),
        Some("test") => Ok(Operation::Test(pointer("path")?, value()?)),
        _ => Err(Status::bad_request(
            "a step of the JSON patch has an unknown op",
        )),
    }
}

fn split(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let segments = pointer.strip_prefix('/')?.split('/');
    Some(
        segments
            .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

pub(super) fn apply(
    target: &mut Value,
    operations: &[Operation],
    kind: &Kind,
) -> Result<(), Status> {
    let name = object::name(target).to_owned();
    for operation in operations {
        step(target, operation).map_err(|why| {
            let message =
                format!("{} \"{name}\" is invalid: the server rejected our request due to an error in our request: {why}", kind.kind_and_group());
            Status::new(422, "Invalid", message).about(kind, &name)
        })?;
    }
    Ok(())
}

fn step(target: &mut Value, operation: &Operation) -> Result<(), String> {
    match operation {
        Operation::Add(path, value) => add(target, path, value.clone()),
        Operation::Remove(path) => remove(target, path).map(drop),
        Operation::Replace(path, value) => replace(target, path, value.clone()),
        Operation::Move { from, to } => {
            let value = remove(target, from)?;
            add(target, to, value)
        }
        Operation::Copy { from, to } => {
            let value = find(target, from)?.clone();
            add(target, to, value)
        }
        Operation::Test(path, value) => {
            let equal = find(target, path).is_ok_and(|found| found == value);
            if equal {
                Ok(())
            } else {
                Err(format!("testing value {} failed", shown(path)))
            }
        }
    }
}

fn find<'a>(target: &'a mut Value, path: &[String]) -> Result<&'a mut Value, String> {
    path.iter().try_fold(target, |value, segment| {
        let found = match value {
            Value::Object(fields) => fields.get_mut(segment),
            Value::Array(items) => index(segment, items.len()).and_then(|at| items.get_mut(at)),
            _ => None,
        };
        found.ok_or_else(|| missing(path))
    })
}

fn add(target: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let Some((last, parent)) = path.split_last() else {
        *target = value;
        return Ok(());
    };
    match find(target, parent)? {
        Value::Object(fields) => {
            fields.insert(last.clone(), value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let at = index(last, items.len() + 1).ok_or_else(|| missing(path))?;
            items.insert(at, value);
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

/// A field that is not there is added, against the RFC but as the real server does: `tkn` cancels
/// a run by replacing a `spec.status` it never had.
fn replace(target: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    if let Some((last, parent)) = path.split_last()
        && let Value::Object(fields) = find(target, parent)?
    {
        fields.insert(last.clone(), value);
        return Ok(());
    }
    *find(target, path)? = value;
    Ok(())
}

fn remove(target: &mut Value, path: &[String]) -> Result<Value, String> {
    let Some((last, parent)) = path.split_last() else {
        return Err("the whole object cannot be removed".into());
    };
    let removed = match find(target, parent)? {
        Value::Object(fields) => fields.remove(last),
        Value::Array(items) => index(last, items.len()).map(|at| items.remove(at)),
        _ => None,
    };
    removed.ok_or_else(|| missing(path))
}

fn index(segment: &str, length: usize) -> Option<usize> {
    let leading_zero = segment.len() > 1 && segment.starts_with('0');
    let index = segment.parse::<usize>().ok()?;
    (!leading_zero && index < length && !segment.starts_with('+')).then_some(index)
}

fn shown(path: &[String]) -> String {
    path.iter().flat_map(|segment| ["/", segment]).collect()
}

fn missing(path: &[String]) -> String {
    format!("the path {} does not exist", shown(path))
}
