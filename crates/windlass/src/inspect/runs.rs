//! Reading runs from the API server, a page at a time.

use anyhow::{Context, bail};
use kube::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use windlass_core::run::Kind;

use crate::cluster::call::{Call, CallError};

/// Runs a page when only metadata is read.
const METADATA_PAGE: usize = 200;
/// Runs a page when whole runs are read; a run may be over a megabyte.
const WHOLE_PAGE: usize = 50;
/// Ask for metadata only; a server that cannot sends whole objects, which read the same.
const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// Runs of one kind in one namespace, or in all.
pub(crate) struct Runs<'a> {
    client: &'a Client,
    kind: Kind,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<T>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    metadata: Created,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    name: String,
    creation_timestamp: Option<jiff::Timestamp>,
    #[serde(default)]
    resource_version: String,
}

impl Created {
    /// Orders by creation, which counts whole seconds; then by the last write, then by name.
    fn recency(&self) -> (Option<jiff::Timestamp>, Option<u64>, &str) {
        (
            self.creation_timestamp,
            self.resource_version.parse().ok(),
            &self.name,
        )
    }
}

impl<'a> Runs<'a> {
    /// Runs in `namespace`, or in all namespaces.
    pub(crate) fn new(
        client: &'a Client,
        kind: Kind,
        namespace: Option<&str>,
    ) -> anyhow::Result<Self> {
        if let Some(namespace) = namespace {
            check_name("namespace", namespace)?;
        }
        Ok(Self {
            client,
            kind,
            namespace: namespace.map(str::to_owned),
        })
    }

    /// Where these runs are, for messages.
    pub(crate) fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("in namespace {namespace:?}"),
            None => "in any namespace".to_owned(),
        }
    }

    fn uri(&self) -> String {
        let plural = self.kind.plural();
        match &self.namespace {
            Some(namespace) => format!("/apis/tekton.dev/v1/namespaces/{namespace}/{plural}"),
            None => format!("/apis/tekton.dev/v1/{plural}"),
        }
    }

    /// One whole run.
    pub(crate) async fn get(&self, name: &str) -> anyhow::Result<Value> {
        check_name(self.kind.name(), name)?;
        let action = format!("read {} {name:?} {}", self.kind.name(), self.place());
        let call = Call::get(action.clone(), format!("{}/{name}", self.uri()));
        match call.send(self.client).await {
            Ok(body) => serde_json::from_slice(&body)
                .with_context(|| format!("cannot {action}: the answer is not JSON")),
            Err(CallError::Refused {
                status: 404,
                message,
                ..
            }) if message.contains(name) => {
                bail!(
                    "there is no {} {name:?} {}; choose another namespace with -n",
                    self.kind.name(),
                    self.place()
                )
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// The name of the run created last.
    pub(crate) async fn last(&self) -> anyhow::Result<String> {
        let mut last: Option<Created> = None;
        self.pages(METADATA_PAGE, METADATA_LIST, None, |items: Vec<Named>| {
            let newest = items
                .into_iter()
                .map(|item| item.metadata)
                .chain(last.take());
            last = newest.max_by(|left, right| left.recency().cmp(&right.recency()));
        })
        .await?;
        match last {
            Some(run) => Ok(run.name),
            None => bail!(
                "no {}s found {}; choose another namespace with -n",
                self.kind.name(),
                self.place()
            ),
        }
    }

    /// Reads all runs that match the label selector, in pages handed to `each`.
    pub(crate) async fn each<T: DeserializeOwned>(
        &self,
        selector: Option<&str>,
        each: impl FnMut(Vec<T>),
    ) -> anyhow::Result<()> {
        self.pages(WHOLE_PAGE, "application/json", selector, each)
            .await
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        size: usize,
        accept: &str,
        selector: Option<&str>,
        mut each: impl FnMut(Vec<T>),
    ) -> anyhow::Result<()> {
        let action = format!("list {}s {}", self.kind.name(), self.place());
        let mut next: Option<String> = None;
        loop {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("limit", &size.to_string());
            for (key, value) in [("labelSelector", selector), ("continue", next.as_deref())] {
                if let Some(value) = value {
                    query.append_pair(key, value);
                }
            }
            let uri = format!("{}?{}", self.uri(), query.finish());
            let call = Call::get(action.clone(), uri).accept(accept);
            let body = call
                .send(self.client)
                .await
                .map_err(|error| self.explain(error))?;
            let page: Page<T> = serde_json::from_slice(&body)
                .with_context(|| format!("cannot {action}: the answer is not a list of runs"))?;
            each(page.items.unwrap_or_default());
            match page.metadata.next.filter(|token| !token.is_empty()) {
                Some(token) if next.as_ref() != Some(&token) => next = Some(token),
                Some(_) => bail!("cannot {action}: the API server repeats the same page"),
                None => return Ok(()),
            }
        }
    }

    /// Says what a refusal most likely means.
    fn explain(&self, error: CallError) -> anyhow::Error {
        let hint = match error.status() {
            Some(404) => format!(
                "the cluster does not serve {}s at tekton.dev/v1; is Tekton Pipelines installed?",
                self.kind.name()
            ),
            Some(410) => "the list changed while it was read; try again".to_owned(),
            Some(403) => "your account may not read them; ask for a role that can".to_owned(),
            _ => return error.into(),
        };
        anyhow::Error::new(error).context(hint)
    }
}

/// Refuses what cannot be a name, so that it never becomes part of another URL.
fn check_name(what: &str, name: &str) -> anyhow::Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let edges = name.starts_with(['.', '-']) || name.ends_with(['.', '-']);
    if name.is_empty() || name.len() > 253 || edges || !name.bytes().all(allowed) {
        bail!("{name:?} cannot be the name of a {what}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_or_a_question_mark_is_refused() {
        for name in ["", "a/b", "a?b", "..", "-a", "a b", "é"] {
            assert!(check_name("TaskRun", name).is_err(), "{name}");
        }
        assert!(check_name("TaskRun", "build-7x2kq.v1").is_ok());
    }
}
