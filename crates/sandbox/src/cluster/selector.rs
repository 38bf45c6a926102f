//! Label and field selectors: which objects of a kind a list, watch or deletion is about.
//! Grammar: the "Labels and Selectors" and "Field Selectors" pages of the Kubernetes documentation.

use serde_json::Value;

use self::field::FieldRequirement;
use self::label::Requirement;
use crate::cluster::kind::Kind;
use crate::cluster::status::Status;
use crate::query::Query;

mod field;
mod label;
mod token;

/// All requirements must be met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

impl Selector {
    /// What `labelSelector` and `fieldSelector` ask for among objects of this kind.
    pub(crate) fn from_query(query: &Query, kind: &Kind) -> Result<Self, Status> {
        let labels = query.get("labelSelector").unwrap_or_default();
        let fields = query.get("fieldSelector").unwrap_or_default();
        Ok(Self {
            labels: label::requirements(labels).map_err(Status::bad_request)?,
            fields: field::requirements(fields, kind).map_err(Status::bad_request)?,
        })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels
            .iter()
            .all(|requirement| requirement.is_met(labels))
            && self
                .fields
                .iter()
                .all(|requirement| requirement.is_met(object))
    }
}
