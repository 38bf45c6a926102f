//! What people do with runs: cancel and delete them. Both name the run by its uid, so that one that
//! was made anew under the same name meanwhile stays as it is.

use kube::Client;
use serde_json::json;

use super::call::{Call, CallError, MERGE_PATCH};
use super::runs::RunId;

/// Asks Tekton to end a run, with a value of `spec.status`.
pub(crate) async fn cancel(client: &Client, id: &RunId, status: &str) -> Result<(), CallError> {
    let patch = json!({ "metadata": { "uid": id.uid }, "spec": { "status": status } });
    let body = patch.to_string().into_bytes();
    let call = Call::patch(format!("cancel {id}"), id.path(), MERGE_PATCH, body);
    call.send(client).await.map(drop)
}

/// Deletes a run, and in the background what belongs to it.
pub(crate) async fn delete(client: &Client, id: &RunId) -> Result<(), CallError> {
    let options = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": { "uid": id.uid },
        "propagationPolicy": "Background",
    });
    let body = options.to_string().into_bytes();
    let call = Call::delete(format!("delete {id}"), id.path(), body);
    call.send(client).await.map(drop)
}
