//! Names of objects of a cluster, for completions: a page of them, and none that a shell would read
//! otherwise.

use kube::Client;
use serde::Deserialize;
use windlass_core::run::Kind;

use super::runs::RunsError;
use crate::cluster::call::Call;
use crate::cluster::list::METADATA_LIST;
use crate::cluster::path::{ApiPath, Resource};

/// Names in a page.
const PAGE: &str = "500";

#[derive(Deserialize)]
struct Objects {
    items: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// Names of namespaces.
pub(crate) async fn namespaces(client: &Client) -> Result<Vec<String>, RunsError> {
    read(client, ApiPath::all(Resource::NAMESPACES)).await
}

/// Names of runs.
pub(crate) async fn runs(
    client: &Client,
    kind: Kind,
    namespace: &str,
) -> Result<Vec<String>, RunsError> {
    read(client, ApiPath::within(namespace, Resource::runs(kind))).await
}

async fn read(client: &Client, path: ApiPath) -> Result<Vec<String>, RunsError> {
    let action = "list names".to_owned();
    let call = Call::get(action.clone(), path.query(&[("limit", PAGE)])).accept(METADATA_LIST);
    let list = call.send(client).await.map_err(RunsError::Call)?;
    let read = serde_json::from_slice(&list);
    let Objects { items } = read.map_err(|error| RunsError::Malformed {
        action,
        source: error.into(),
    })?;
    let names = items.into_iter().map(|object| object.metadata.name);
    Ok(names.filter(|name| is_plain(name)).collect())
}

/// Whether a name is one that the API server allows.
fn is_plain(name: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_run_is_not_offered() {
        assert!(is_plain("build-7x2kq.v1"));
        for name in ["", "-rf", "a b", "$(id)", "a;b", "a\nb", "`id`"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
