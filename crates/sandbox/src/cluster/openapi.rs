//! As much `OpenAPI` as `kubectl` needs to leave validation to the server: in v3 one document a group
//! version, whose patch operations take the parameter `fieldValidation`; in v2, which `kubectl` asks
//! for when it meets a kind `List`, one document that defines nothing. No schemas.

use http::Response;
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::cluster::http::response::{self, typed};
use crate::cluster::kind::{KINDS, Kind, group_version, group_versions};
use crate::cluster::status::Status;

/// The one form in which `kubectl` reads `OpenAPI` v2: `openapi.v2.Document` in protobuf.
const V2_MEDIA: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/// `swagger` (field 1) and `info` (field 2: `title`, `version`). Every length is one byte.
const V2_DOCUMENT: &[u8] = b"\x0a\x032.0\x12\x16\x0a\x10windlass sandbox\x12\x02v1";

pub(crate) fn respond(path: &str) -> Result<Response<Body>, Status> {
    if path == "/openapi/v3" {
        return Ok(response::json(200, &index()));
    }
    if path == "/openapi/v2" {
        return Ok(typed(200, V2_MEDIA, V2_DOCUMENT));
    }
    let asked = path
        .strip_prefix("/openapi/v3/")
        .ok_or_else(Status::no_such_path)?;
    let found = group_versions()
        .into_iter()
        .find(|(group, version)| root(group, version) == asked);
    let (group, version) = found.ok_or_else(Status::no_such_path)?;
    Ok(response::json(200, &document(group, version)))
}

fn root(group: &str, version: &str) -> String {
    let root = if group.is_empty() { "api" } else { "apis" };
    format!("{root}/{}", group_version(group, version))
}

fn index() -> Value {
    let paths: Map<String, Value> = group_versions()
        .into_iter()
        .map(|(group, version)| {
            let root = root(group, version);
            let url = format!("/openapi/v3/{root}");
            (root, json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

fn document(group: &str, version: &str) -> Value {
    let rows = KINDS
        .iter()
        .filter(|kind| kind.group == group && kind.versions.contains(&version));
    let paths: Map<String, Value> = rows.map(|kind| path(kind, version)).collect();
    json!({
        "openapi": "3.0.0",
        "info": {"title": "windlass sandbox", "version": "v1"},
        "paths": paths,
        "components": {"schemas": {}},
    })
}

fn path(kind: &Kind, version: &str) -> (String, Value) {
    let parent = if kind.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let path = format!(
        "/{}{parent}/{}/{{name}}",
        root(kind.group, version),
        kind.plural
    );
    let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation", "force"]
        .into_iter()
        .map(|name| {
            let shape = if name == "force" { "boolean" } else { "string" };
            json!({"name": name, "in": "query", "schema": {"type": shape, "uniqueItems": true}})
        })
        .collect();
    let operation = json!({
        "description": format!("partially update the specified {}", kind.kind),
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind":
            {"group": kind.group, "version": version, "kind": kind.kind},
    });
    (path, json!({"patch": operation}))
}
