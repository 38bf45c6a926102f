//! The forms of an object in a response: whole, its metadata only, or as rows of a table
//! (what `kubectl get` prints). Columns follow the real server's printers and Tekton's CRDs.

use serde_json::{Value, json};

use crate::cluster::kind::ServedKind;
use crate::cluster::page::Page;

mod columns;

/// What the `Accept` header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    Metadata,
    Table,
}

impl Form {
    /// The first form in the header that is known.
    pub(crate) fn accepted(accept: &str) -> Self {
        for media in accept.split(',') {
            let mut parts = media.split(';').map(str::trim);
            if !matches!(
                parts.next(),
                Some("application/json" | "*/*" | "application/*")
            ) {
                continue;
            }
            match parts.find_map(|part| part.strip_prefix("as=")) {
                None => return Self::Whole,
                Some("Table") => return Self::Table,
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => {
                    return Self::Metadata;
                }
                Some(_) => {}
            }
        }
        Self::Whole
    }

    /// One object, already in the version served.
    pub(crate) fn one(self, served: ServedKind, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Metadata => metadata_only(object),
            Self::Table => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                table(served, &metadata, std::slice::from_ref(object))
            }
        }
    }

    pub(crate) fn many(self, served: ServedKind, page: Page) -> Value {
        let mut metadata = json!({"resourceVersion": page.revision.to_string()});
        if let Some(token) = page.next {
            metadata["continue"] = token.into();
        }
        if let Some(left) = page.remaining {
            metadata["remainingItemCount"] = left.into();
        }
        match self {
            Self::Whole => json!({
                "apiVersion": served.api_version(),
                "kind": format!("{}List", served.kind.kind),
                "metadata": metadata,
                "items": page.items,
            }),
            Self::Metadata => json!({
                "apiVersion": "meta.k8s.io/v1",
                "kind": "PartialObjectMetadataList",
                "metadata": metadata,
                "items": page.items.iter().map(metadata_only).collect::<Vec<_>>(),
            }),
            Self::Table => table(served, &metadata, &page.items),
        }
    }

    /// A bookmark: only the resource version of its object counts.
    pub(crate) fn bookmark(self, served: ServedKind, object: Value) -> Value {
        match self {
            Self::Whole => object,
            Self::Metadata => metadata_only(&object),
            Self::Table => {
                let mut table = table(served, &object["metadata"], &[]);
                table["rows"] = json!([{"cells": [], "object": metadata_only(&object)}]);
                table
            }
        }
    }
}

fn metadata_only(object: &Value) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": object["metadata"],
    })
}

fn table(served: ServedKind, metadata: &Value, objects: &[Value]) -> Value {
    let columns = columns::of(served);
    let definitions: Vec<Value> = columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.shape,
                "format": if column.name == "Name" { "name" } else { "" },
                "description": "",
                "priority": 0,
            })
        })
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|column| (column.cell)(object)).collect();
            json!({"cells": cells, "object": metadata_only(object)})
        })
        .collect();
    json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "Table",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    })
}
