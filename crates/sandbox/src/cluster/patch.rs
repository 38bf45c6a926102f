//! Patches: the four patch formats.

use serde_json::Value;

use crate::cluster::http::call::Call;
use crate::cluster::kind::{Kind, Origin, ServedKind};
use crate::cluster::managed::Operation;
use crate::cluster::object::metadata_mut;
use crate::cluster::route::Part;
use crate::cluster::status::Status;

mod apply;
mod json;
mod merge;
mod strategic;

/// A patch as read from a request.
#[derive(Debug)]
pub(crate) enum Patch {
    /// RFC 7386.
    Merge(Value),
    /// RFC 6902.
    Json(Vec<json::Operation>),
    /// Kubernetes' own, for built-in kinds.
    Strategic(Value),
    /// Server-side apply.
    Apply {
        config: Value,
        manager: String,
        force: bool,
    },
}

impl Patch {
    pub(crate) fn read(call: &Call<'_>, kind: &Kind) -> Result<Self, Status> {
        match call.media() {
            "application/merge-patch+json" => Ok(Self::Merge(call.json()?)),
            "application/json-patch+json" => Ok(Self::Json(json::read(&call.json()?)?)),
            "application/strategic-merge-patch+json" if kind.origin == Origin::BuiltIn => {
                Ok(Self::Strategic(call.json()?))
            }
            "application/apply-patch+yaml" => {
                let manager = call.query.get("fieldManager").ok_or_else(|| {
                    Status::bad_request("fieldManager is required for apply patch")
                })?;
                let force = call.query.flag("force");
                Ok(Self::Apply {
                    config: call.yaml()?,
                    manager: manager.to_owned(),
                    force,
                })
            }
            _ => Err(unsupported(kind)),
        }
    }

    /// The object this patch makes of `live`, both in the version served.
    pub(crate) fn apply_to(
        &self,
        served: ServedKind,
        part: Part,
        mut live: Value,
    ) -> Result<Value, Status> {
        match self {
            Self::Merge(patch) => merge::apply(&mut live, patch),
            Self::Json(operations) => json::apply(&mut live, operations, served.kind)?,
            Self::Strategic(patch) => strategic::apply(&mut live, patch)?,
            Self::Apply {
                config,
                manager,
                force,
            } => {
                return apply::Apply {
                    config,
                    manager,
                    force: *force,
                }
                .onto(served, part, &live);
            }
        }
        Ok(live)
    }
}

impl Patch {
    /// How the writer comes to own what the patch sets.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Apply { .. } => Operation::Apply,
            _ => Operation::Update,
        }
    }
}

/// The object an apply makes where there was none.
pub(crate) fn first_apply(config: &Value, name: &str) -> Result<Value, Status> {
    let mut new = config.clone();
    metadata_mut(&mut new)?.insert("name".into(), name.into());
    Ok(new)
}

fn unsupported(kind: &Kind) -> Status {
    let strategic = match kind.origin {
        Origin::BuiltIn => ", application/strategic-merge-patch+json",
        _ => "",
    };
    Status::unsupported_media(&format!(
        "application/json-patch+json, application/merge-patch+json{strategic}, \
         application/apply-patch+yaml"
    ))
}
