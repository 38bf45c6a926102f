//! Lists of objects, a page at a time: the one reader of lists.
//!
//! Each object is handed on as the bytes that the API server sent; what is read out of it is up to
//! the caller. A list of any length needs the memory of one page. A server that sends the same page
//! again is refused, since such a list never ends.

use std::borrow::Cow;

use bytes::Bytes;
use kube::Client;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::{Call, CallError};
use super::path::ApiPath;

/// Objects in a page unless the caller asks for fewer. A page is in memory as a whole.
const PAGE: usize = 250;
/// Asks for the metadata of the objects only; a server that cannot send that sends whole objects,
/// which read the same.
pub(crate) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// What to list and watch.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// What it is, for messages: "task runs".
    pub(crate) what: String,
    /// API path, without query.
    pub(crate) path: ApiPath,
    /// Only the object of this name.
    pub(crate) name: Option<String>,
    /// Only objects with these labels.
    pub(crate) labels: Option<String>,
}

impl Source {
    /// Path and query, with these parameters; empty ones are left out.
    pub(super) fn uri(&self, parameters: &[(&str, &str)]) -> ApiPath {
        let name = self.name.as_ref();
        let name = name.map_or_else(String::new, |name| format!("metadata.name={name}"));
        let labels = self.labels.as_deref().unwrap_or_default();
        let path = self.path.clone().query(parameters);
        path.query(&[("fieldSelector", &name), ("labelSelector", labels)])
    }
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    /// It was refused, or did not come.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What came is something else.
    #[error("cannot {action}: the API server sent something that is not a list")]
    Malformed {
        /// What was being done.
        action: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The same page came twice.
    #[error("cannot {action}: the API server repeats the same page")]
    Repeated {
        /// What was being done.
        action: String,
    },
}

/// A list that is read page by page.
pub(crate) struct Pages<'a> {
    client: &'a Client,
    source: &'a Source,
    size: usize,
    accept: &'a str,
    next: Next,
}

/// The page that comes next.
enum Next {
    First,
    Continued(String),
    None,
}

/// Some objects of a list.
pub(crate) struct Page {
    /// The objects. Each keeps the whole page in memory: copy those that are kept for longer.
    pub(crate) objects: Vec<Bytes>,
    /// The version of the list, from which it can be watched.
    pub(crate) version: String,
}

impl<'a> Pages<'a> {
    /// The objects of a source, whole.
    pub(crate) fn new(client: &'a Client, source: &'a Source) -> Self {
        Self {
            client,
            source,
            size: PAGE,
            accept: "application/json",
            next: Next::First,
        }
    }

    /// The same with at most `size` objects in a page.
    pub(crate) fn of(self, size: usize) -> Self {
        Self { size, ..self }
    }

    /// The same in another representation.
    pub(crate) fn accept(self, accept: &'a str) -> Self {
        Self { accept, ..self }
    }

    /// Reads the next page; there is none after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Page>, ListError> {
        let token = match &self.next {
            Next::First => "",
            Next::Continued(token) => token,
            Next::None => return Ok(None),
        };
        let action = format!("list {}", self.source.what);
        let parameters = [("limit", &*self.size.to_string()), ("continue", token)];
        let call = Call::get(action.clone(), self.source.uri(&parameters));
        let body = call.accept(self.accept).send(self.client).await?;
        let (page, next) = match page(&body) {
            Ok(read) => read,
            Err(source) => return Err(ListError::Malformed { action, source }),
        };
        if !next.is_empty() && next == token {
            return Err(ListError::Repeated { action });
        }
        self.next = if next.is_empty() {
            Next::None
        } else {
            Next::Continued(next)
        };
        Ok(Some(page))
    }
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow, default)]
    resource_version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "continue", default)]
    next: Option<Cow<'a, str>>,
}

/// The page in a response, and the token of the next one, which is empty after the last.
fn page(body: &Bytes) -> Result<(Page, String), serde_json::Error> {
    let List { metadata, items } = serde_json::from_slice(body)?;
    let items = items.unwrap_or_default().into_iter();
    let page = Page {
        objects: items
            .map(|item| body.slice_ref(item.get().as_bytes()))
            .collect(),
        version: metadata.resource_version.unwrap_or_default().into_owned(),
    };
    Ok((page, metadata.next.unwrap_or_default().into_owned()))
}

#[cfg(test)]
mod tests;
