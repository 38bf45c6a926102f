//! Discovery: versions, groups and kinds, in the old form (one document a group version) and the
//! aggregated one (`apidiscovery.k8s.io`), all from the table of kinds.

use http::{Method, Response};
use serde_json::{Value, json};

use crate::body::Body;
use crate::cluster::http::call::Call;
use crate::cluster::http::response::{self, typed};
use crate::cluster::kind::{KINDS, Kind, Origin, ServedKind, group_version, group_versions};
use crate::cluster::openapi;
use crate::cluster::status::Status;

/// The Kubernetes version the cluster says it is.
const VERSION: (&str, &str, &str) = ("1", "33", "v1.33.0+windlass");

/// Answers paths that are about the cluster and not its objects; `None` for all others.
pub(crate) fn respond(path: &str, call: &Call<'_>) -> Option<Result<Response<Body>, Status>> {
    let path = path.trim_end_matches('/');
    let response = match path {
        "/version" => response::json(200, &version()),
        "/api" => {
            aggregated(call, vec![""]).unwrap_or_else(|| response::json(200, &core_versions()))
        }
        "/apis" => {
            aggregated(call, group_names()).unwrap_or_else(|| response::json(200, &groups()))
        }
        _ if path.starts_with("/openapi/") => return Some(openapi::respond(path)),
        _ => {
            let (group, version) = group_path(path)?;
            response::json(200, &group_document(group, version)?)
        }
    };
    if *call.method != Method::GET {
        return Some(Err(Status::method_not_allowed()));
    }
    Some(Ok(response))
}

/// `/api/v1`, `/apis/GROUP` or `/apis/GROUP/VERSION`.
fn group_path(path: &str) -> Option<(&str, Option<&str>)> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let (root, first, second) = (segments.next()?, segments.next()?, segments.next());
    match (root, segments.next()) {
        ("api", None) if second.is_none() => Some(("", Some(first))),
        ("apis", None) => Some((first, second)),
        _ => None,
    }
}

fn group_document(group: &str, version: Option<&str>) -> Option<Value> {
    let known = group_versions();
    match version {
        None => group_names()
            .into_iter()
            .find(|name| *name == group)
            .map(group_entry),
        Some(version) => known
            .into_iter()
            .find(|pair| *pair == (group, version))
            .map(resource_list),
    }
}

fn version() -> Value {
    let (major, minor, git) = VERSION;
    json!({
        "major": major, "minor": minor, "gitVersion": git, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": "linux/amd64",
    })
}

fn core_versions() -> Value {
    json!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [],
    })
}

fn group_names() -> Vec<&'static str> {
    let mut names = Vec::new();
    for (group, _) in group_versions() {
        if !group.is_empty() && !names.contains(&group) {
            names.push(group);
        }
    }
    names
}

fn versions_of(group: &str) -> Vec<&'static str> {
    group_versions()
        .into_iter()
        .filter(|pair| pair.0 == group)
        .map(|pair| pair.1)
        .collect()
}

fn group_entry(group: &'static str) -> Value {
    let versions: Vec<Value> = versions_of(group)
        .into_iter()
        .map(|version| json!({"groupVersion": group_version(group, version), "version": version}))
        .collect();
    json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": group,
        "preferredVersion": versions.first(), "versions": versions,
    })
}

fn groups() -> Value {
    let groups: Vec<Value> = group_names().into_iter().map(group_entry).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn rows(group: &str, version: &str) -> impl Iterator<Item = &'static Kind> {
    KINDS
        .iter()
        .filter(move |kind| kind.group == group && kind.versions.contains(&version))
}

fn verbs(kind: &Kind) -> &'static [&'static str] {
    match kind.origin {
        Origin::Review => &["create"],
        _ => &[
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch",
        ],
    }
}

const STATUS_VERBS: &[&str] = &["get", "patch", "update"];

fn resource_list((group, version): (&str, &str)) -> Value {
    let mut resources = Vec::new();
    for kind in rows(group, version) {
        let mut entry = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": verbs(kind),
        });
        if !kind.short.is_empty() {
            entry["shortNames"] = kind.short.into();
        }
        if !kind.categories.is_empty() {
            entry["categories"] = kind.categories.into();
        }
        resources.push(entry);
        if kind.status {
            resources.push(json!({
                "name": format!("{}/status", kind.plural), "singularName": "",
                "namespaced": kind.namespaced, "kind": kind.kind, "verbs": STATUS_VERBS,
            }));
        }
    }
    json!({
        "kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": group_version(group, version), "resources": resources,
    })
}

/// Some groups in the aggregated form, if the client accepts that.
fn aggregated(call: &Call<'_>, groups: Vec<&'static str>) -> Option<Response<Body>> {
    let asked = |version: &&&str| {
        call.accept.split(',').any(|media| {
            media.contains("as=APIGroupDiscoveryList")
                && media
                    .split(';')
                    .any(|part| part.trim().strip_prefix("v=") == Some(**version))
        })
    };
    let version = ["v2", "v2beta1"].iter().find(asked)?;
    let items: Vec<Value> = groups.into_iter().map(aggregated_group).collect();
    let body = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {}, "items": items,
    });
    let media =
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    Some(typed(200, &media, body.to_string()))
}

fn aggregated_group(group: &'static str) -> Value {
    let versions: Vec<Value> = versions_of(group)
        .into_iter()
        .map(|version| {
            let resources: Vec<Value> = rows(group, version)
                .map(|kind| aggregated_resource(ServedKind { kind, version }))
                .collect();
            json!({"version": version, "resources": resources, "freshness": "Current"})
        })
        .collect();
    let metadata = if group.is_empty() {
        json!({})
    } else {
        json!({"name": group})
    };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(served: ServedKind) -> Value {
    let kind = served.kind;
    let response_kind = json!({"group": kind.group, "version": served.version, "kind": kind.kind});
    let mut entry = json!({
        "resource": kind.plural, "responseKind": response_kind,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular, "verbs": verbs(kind),
    });
    if !kind.short.is_empty() {
        entry["shortNames"] = kind.short.into();
    }
    if !kind.categories.is_empty() {
        entry["categories"] = kind.categories.into();
    }
    if kind.status {
        entry["subresources"] = json!([
            {"subresource": "status", "responseKind": response_kind, "verbs": STATUS_VERBS}
        ]);
    }
    entry
}
