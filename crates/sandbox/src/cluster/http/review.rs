//! Reviews: questions about permissions, which are not stored. The one user may do everything.

use http::{Method, Response};
use serde_json::json;

use super::call::Call;
use super::response;
use crate::body::Body;
use crate::cluster::route::Target;
use crate::cluster::status::Status;

pub(super) fn respond(call: &Call<'_>, target: &Target) -> Result<Response<Body>, Status> {
    if *call.method != Method::POST {
        return Err(Status::method_not_allowed());
    }
    let mut review = call.document()?;
    crate::cluster::verbs::check_document(target.served, &review)?;
    review["apiVersion"] = target.served.api_version().into();
    review["kind"] = target.served.kind.kind.into();
    review["status"] = json!({"allowed": true, "reason": "the only user may do everything"});
    Ok(response::json(201, &review))
}
